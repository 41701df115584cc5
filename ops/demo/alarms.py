"""Two months of past alerts with their outcome, test calls, and a duty rota: what the desk's figures show."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from ops.demo.areas import SHOWCASE_TOWN, Town
from ops.demo.county import County
from ops.demo.ids import Seed
from services.alerts.models import Alert, AlertKind, AlertOccurrence
from services.alerts.resolutions import Classification, Resolution
from services.alerts.severity import severity_of
from services.alerts.states import ALERT, AlertStatus
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.transitions import StatusChange
from services.duty.models import DutyRota, Pattern, ShiftPattern
from services.identity.models import Account
from services.terminals.models import HowTested, Terminal, TerminalKind, TerminalTest
from services.terminals.states import TerminalStatus

PAST_DAYS = 60
_PER_TOWN = 9
_NEVER_TESTED = 7
"""Every so manieth terminal has not been tested lately, so that the list of missing test calls is not empty."""

_KINDS = {
    TerminalKind.PENDANT: (AlertKind.SOS,),
    TerminalKind.WRISTBAND: (AlertKind.SOS, AlertKind.FALL, AlertKind.HEART_RATE),
    TerminalKind.BEDSIDE_MONITOR: (AlertKind.SPO2, AlertKind.HEART_RATE),
    TerminalKind.SMOKE_DETECTOR: (AlertKind.SMOKE,),
    TerminalKind.GAS_DETECTOR: (AlertKind.GAS,),
    TerminalKind.HELP_CORD: (AlertKind.HELP_CORD,),
    TerminalKind.BLOOD_PRESSURE_METER: (AlertKind.BLOOD_PRESSURE,),
    TerminalKind.GLUCOMETER: (AlertKind.GLUCOSE,),
}
_ENDS = {
    Resolution.NEEDS_CARE: 34,
    Resolution.FALSE_PRESSED_BY_MISTAKE: 20,
    Resolution.TEST: 16,
    Resolution.TRUE_EMERGENCY: 14,
    Resolution.FALSE_WORN_WRONG: 8,
    Resolution.FALSE_SENSOR: 8,
}
_CLASSES = {
    Resolution.TRUE_EMERGENCY: Classification.EMERGENCY,
    Resolution.NEEDS_CARE: Classification.NEEDS_CARE,
    Resolution.TEST: Classification.TEST,
}
_CHECKED = {"spoke_with_resident": "yes", "condition": "well", "contacts_told": "yes", "terminal_ready": "yes"}


@dataclass(slots=True)
class Alarms:
    """The rows, by table."""

    alerts: list[Alert] = field(default_factory=list)
    occurrences: list[AlertOccurrence] = field(default_factory=list)
    tests: list[TerminalTest] = field(default_factory=list)
    rotas: list[DutyRota] = field(default_factory=list)
    changes: list[StatusChange] = field(default_factory=list)


def alarms(county: County, now: datetime) -> Alarms:
    """Past alerts of every town, oldest first; nothing of them is still open."""
    rows = Alarms()
    accounts = {account.login: account for account in county.staff.accounts}
    for town in county.towns:
        desk = _desk(county, town)
        dice = county.seed.dice("alerts", town.code)
        worn = [t for t in county.devices.terminals if t.centre_id == town.centre_id and t.resident_id]
        moments = sorted(now - timedelta(minutes=dice.randint(600, PAST_DAYS * 1_440)) for _ in range(_PER_TOWN))
        for number, at in enumerate(moments):
            _past(rows, county.seed, dice.choice(worn), at, desk, dice, number)
        if town.code == SHOWCASE_TOWN:
            both = accounts["dispatcher-guoyuan"], accounts["dispatcher-guoyuan-2"]
            rows.rotas.append(_rota(county.seed, town, both, now))
    for number, terminal in enumerate(_in_service(county)):
        if number % _NEVER_TESTED:
            rows.tests.append(_test(county.seed, terminal, now))
    return rows


def _desk(county: County, town: Town) -> Account:
    return next(
        account
        for account in county.staff.accounts
        if account.role is Role.DISPATCHER and account.centre_id == town.centre_id
    )


def _in_service(county: County) -> Iterator[Terminal]:
    return (t for t in county.devices.terminals if t.status is TerminalStatus.BOUND)


def _past(
    rows: Alarms, seed: Seed, terminal: Terminal, at: datetime, desk: Account, dice: Random, number: int
) -> None:
    """One alert from press to resolution, answered fast or, now and then, late."""
    assert terminal.resident_id is not None  # noqa: S101  chosen among those that are worn
    kind = dice.choice(_KINDS[terminal.kind])
    ended = dice.choices(list(_ENDS), list(_ENDS.values()))[0]
    came = ended in (Resolution.TRUE_EMERGENCY, Resolution.NEEDS_CARE)
    answered = at + timedelta(seconds=dice.choices((dice.randint(3, 25), dice.randint(70, 170)), (95, 5))[0])
    judged = answered + timedelta(seconds=dice.randint(20, 90))
    left = judged + timedelta(seconds=dice.randint(10, 120)) if came else None
    arrived = left + timedelta(minutes=dice.randint(6, 28)) if left else None
    closed = (arrived or judged) + timedelta(minutes=dice.randint(4, 40))
    alert = Alert(
        id=seed.key("alert", desk.area_code, number, at=at),
        subject_id=terminal.resident_id,
        resident_id=terminal.resident_id,
        terminal_id=terminal.id,
        centre_id=terminal.centre_id,
        area_code=terminal.area_code,
        kind=kind,
        severity=int(severity_of(kind)),
        status=AlertStatus.RESOLVED,
        last_occurrence_at=at,
        pressed_at=at - timedelta(milliseconds=dice.randint(80, 900)),
        received_at=at,
        acknowledged_at=answered,
        classified_at=judged,
        responding_at=left,
        on_scene_at=arrived,
        resolved_at=closed,
        classification=_CLASSES.get(ended, Classification.FALSE_ALARM),
        responder_account_id=desk.id,
        resolution=ended.value,
        checklist=_CHECKED,
        version=5 if came else 3,
    )
    rows.alerts.append(alert)
    rows.occurrences.append(_occurrence(seed, alert, number))
    steps = [
        (AlertStatus.OPEN, at),
        (AlertStatus.ACKNOWLEDGED, answered),
        (AlertStatus.RESPONDING, left),
        (AlertStatus.ON_SCENE, arrived),
        (AlertStatus.RESOLVED, closed),
    ]
    _history(rows, seed, alert, [(status, when) for status, when in steps if when is not None], desk)


def _occurrence(seed: Seed, alert: Alert, number: int) -> AlertOccurrence:
    assert alert.terminal_id is not None  # noqa: S101  every alert here comes from a terminal
    return AlertOccurrence(
        id=seed.key("occurrence", alert.id, at=alert.received_at),
        alert_id=alert.id,
        terminal_id=alert.terminal_id,
        alarm_id=f"demo-{number}-{alert.received_at:%Y%m%d%H%M%S}",
        area_code=alert.area_code,
        pressed_at=alert.pressed_at,
        received_at=alert.received_at,
    )


def _history(
    rows: Alarms, seed: Seed, alert: Alert, steps: list[tuple[AlertStatus, datetime]], desk: Account
) -> None:
    before: AlertStatus | None = None
    for status, at in steps:
        rows.changes.append(
            StatusChange(
                id=seed.key("change", alert.id, status, at=at),
                entity=ALERT.entity,
                entity_id=alert.id,
                area_code=alert.area_code,
                from_status=before,
                to_status=status,
                reason=alert.resolution if status is AlertStatus.RESOLVED else None,
                account_id=None if before is None else desk.id,
                role=Role.SYSTEM if before is None else desk.role,
                at=at,
            )
        )
        before = status


def _test(seed: Seed, terminal: Terminal, now: datetime) -> TerminalTest:
    """The last test call of a terminal, less than a month ago."""
    days = seed.dice("test call", terminal.serial).randint(1, 24)
    at = now - timedelta(days=days, hours=3)
    return TerminalTest(
        id=seed.key("test call", terminal.serial, at=at),
        terminal_id=terminal.id,
        area_code=terminal.area_code,
        at=at,
        how=HowTested.PRESS,
    )


def _rota(seed: Seed, town: Town, dispatchers: tuple[Account, Account], now: datetime) -> DutyRota:
    """Day and night of one centre, changing over every week, so that a swap and a race can be tried.

    Every other centre keeps no rota, so that all its people count as on duty.
    """
    first, second = ([account.id] for account in dispatchers)
    week = list(range(1, 8))
    pattern = Pattern(
        shifts=[
            ShiftPattern(name="白班", weekdays=week, starts="08:00", ends="20:00", turns=[first, second]),
            ShiftPattern(name="夜班", weekdays=week, starts="20:00", ends="08:00", turns=[second, first]),
        ]
    )
    return DutyRota(
        id=seed.key("rota", town.code),
        centre_id=town.centre_id,
        area_code=town.code,
        role=Role.DISPATCHER,
        name="调度值班",
        pattern=pattern.model_dump(mode="json"),
        valid_from=(now.astimezone(BUSINESS_ZONE) - timedelta(days=28)).date(),
        created_at=now,
    )
