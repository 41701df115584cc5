"""Figures from alerts that are stored: a month, a centre, a county."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.alerts.models import Alert, AlertKind
from services.alerts.states import AlertStatus, Severity
from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.ids import new_id
from services.reports.alarms import service
from services.reports.alarms.figures import Origin
from services.reports.alarms.models import ResponseRow
from services.terminals.models import Terminal, TerminalKind
from services.terminals.states import TerminalStatus
from tests.world import Place, World

MONTH = date(2025, 3, 1)
FIRST = datetime(2025, 2, 28, 16, tzinfo=UTC)
"""Midnight of 1 March in Shanghai."""


def terminal_of(place: Place) -> Terminal:
    return Terminal(
        serial=f"T-{new_id()}",
        kind=TerminalKind.PENDANT,
        status=TerminalStatus.BOUND,
        area_code=place.households[0].resident.area_code,
        centre_id=place.centre.id,
        resident_id=place.households[0].resident.id,
    )


def alert_of(
    terminal: Terminal,
    at: datetime,
    answered: float | None = None,
    resolution: str | None = None,
    kind: AlertKind = AlertKind.SOS,
) -> Alert:
    """Answered after so many seconds, and closed a minute after that if it has a resolution."""
    acknowledged_at = None if answered is None else at + timedelta(seconds=answered)
    ended = None if resolution is None or acknowledged_at is None else acknowledged_at + timedelta(minutes=1)
    return Alert(
        subject_id=new_id(),
        resident_id=terminal.resident_id,
        terminal_id=terminal.id,
        centre_id=terminal.centre_id,
        area_code=terminal.area_code,
        kind=kind,
        severity=Severity.LIFE_SAFETY,
        status=AlertStatus.OPEN if ended is None else AlertStatus.RESOLVED,
        last_occurrence_at=at,
        pressed_at=at,
        received_at=at,
        acknowledged_at=acknowledged_at,
        resolved_at=ended,
        resolution=resolution if ended else None,
    )


@pytest.fixture
async def busy(database: Database, fresh_world: World) -> World:
    """Here: three alarms (10 s, 100 s, never), a test, a reading's alert; next door one; one in April."""
    async with database.unit_of_work(SYSTEM) as work:
        here, there = terminal_of(fresh_world.here), terminal_of(fresh_world.neighbour)
        work.session.add_all((here, there))
        await work.session.flush()
        work.session.add_all(
            (
                alert_of(here, FIRST, 10, "true_emergency"),
                alert_of(here, FIRST + timedelta(days=1), 100, "false_sensor"),
                alert_of(here, FIRST + timedelta(days=2)),
                alert_of(here, FIRST + timedelta(days=3), 500, "test"),
                alert_of(here, FIRST + timedelta(days=4), 30, "needs_care", AlertKind.SPO2),
                alert_of(there, FIRST + timedelta(days=5), 60, "false_pressed_by_mistake"),
                alert_of(here, FIRST - timedelta(seconds=1), 1, "true_emergency"),
                alert_of(here, FIRST + timedelta(days=31), 1, "true_emergency"),
            )
        )
    return fresh_world


async def rows(world: World, role: Role) -> list[ResponseRow]:
    async with world.database.unit_of_work(await world.actor(role)) as work:
        return (await service.response_figures(work, MONTH)).rows


def line(found: list[ResponseRow], place: Place | None, origin: Origin = Origin.ALARM) -> ResponseRow:
    centre_id = None if place is None else place.centre.id
    [row] = [r for r in found if r.centre_id == centre_id and r.origin is origin and r.kind is None]
    return row


def shares(row: ResponseRow) -> dict[str, tuple[int, int]]:
    return {one.code: (one.numerator, one.denominator) for one in row.shares}


async def test_a_centre_sees_its_own_month(busy: World) -> None:
    found = await rows(busy, Role.CENTRE_MANAGER)
    assert {row.centre_id for row in found} == {busy.here.centre.id}
    alarms = line(found, busy.here)
    assert (alarms.alerts, alarms.tests, alarms.unanswered) == (3, 1, 1)
    assert shares(alarms) == {
        "answered_10s": (1, 3),
        "answered_60s": (1, 3),
        "answered_180s": (2, 3),
        "dispatched_180s": (0, 2),  # a false alarm needed nobody; an emergency and an unanswered one did
    }
    assert (alarms.answer_seconds_p50, alarms.answer_seconds_p90) == (10, 100)
    by_rules = line(found, busy.here, Origin.RULE)
    assert (by_rules.alerts, shares(by_rules)["answered_60s"]) == (1, (1, 1))


async def test_the_county_sees_every_centre_and_all_together(busy: World) -> None:
    found = await rows(busy, Role.COUNTY_OFFICER)
    assert shares(line(found, busy.neighbour))["answered_60s"] == (1, 1)
    assert shares(line(found, None))["answered_60s"] == (2, 4)
    assert line(found, None).alerts == 4
    assert busy.abroad.centre.id not in {row.centre_id for row in found}


async def test_the_table_has_a_line_a_target(busy: World) -> None:
    async with busy.database.unit_of_work(await busy.actor(Role.DISPATCHER)) as work:
        table = await service.response_csv(work, MONTH)
    head, *lines = table.splitlines()
    assert head.startswith("\ufeffmonth,centre,origin,kind")
    sixty = [one for one in lines if ",alarm,,3,1,1,answered_60s,60,0.975,1,3,0,0.3333," in one]
    assert len(sixty) == 1


async def test_false_alarms_by_kind_profile_and_terminal(busy: World) -> None:
    async with busy.database.unit_of_work(await busy.actor(Role.COUNTY_OFFICER)) as work:
        found = await service.false_alarm_figures(work, FIRST, FIRST + timedelta(days=30))
        of_profile = await service.false_alarms_of_profile(work, found.profiles[0].profile_id)
    by_kind = {one.kind: one for one in found.kinds}
    assert (by_kind[AlertKind.SOS].closed, by_kind[AlertKind.SOS].false) == (3, 2)
    assert by_kind[AlertKind.SOS].causes == {"false_pressed_by_mistake": 1, "false_sensor": 1}
    assert by_kind[AlertKind.SPO2].false == 0
    [profile] = found.profiles
    assert (profile.closed, profile.false, profile.rate) == (4, 2, 0.5)
    assert [(one.closed, one.false) for one in found.worst_terminals] == [(1, 1), (3, 1)]
    assert of_profile.closed == 0  # all of it is longer ago than the feedback looks back


async def test_a_centre_sees_its_own_terminals_only(busy: World) -> None:
    async with busy.database.unit_of_work(await busy.actor(Role.DISPATCHER)) as work:
        found = await service.false_alarm_figures(work, FIRST, FIRST + timedelta(days=30))
    assert [one.causes for one in found.profiles] == [{"false_sensor": 1}]
    assert len(found.worst_terminals) == 1
