"""From a week to another: what a template or a copied week would make, and what stands in its way. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from services.caregivers.limits import Breach, Stretch, local_day
from services.caregivers.models import ShiftKind
from services.caregivers.rota.models import TemplateShift
from services.core.clock import BUSINESS_ZONE

Why = Literal["day_taken", "overlaps", "absent", "left", "past"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A shift that somebody should have."""

    caregiver_id: UUID
    kind: ShiftKind
    span: Stretch


@dataclass(frozen=True, slots=True)
class Skipped:
    """A shift that is not made, by the day on which it would begin."""

    caregiver_id: UUID
    day: date
    reason: Why


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands already, by caregiver: shifts that count, approved absences, and when somebody leaves."""

    shifts: Mapping[UUID, Sequence[Stretch]]
    absences: Mapping[UUID, Sequence[Stretch]]
    left_at: Mapping[UUID, datetime | None]


def expand(pattern: Iterable[TemplateShift], monday: date) -> list[tuple[ShiftKind, Stretch]]:
    """The shifts of a pattern in one week, by start. The same hour twice is a whole day."""
    found = []
    for shift in pattern:
        day = monday + timedelta(days=shift.weekday - 1)
        starts_at = datetime.combine(day, time.fromisoformat(shift.starts), BUSINESS_ZONE)
        last = day if shift.ends > shift.starts else day + timedelta(days=1)
        ends_at = datetime.combine(last, time.fromisoformat(shift.ends), BUSINESS_ZONE)
        found.append((shift.kind, Stretch(starts_at, ends_at)))
    return sorted(found, key=lambda one: one[1].starts_at)


def overlaps_within(pattern: Sequence[TemplateShift]) -> bool:
    """Whether shifts of a pattern overlap, the week's end and its beginning included."""
    monday = date(2024, 1, 1)  # any Monday
    spans = [span for _, span in expand(pattern, monday)]
    spans += [span for _, span in expand(pattern, monday + timedelta(days=7))]
    return any(touches(before, after) for at, before in enumerate(spans) for after in spans[at + 1 :])


def moved(span: Stretch, days: int) -> Stretch:
    """The same hours so many days later."""
    by = timedelta(days=days)
    return Stretch(
        span.starts_at.astimezone(BUSINESS_ZONE) + by,
        span.ends_at.astimezone(BUSINESS_ZONE) + by,
    )


def touches(one: Stretch, other: Stretch) -> bool:
    """Whether two half-open stretches overlap."""
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def place(wanted: Iterable[Wanted], around: Surroundings, now: datetime) -> tuple[list[Wanted], list[Skipped]]:
    """What of the wanted can be made. A day on which somebody has a shift already is left as it is."""
    taken = {(who, local_day(span.starts_at)) for who, spans in around.shifts.items() for span in spans}
    placed: list[Wanted] = []
    skipped: list[Skipped] = []
    for one in sorted(wanted, key=lambda each: (each.caregiver_id, each.span.starts_at)):
        why = _in_the_way(one, around, taken, placed, now)
        if why is None:
            placed.append(one)
        else:
            skipped.append(Skipped(one.caregiver_id, local_day(one.span.starts_at), why))
    return placed, skipped


def _in_the_way(
    one: Wanted,
    around: Surroundings,
    taken: Collection[tuple[UUID, date]],
    placed: Sequence[Wanted],
    now: datetime,
) -> Why | None:
    who, span = one.caregiver_id, one.span
    left_at = around.left_at.get(who)
    if span.starts_at < now:
        return "past"
    if left_at is not None and left_at < span.ends_at:
        return "left"
    if (who, local_day(span.starts_at)) in taken:
        return "day_taken"
    others = [*around.shifts.get(who, ()), *(each.span for each in placed if each.caregiver_id == who)]
    if any(touches(span, other) for other in others):
        return "overlaps"
    if any(touches(span, away) for away in around.absences.get(who, ())):
        return "absent"
    return None


def removed(before: Stretch, after: Stretch | None) -> list[Stretch]:
    """What of a stretch is no longer there once it has become another, or nothing."""
    if after is None or not touches(before, after):
        return [before]
    found = []
    if before.starts_at < after.starts_at:
        found.append(Stretch(before.starts_at, after.starts_at))
    if after.ends_at < before.ends_at:
        found.append(Stretch(after.ends_at, before.ends_at))
    return found


def worsened(before: Sequence[Breach], after: Sequence[Breach]) -> list[Breach]:
    """Breaches that a change brings, or makes worse: what was so before is nobody's fault now."""
    known = {(one.rule, one.day): one.minutes for one in before}

    def is_worse(one: Breach) -> bool:
        was = known.get((one.rule, one.day))
        if was is None:
            return True
        return one.minutes < was if one.rule == "least_rest" else one.minutes > was

    return [one for one in after if is_worse(one)]
