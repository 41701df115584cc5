"""What an entry is worth, and when it must be written anew: pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.core.money import round_half_up

MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate of the county."""

    profession: str
    unit_fen: int
    effective_from: date


def rate_on(rates: Iterable[Rate], profession: str, day: date) -> int | None:
    """The rate of a profession on a day: its own before the one for all, the newest that is in force."""
    fitting = [rate for rate in rates if rate.effective_from <= day and rate.profession in ("", profession)]
    if not fitting:
        return None
    return max(fitting, key=lambda rate: (rate.profession != "", rate.effective_from)).unit_fen


def visit_amount(unit_fen: int | None) -> int | None:
    """A visit counts once, however long it was."""
    return unit_fen


def on_call_amount(unit_fen: int | None, minutes: int) -> int | None:
    """So much an hour, by the minute, rounded half up to the fen once."""
    return None if unit_fen is None else round_half_up(Decimal(unit_fen * minutes) / MINUTES_PER_HOUR)


def stands(minutes: int, entries: Sequence[tuple[int, int]]) -> bool:
    """Whether the entries of one source, as (units, minutes) with reversals below zero, already say this."""
    return sum(minutes for _, minutes in entries) == minutes and sum(units for units, _ in entries) > 0
