"""Readings as ingest takes them: what is stored, what is raised, by whom and how often."""

import asyncio
from datetime import timedelta

import pytest

from services.alerts.states import Severity
from services.core.actor import SYSTEM
from services.rules.service import Judge, judge_breaches, take_readings
from services.vitals.service import store_readings
from tests.services.rules.rulebook import definition
from tests.services.rules.wearing import Wearer

LIVING = [150.0 + i % 3 for i in range(60)]


async def test_a_fast_heart_that_persists_is_one_alert_with_what_to_do(wearer: Wearer) -> None:
    await wearer.one_by_one("heart_rate", [80, 150, 80, 152, 151, 150, 149])
    [alert] = await wearer.alerts()
    assert (alert["kind"], alert["severity"], alert["occurrences"]) == ("heart_rate", Severity.HIGH, 1)
    detail = alert["detail"]
    assert detail["protocol"] == ["confirm", "call", "dispatch"]
    assert (detail["rule"], detail["layer"], detail["side"]) == ("heart_rate_limits", "default", "high")
    assert "NEWS2" in detail["source"]
    assert "150" not in str(detail), "an event of the alert must not carry the reading"
    assert await wearer.stored() == 7


async def test_zeros_and_absurd_values_raise_nothing(wearer: Wearer) -> None:
    await wearer.one_by_one("heart_rate", [0, 0, 0, 0, 900, 900, 900])
    assert await wearer.alerts() == []
    assert await wearer.stored() == 7


async def test_an_episode_within_one_batch_is_found_wherever_it_lies(wearer: Wearer) -> None:
    """A terminal that was offline sends hours at once; the newest breach in it is a lone spike."""
    values = [80.0 + i % 3 for i in range(120)]
    values[20:40] = LIVING[:20]
    values[110] = 150
    await wearer.measure("heart_rate", values)
    [alert] = await wearer.alerts()
    assert alert["pressed_at"] == wearer.clock.now() - timedelta(minutes=119 - 22)


async def test_readings_that_arrive_in_the_wrong_order_are_judged_in_the_right_one(wearer: Wearer) -> None:
    now = wearer.clock.now()
    await wearer.measure("heart_rate", [150], until=now)
    await wearer.measure("heart_rate", [152], until=now - timedelta(minutes=2))
    assert await wearer.raised() == []
    await wearer.measure("heart_rate", [151], until=now - timedelta(minutes=1))
    assert await wearer.raised() == ["heart_rate"]


async def test_a_restart_changes_nothing(wearer: Wearer) -> None:
    for value in (150, 151, 152, 151, 150, 151):
        wearer.judge = Judge()
        await wearer.one_by_one("heart_rate", [value])
    assert await wearer.raised() == ["heart_rate"]


async def test_the_same_batch_twice_is_one_alarm(wearer: Wearer) -> None:
    rows, breaches = wearer.rows("heart_rate", [150, 151, 152])
    for _ in range(2):
        async with wearer.database.unit_of_work(SYSTEM) as work:
            await take_readings(work, rows, breaches)
    [alert] = await wearer.alerts()
    assert alert["occurrences"] == 1


async def test_two_ingest_units_at_once_raise_one_alert_and_never_none(wearer: Wearer) -> None:
    """Each has stored a part of the episode and none sees the others': alone none of them would raise it."""
    now = wearer.clock.now()
    parts = [wearer.rows("heart_rate", [150 + i], until=now + timedelta(minutes=i)) for i in range(3)]
    stored = asyncio.Barrier(3)

    async def take(place: int) -> None:
        rows, breaches = parts[place]
        async with wearer.database.unit_of_work(SYSTEM) as work:
            await store_readings(work, rows)
            await stored.wait()
            await judge_breaches(work, breaches)

    await asyncio.gather(*(take(place) for place in range(3)))
    [alert] = await wearer.alerts()
    assert alert["occurrences"] == 1


@pytest.mark.parametrize(("between", "occurrences"), [((128, 129), 1), ((100, 99), 2)])
async def test_hysteresis_on_stored_readings(
    wearer: Wearer, between: tuple[float, float], occurrences: int
) -> None:
    await wearer.one_by_one("heart_rate", [150, 151, 152, *between, 150, 152, 151])
    assert len(await wearer.alerts()) == occurrences


async def test_an_alarm_again_after_the_rearm_time(wearer: Wearer) -> None:
    await wearer.one_by_one("heart_rate", LIVING[:32])
    assert len(await wearer.alerts()) == 1
    await wearer.one_by_one("heart_rate", LIVING[32:34])
    [first, second] = await wearer.alerts()
    assert second["pressed_at"] - first["pressed_at"] == timedelta(minutes=30)


async def test_severity_rises_with_a_graver_level(wearer: Wearer) -> None:
    levels = [
        {"severity": "warning", "limits": {"high": 110}},
        {"severity": "high", "limits": {"high": 131}},
    ]
    await wearer.save(definition(levels=levels))
    await wearer.one_by_one("heart_rate", [115, 116, 115])
    assert [row["severity"] for row in await wearer.alerts()] == [Severity.WARNING]
    await wearer.one_by_one("heart_rate", [140, 141, 142, 115, 116, 115])
    assert [row["severity"] for row in await wearer.alerts()] == [Severity.HIGH, Severity.HIGH]
    assert [row["detail"]["severity"] for row in await wearer.alerts()] == [2, 3]


async def test_a_partial_score_says_what_is_missing_and_that_it_is_a_lower_bound(wearer: Wearer) -> None:
    for heart, spo2, breath in ((112, 92, 23), (113, 93, 22), (114, 92, 23)):
        wearer.clock.forward(minutes=5)
        await wearer.measure("heart_rate", [heart])
        await wearer.measure("spo2", [spo2])
        await wearer.measure("respiratory_rate", [breath])
    [alert] = await wearer.alerts()
    assert (alert["kind"], alert["severity"]) == ("early_warning", Severity.WARNING)
    detail = alert["detail"]
    assert detail["complete"] is False
    assert detail["lower_bound"] >= 5
    assert {"consciousness", "air_or_oxygen", "systolic_bp", "temperature"} <= set(detail["missing"])
    assert set(detail["parts"]) <= {"heart_rate", "spo2", "respiratory_rate"}


async def test_spo2_scale_2_only_where_a_clinician_set_it(wearer: Wearer) -> None:
    async def breathe_hard() -> None:
        for heart, spo2, breath in ((112, 88, 16), (113, 89, 16), (114, 88, 16)):
            wearer.clock.forward(minutes=5)
            await wearer.measure("heart_rate", [heart])
            await wearer.measure("spo2", [spo2])
            await wearer.measure("respiratory_rate", [breath])

    await wearer.own("spo2_low", 84)
    await wearer.own("spo2_scale_2", 1)
    await breathe_hard()
    assert await wearer.raised() == [], "88 to 92 is her target: 2 for the heart is all there is"
    await wearer.own("spo2_scale_2", 0)
    wearer.clock.forward(hours=2)
    await breathe_hard()
    assert await wearer.raised() == ["early_warning"]


async def test_a_resident_s_own_limit_is_used_and_withdrawn(wearer: Wearer) -> None:
    await wearer.own("heart_rate_high", 100)
    await wearer.one_by_one("heart_rate", [105, 106, 105])
    assert await wearer.raised() == ["heart_rate"]
    await wearer.own("heart_rate_high", None)
    wearer.clock.forward(hours=3)
    await wearer.one_by_one("heart_rate", [105, 106, 105])
    assert await wearer.raised() == ["heart_rate"]


async def test_a_rule_that_is_switched_off_raises_nothing(wearer: Wearer) -> None:
    await wearer.save(definition(), is_off=True)
    await wearer.one_by_one("heart_rate", [150, 151, 152])
    assert await wearer.raised() == []


async def test_an_ordinary_reading_asks_the_database_nothing(wearer: Wearer) -> None:
    for kind, value in (("heart_rate", 72), ("spo2", 97), ("glucose", 5.6), ("temperature", 36.6), ("steps", 4)):
        assert wearer.rows(kind, [value])[1] == []
