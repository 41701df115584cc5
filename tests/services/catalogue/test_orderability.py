"""Why an item cannot be ordered, by tables."""

from typing import Any

import pytest

from services.catalogue.models import ItemContent, OrderedBy
from services.catalogue.orderability import Asked, refusals_of, warnings_of
from services.catalogue.service import _seeds

ITEMS = {item.code: item for item in _seeds()}
HERE = "430121107201"


def item(code: str, **said: Any) -> ItemContent:
    return ItemContent.model_validate(ITEMS[code].model_dump() | said)


@pytest.mark.parametrize(
    ("one", "asked", "is_offered", "expected"),
    [
        (item("cleaning"), Asked(), True, []),
        (item("cleaning"), Asked(), False, ["not_offered_here"]),
        (item("cleaning", offered_areas=["430121107"]), Asked(area_code=HERE), True, []),
        (item("cleaning", offered_areas=["430121"]), Asked(area_code=HERE), True, []),
        (item("cleaning", offered_areas=["430121108"]), Asked(area_code=HERE), True, ["not_offered_here"]),
        (item("family_bed_round"), Asked(way=OrderedBy.APP), True, ["may_not_order_this"]),
        (item("family_bed_round"), Asked(way=OrderedBy.VILLAGE_DOCTOR), True, []),
        (item("emergency_help"), Asked(way=OrderedBy.CARE_PLAN), True, ["may_not_order_this"]),
        (item("iv_infusion"), Asked(), True, ["negative_list"]),
        (item("acupuncture"), Asked(conditions=("凝血功能障碍",)), True, ["contraindication"]),
        (item("acupuncture"), Asked(conditions=("重度凝血功能障碍（服药中）",)), True, ["contraindication"]),
        (item("acupuncture"), Asked(conditions=("高血压",)), True, []),
        (
            item("tuina", may_order=["phone"]),
            Asked(way=OrderedBy.APP, conditions=("骨折", "深静脉血栓")),
            False,
            ["not_offered_here", "may_not_order_this", "contraindication", "contraindication"],
        ),
    ],
)
def test_refusals(one: ItemContent, asked: Asked, is_offered: bool, expected: list[str]) -> None:
    assert [barrier.code for barrier in refusals_of(one, asked, is_offered)] == expected


def test_a_warning_is_no_refusal() -> None:
    asked = Asked(conditions=("慢性心力衰竭",))
    assert refusals_of(ITEMS["bathing"], asked, is_offered=True) == []
    assert [barrier.code for barrier in warnings_of(ITEMS["bathing"], asked)] == ["contraindication"]


@pytest.mark.parametrize("told", [True, False])
def test_only_who_may_see_health_is_told_the_condition(told: bool) -> None:
    asked = Asked(conditions=("骨折",), names_conditions=told)
    barrier = refusals_of(ITEMS["tuina"], asked, is_offered=True)[0]
    assert ("骨折" in barrier.zh, "骨折" in barrier.en) == (told, told)
