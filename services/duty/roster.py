"""Who stands in a rota when: patterns, rotation, replacements, gaps. Pure.

Days and hours are those of the business calendar (``Asia/Shanghai``); the spans are moments in UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from services.core.clock import BUSINESS_ZONE
from services.duty.models import ShiftPattern

_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Rota:
    """One rota as the rules need it. ``valid_to`` is its last day; a night shift that begins on it runs out."""

    id: UUID
    shifts: tuple[ShiftPattern, ...]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Replacement:
    """Somebody instead of somebody, in one rota, for a while."""

    rota_id: UUID
    absent: UUID | None
    present: UUID | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """One person on duty without a break, as one shift or replacement has it."""

    account_id: UUID
    starts_at: datetime
    ends_at: datetime


def is_in_force(rota: Rota, at: datetime) -> bool:
    """Whether a rota speaks about a moment."""
    starts_at, ends_at = force_of(rota, datetime.max.replace(tzinfo=UTC))
    return starts_at <= at < ends_at


def force_of(rota: Rota, at_most: datetime) -> tuple[datetime, datetime]:
    """From its first midnight to the end of its last day, or of that day's last shift; ``at_most`` without one."""
    starts_at = _midnight(rota.valid_from)
    if rota.valid_to is None:
        return starts_at, at_most
    last_shifts = [times[1] for times in _shift_times(rota, rota.valid_to, rota.valid_to)]
    return starts_at, max([_midnight(rota.valid_to + _DAY), *last_shifts])


def spans(rota: Rota, begin: datetime, end: datetime) -> list[Span]:
    """Everybody's shifts that touch ``[begin, end)``, whole, as the pattern alone has them."""
    first = begin.astimezone(BUSINESS_ZONE).date() - _DAY  # a shift may have begun the evening before
    last = end.astimezone(BUSINESS_ZONE).date()
    found = []
    for starts_at, ends_at, people in _shift_times(rota, first, last):
        if starts_at < end and ends_at > begin:
            found += [Span(person, starts_at, ends_at) for person in people]
    return found


def with_replacements(rota_id: UUID, planned: Iterable[Span], replacements: Iterable[Replacement]) -> list[Span]:
    """The spans after replacements, each applied to what the earlier ones left, in the order given.

    Whoever is replaced drops out for that time, and only for what he really had; the other comes in for exactly
    that. A replacement of nobody is there besides for its whole time; one by nobody leaves a gap.
    """
    current = list(planned)
    for each in replacements:
        if each.rota_id != rota_id:
            continue
        if each.absent is None:
            if each.present is not None:
                current.append(Span(each.present, each.starts_at, each.ends_at))
            continue
        kept = []
        for span in current:
            cut_from, cut_to = max(span.starts_at, each.starts_at), min(span.ends_at, each.ends_at)
            if span.account_id != each.absent or cut_from >= cut_to:
                kept.append(span)
                continue
            kept += [
                Span(span.account_id, start, stop)
                for start, stop in ((span.starts_at, cut_from), (cut_to, span.ends_at))
                if start < stop
            ]
            if each.present is not None:
                kept.append(Span(each.present, cut_from, cut_to))
        current = kept
    return current


def on_duty_at(all_spans: Iterable[Span], at: datetime) -> dict[UUID, datetime]:
    """Who is on duty at a moment, and until when without a break."""
    spans_by_start = sorted(all_spans, key=lambda span: span.starts_at)
    found: dict[UUID, datetime] = {}
    for span in spans_by_start:
        if span.starts_at <= at < span.ends_at:
            found[span.account_id] = max(found.get(span.account_id, span.ends_at), span.ends_at)
    for span in spans_by_start:
        until = found.get(span.account_id)
        if until is not None and span.starts_at <= until < span.ends_at:
            found[span.account_id] = span.ends_at
    return found


def next_change(all_spans: Sequence[Span], at: datetime) -> datetime | None:
    """The next moment after this one at which somebody else is on duty, or nobody."""
    now = set(on_duty_at(all_spans, at))
    moments = sorted({m for span in all_spans for m in (span.starts_at, span.ends_at) if m > at})
    return next((moment for moment in moments if set(on_duty_at(all_spans, moment)) != now), None)


def gaps(all_spans: Iterable[Span], begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Times within ``[begin, end)`` with nobody on duty, in order."""
    found = []
    covered = begin
    for span in sorted(all_spans, key=lambda span: span.starts_at):
        if span.starts_at > covered:
            found.append((covered, min(span.starts_at, end)))
        covered = max(covered, span.ends_at)
        if covered >= end:
            return found
    found.append((covered, end))
    return found


def has_throughout(all_spans: Iterable[Span], account_id: UUID, begin: datetime, end: datetime) -> bool:
    """Whether somebody is on duty for the whole of a stretch."""
    return not gaps([span for span in all_spans if span.account_id == account_id], begin, end)


def has_at_all(all_spans: Iterable[Span], account_id: UUID, begin: datetime, end: datetime) -> bool:
    """Whether somebody is on duty in any part of a stretch."""
    return any(s.account_id == account_id and s.starts_at < end and s.ends_at > begin for s in all_spans)


def _shift_times(rota: Rota, first: date, last: date) -> list[tuple[datetime, datetime, list[UUID]]]:
    """Every shift that begins on one of these days, within the rota's own days."""
    first = max(first, rota.valid_from)
    last = last if rota.valid_to is None else min(last, rota.valid_to)
    found = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        for shift in rota.shifts:
            if day.isoweekday() in shift.weekdays:
                turn = shift.turns[_week_of(rota.valid_from, day) % len(shift.turns)]
                found.append((*_times(shift, day), list(dict.fromkeys(turn))))
    return found


def _week_of(valid_from: date, day: date) -> int:
    """Which week of the rota a day lies in; weeks begin on Monday."""
    monday = valid_from - timedelta(days=valid_from.weekday())
    return (day - monday) // _WEEK


def _times(shift: ShiftPattern, day: date) -> tuple[datetime, datetime]:
    ends_on = day if shift.ends > shift.starts else day + _DAY
    return _moment(day, shift.starts), _moment(ends_on, shift.ends)


def _moment(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), BUSINESS_ZONE).astimezone(UTC)


def _midnight(day: date) -> datetime:
    return _moment(day, "00:00")
