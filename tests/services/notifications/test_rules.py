"""Limits, pauses, texts and signatures, by tables."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.core.settings import Settings
from services.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE, is_signed, sign
from services.notifications.models import Channel
from services.notifications.policy import LanePolicy, Limit, load_policy, put_off_until
from services.notifications.senders.registry import SENDERS, outlets
from services.notifications.texts import Facts, load_texts, render

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def before(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=each) for each in seconds]


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ([], None),
        (before(10), None),
        (before(10, 20), 40),  # when the older one is a minute old
        (before(60, 10), None),
        (before(5, 10, 20), 50),
        (before(100, 200, 300, 400), None),
        (before(100, 200, 300, 400, 500), 3100),  # when the oldest of five is an hour old
        (before(10, 20, 300, 400, 500), 3100),
    ],
)
def test_limits(tried: list[datetime], expected: float | None) -> None:
    until = put_off_until(Limit(minute=2, hour=5), tried, NOW)
    assert until == (None if expected is None else NOW + timedelta(seconds=expected))
    if until is not None:
        assert put_off_until(Limit(minute=2, hour=5), tried, until) is None


def test_no_limit_puts_nothing_off() -> None:
    assert put_off_until(None, before(*range(50)), NOW) is None


@pytest.mark.parametrize(
    ("tries", "age", "expected"), [(1, 0, 2), (2, 2, 5), (3, 7, None), (1, 99, None), (2, 95, 5)]
)
def test_pauses(tries: int, age: float, expected: float | None) -> None:
    lane = LanePolicy(retry_seconds=(2, 5), watch_seconds={}, slots=1, give_up_seconds=100)
    again = lane.retry_at(tries, NOW - timedelta(seconds=age), NOW)
    assert again == (None if expected is None else NOW + timedelta(seconds=expected))


def test_the_figures_say_where_they_come_from() -> None:
    policy = load_policy()
    assert policy.source
    assert set(policy.limits) == set(Channel), "every channel has a limit"
    assert set(policy.life_safety.watch_seconds) == set(Channel), "life safety waits in vain in no channel"
    assert policy.lease_seconds > policy.send_seconds


def facts(template: str, relation: str = "女儿", **parameters: str) -> Facts:
    return Facts(
        template=template,
        parameters=parameters,
        alert_id=UUID("019ab1c2-0000-7000-8000-000000abcdef"),
        town={"zh": "果园镇", "en": "Guoyuan town"},
        centre={"zh": "果园镇平台", "en": "Guoyuan centre"},
        centre_phone="0731-84010000",
        relation=relation,
        console_url="https://console.example",
    )


@pytest.mark.parametrize(
    "template", ["alert_page", "alert_family", "terminal_fault", "test_call_due", "duty_swap"]
)
def test_the_templates_that_others_use_are_there(template: str) -> None:
    assert load_texts().templates[template].keys() == {"zh", "en"}


def test_every_template_can_be_written_in_both_languages() -> None:
    for template in load_texts().templates:
        for words in (render(facts(template, kind="sos"), "zh"), render(facts(template, kind="sos"), "en")):
            assert words
            assert "{" not in words


@pytest.mark.parametrize(
    ("template", "parameters", "expected"),
    [
        ("alert_page", {"kind": "sos"}, ["果园镇", "紧急呼叫", "ABCDEF", "https://console.example"]),
        ("alert_page", {"kind": "spo2"}, ["果园镇", "一条预警"]),
        ("alert_page", {}, ["一条预警"]),
        ("alert_family", {"kind": "fall"}, ["（女儿）", "跌倒报警", "果园镇平台已收到", "0731-84010000", "120"]),
        ("terminal_fault", {"fault": "offline", "count": "3"}, ["3台", "离线"]),
        ("terminal_fault", {"fault": "sensor_off"}, ["1台", "传感器脱落"]),
        ("not_written_yet", {}, ["一条新通知"]),
    ],
)
def test_texts(template: str, parameters: dict[str, str], expected: list[str]) -> None:
    written = render(facts(template, **parameters), "zh")
    assert [word for word in expected if word not in written] == []


@pytest.mark.parametrize(
    "kind", ["heart_rate", "spo2", "blood_pressure", "temperature", "glucose", "early_warning"]
)
def test_a_text_does_not_tell_which_reading_it_was(kind: str) -> None:
    others = {render(facts("alert_family", kind=other), "zh") for other in (kind, "respiratory_rate")}
    assert len(others) == 1


def test_signatures() -> None:
    headers = sign("secret", NOW, b"{}")
    stamp, signature = headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER]
    assert is_signed("secret", stamp, signature, b"{}", NOW)
    assert is_signed("secret", stamp, signature, b"{}", NOW + TOLERANCE)
    for secret, when, what, body, now in (
        ("other", stamp, signature, b"{}", NOW),
        ("secret", stamp, signature, b"[]", NOW),
        ("secret", str(int(stamp) + 1), signature, b"{}", NOW),
        ("secret", stamp, signature.removeprefix("sha256="), b"{}", NOW),
        ("secret", stamp, "", b"{}", NOW),
        ("secret", "", signature, b"{}", NOW),
        ("secret", "١٢٣", signature, b"{}", NOW),
        ("secret", "9" * 400, signature, b"{}", NOW),
        ("secret", stamp, signature + "é", b"{}", NOW),
        ("secret", stamp, signature, b"{}", NOW + TOLERANCE + timedelta(seconds=2)),
        ("secret", stamp, signature, b"{}", NOW - TOLERANCE - timedelta(seconds=2)),
    ):
        assert not is_signed(secret, when, what, body, now)


def test_every_channel_has_its_line_in_the_registry() -> None:
    assert set(SENDERS) == set(Channel)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"notification_outlet": "gateways"},
            ["inbox", "not configured", "not configured", "not configured", "not configured"],
        ),
        ({}, ["inbox", "file", "file", "file", "file"]),
        (
            {
                "notification_outlet": "gateways",
                "sms_gateway_url": "https://sms.example",
                "sms_gateway_secret": "s" * 32,
                "push_gateway_url": "https://push.example",
                "push_gateway_secret": "s" * 32,
                "wecom_robot_url": "https://robot.example",
            },
            ["gateway", "gateway", "not configured", "gateway", "not configured"],
        ),
    ],
)
def test_which_channels_are_configured(given: dict[str, str], expected: list[str]) -> None:
    assert list(outlets(Settings(_env_file=None, **given)).values()) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"sms_gateway_url": "https://sms.example"},
        {"webhook_url": "https://hook.example"},
        {
            "mode": "production",
            "sms_gateway_url": "http://sms.example",
            "sms_gateway_secret": "s" * 32,
            "token_secret": "t" * 32,
            "field_key": "f" * 44,
            "lookup_key": "l" * 44,
        },
        {
            "mode": "production",
            "notification_outlet": "file",
            "token_secret": "t" * 32,
            "field_key": "f" * 44,
            "lookup_key": "l" * 44,
        },
    ],
)
def test_settings_that_would_leak_or_send_unsigned_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"SECRET|file|https"):
        Settings(_env_file=None, **given)
