"""A day of vital signs for the first resident of each town, ending when the demo is loaded. All invented."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, pi

from ops.demo.county import County
from ops.demo.ids import Seed
from services.core.clock import BUSINESS_ZONE
from services.residents.models import Resident
from services.terminals.models import Terminal, TerminalKind, TerminalState
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.models import Reading

_STEP = timedelta(minutes=10)
_STEPS_A_DAY = 144
_FIRMWARE = "demo-1.0"


@dataclass(frozen=True, slots=True)
class Curve:
    """A value over the day: lowest at four in the morning, with noise; ``gap`` is the share of lost contact."""

    kind: ReadingKind
    mean: float
    swing: float
    noise: float
    digits: int = 0
    gap: float = 0.0


def curves(terminal: TerminalKind, resident: Resident) -> tuple[Curve, ...]:
    """What a terminal of this kind measures on this person."""
    hypertension = "高血压" in resident.conditions
    lungs = "慢性阻塞性肺疾病" in resident.conditions
    heart = Curve(ReadingKind.HEART_RATE, 71, 6, 3, gap=0.02)
    saturation = Curve(ReadingKind.SPO2, 94 if lungs else 96.5, 0.4, 0.6, gap=0.02)
    return {
        TerminalKind.BEDSIDE_MONITOR: (
            heart,
            saturation,
            Curve(ReadingKind.RESPIRATORY_RATE, 16, 1, 1),
            Curve(ReadingKind.TEMPERATURE, 36.5, 0.2, 0.1, digits=1),
        ),
        TerminalKind.WRISTBAND: (
            heart,
            Curve(ReadingKind.SYSTOLIC_BP, 138 if hypertension else 124, 6, 3),
            Curve(ReadingKind.DIASTOLIC_BP, 82 if hypertension else 74, 4, 2),
        ),
    }.get(terminal, ())


def day_of_readings(county: County, now: datetime) -> Iterator[Reading]:
    """Every reading of the last day, oldest first by terminal and kind."""
    residents = {resident.id: resident for resident in county.people.residents[: len(county.towns)]}
    for terminal in county.devices.terminals:
        resident = residents.get(terminal.resident_id) if terminal.resident_id else None
        if resident is None:
            continue
        for curve in curves(terminal.kind, resident):
            yield from _follow(county.seed, terminal, curve, now)


def last_words(county: County, now: datetime) -> list[TerminalState]:
    """The same terminals, switched off when the demo was loaded: nothing is online before it really is."""
    firsts = {resident.id for resident in county.people.residents[: len(county.towns)]}
    return [
        TerminalState(
            terminal_id=terminal.id,
            area_code=terminal.area_code,
            is_online=False,
            seen_at=now - _STEP,
            battery_percent=86,
            signal_dbm=-67,
            firmware=_FIRMWARE,
        )
        for terminal in county.devices.terminals
        if terminal.resident_id in firsts
    ]


def _follow(seed: Seed, terminal: Terminal, curve: Curve, now: datetime) -> Iterator[Reading]:
    dice = seed.dice("reading", terminal.serial, curve.kind)
    for back in range(_STEPS_A_DAY, 0, -1):
        at = now - back * _STEP
        hour = at.astimezone(BUSINESS_ZONE).hour
        value = curve.mean - curve.swing * cos((hour - 16) / 24 * 2 * pi + pi) + dice.gauss(0, curve.noise)
        if curve.kind is ReadingKind.SPO2:
            value = min(99.0, value)
        lost = dice.random() < curve.gap
        yield Reading(
            terminal_id=terminal.id,
            kind=curve.kind,
            measured_at=at,
            value=0.0 if lost else round(value, curve.digits),
            quality=Quality.NO_DATA if lost else Quality.GOOD,
            seq=int(at.timestamp() * 1000),
            resident_id=terminal.resident_id,
            area_code=terminal.area_code,
            received_at=at + timedelta(seconds=1),
        )
