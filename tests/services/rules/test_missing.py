"""No data is its own alarm: raised by the worker when a kind of reading has stayed away."""

import asyncio

from services.alerts.states import Severity
from services.core.actor import SYSTEM, Role
from services.rules.maintenance import start_maintenance
from services.rules.missing import judge_due_watches, plan_watches
from services.rules.views import MaintenanceStart
from tests.services.rules.rulebook import definition
from tests.services.rules.wearing import Wearer

SILENT = {
    "code": "quiet",
    "alert": "no_readings",
    "condition": {"type": "missing_data"},
    "levels": [
        {"severity": "notice", "limits": {"minutes": 60}},
        {"severity": "high", "limits": {"minutes": 240}},
    ],
    "rearm_minutes": 1_440,
}


async def look(wearer: Wearer) -> None:
    """What the worker does, as often as it would by now."""
    for job in (plan_watches, judge_due_watches):
        async with wearer.database.unit_of_work(SYSTEM) as work:
            await job(work)


async def test_silence_is_raised_once_and_graver_when_it_lasts(wearer: Wearer) -> None:
    await wearer.save(definition(**SILENT))
    await wearer.one_by_one("heart_rate", [72])
    await look(wearer)
    wearer.clock.forward(minutes=59)
    await look(wearer)
    assert await wearer.alerts() == []
    wearer.clock.forward(minutes=2)
    await look(wearer)
    await look(wearer)
    [alert] = await wearer.alerts()
    assert (alert["kind"], alert["severity"]) == ("no_readings", Severity.NOTICE)
    assert (alert["detail"]["rule"], alert["detail"]["layer"]) == ("quiet", "resident")
    wearer.clock.forward(hours=3)
    await look(wearer)
    assert [row["severity"] for row in await wearer.alerts()] == [Severity.HIGH] * 2


async def test_a_reading_begins_it_anew(wearer: Wearer) -> None:
    await wearer.save(definition(**SILENT))
    for _ in range(5):
        await wearer.one_by_one("heart_rate", [72])
        await look(wearer)
        wearer.clock.forward(minutes=40)
    assert await wearer.alerts() == []


async def test_zeros_are_no_readings(wearer: Wearer) -> None:
    await wearer.save(definition(**SILENT))
    await wearer.one_by_one("heart_rate", [72])
    await look(wearer)
    for _ in range(7):
        wearer.clock.forward(minutes=10)
        await wearer.measure("heart_rate", [0])
        await look(wearer)
    assert await wearer.raised() == ["no_readings"]


async def test_somebody_never_measured_raises_nothing(wearer: Wearer) -> None:
    await wearer.save(definition(**SILENT))
    for _ in range(5):
        wearer.clock.forward(hours=2)
        await look(wearer)
    assert await wearer.alerts() == []


async def test_outside_its_hours_it_waits(wearer: Wearer) -> None:
    """It is two in the afternoon; the rule counts from six in the evening."""
    await wearer.save(definition(**{**SILENT, "schedule": {"hours": [[18, 20]]}}))
    await wearer.one_by_one("heart_rate", [72])
    wearer.clock.forward(hours=2)
    await look(wearer)
    assert await wearer.alerts() == []
    wearer.clock.forward(hours=2, minutes=30)
    await look(wearer)
    assert await wearer.raised() == ["no_readings"]


async def test_two_workers_raise_it_once(wearer: Wearer) -> None:
    await wearer.save(definition(**SILENT))
    await wearer.one_by_one("heart_rate", [72])
    await look(wearer)
    wearer.clock.forward(minutes=61)

    async def judge() -> None:
        async with wearer.database.unit_of_work(SYSTEM) as work:
            await judge_due_watches(work)

    await asyncio.gather(*(judge() for _ in range(4)))
    [alert] = await wearer.alerts()
    assert alert["occurrences"] == 1


async def test_maintenance_keeps_it_back(wearer: Wearer) -> None:
    await wearer.save(definition(**SILENT))
    await wearer.one_by_one("heart_rate", [72])
    await look(wearer)
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.DISPATCHER)) as work:
        request = MaintenanceStart(resident_id=wearer.resident_id, hours=2, reason="住院")
        await start_maintenance(work, request)
    wearer.clock.forward(minutes=61)
    await look(wearer)
    assert await wearer.alerts() == []


async def test_a_rule_that_is_gone_watches_no_longer(wearer: Wearer) -> None:
    await wearer.save(definition(**SILENT))
    await wearer.one_by_one("heart_rate", [72])
    await look(wearer)
    await wearer.save(definition(**SILENT), is_off=True)
    wearer.clock.forward(hours=6)
    await look(wearer)
    assert await wearer.alerts() == []
