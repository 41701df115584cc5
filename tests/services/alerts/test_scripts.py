"""The words for the call to 120: nothing raw, nothing foreign, nothing left out without a word."""

import pytest

from services.alerts.models import AlertKind
from services.alerts.scripts import Facts, to_120, to_resident
from services.terminals.models import TerminalKind

CARD: Facts = {
    "centre": {"zh": "果园镇中心", "en": "Guoyuan centre"},
    "kind": "sos",
    "time": "08:30",
    "minutes": "2",
    "name": "张三",
    "gender": "male",
    "age": "81",
    "address": "示范街1号",
    "access": "",
    "conditions": ["高血压", "糖尿病"],
    "allergies": [],
    "medicines": ["氨氯地平"],
}
PLACE: Facts = {
    "centre": {"zh": "果园镇中心", "en": "Guoyuan centre"},
    "centre_phone": "0731-84010000",
    "kind": "smoke",
    "time": "08:30",
    "minutes": "2",
    "terminal": "smoke_detector",
    "room": ["厨房"],
}


def test_the_script_in_each_language() -> None:
    said = to_120(CARD, has_resident=True)
    assert said["zh"][1:5] == [
        "地址：示范街1号。",
        "患者张三，男，81岁。",
        "报警类型：紧急呼叫，报警时间08:30，已2分钟。",
        "已知疾病：高血压、糖尿病；过敏：未登记；在用药：氨氯地平。",
    ]
    assert said["en"][0] == "This is Guoyuan centre. We need an ambulance."
    assert said["en"][2:5] == [
        "The patient is 张三, male, 81 years old.",
        "Alarm: emergency call, at 08:30, 2 minutes ago.",
        "Known conditions: 高血压, 糖尿病; allergies: not recorded; medicines: 氨氯地平.",
    ]


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_has_its_words(kind: AlertKind) -> None:
    said = to_120({**CARD, "kind": str(kind)}, has_resident=True)
    assert f"报警类型：{kind}" not in "".join(said["zh"])
    assert "未登记" not in said["zh"][3]
    assert "not recorded" not in said["en"][3]


@pytest.mark.parametrize("kind", TerminalKind)
def test_without_a_resident_the_terminal_and_the_centre_are_named(kind: TerminalKind) -> None:
    said = to_120({**PLACE, "terminal": str(kind)}, has_resident=False)
    for lines in said.values():
        assert "……" not in "".join(lines)
        assert "未登记" not in "".join(lines)
        assert "not recorded" not in "".join(lines)
    assert "厨房" in said["zh"][1]
    assert "果园镇中心" in said["zh"][1]


def test_a_terminal_without_a_room() -> None:
    said = to_120({**PLACE, "room": []}, has_resident=False)
    assert said["zh"][1] == "报警来自果园镇中心的终端：烟雾报警器，位置：未登记。患者身份尚不清楚。"
    assert "room: not recorded" in said["en"][1]


def test_nobody_is_called_by_a_blank() -> None:
    said = to_resident(AlertKind.SMOKE, PLACE)
    assert said["zh"][0].startswith("您好，这里是果园镇中心")
    assert said["en"][0].startswith("Hello there, this is Guoyuan centre")
