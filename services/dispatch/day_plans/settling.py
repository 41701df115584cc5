"""Which parts of a plan still hold, together, against the day as it is now. Pure.

A part that no longer holds is left out, and with it whatever leaned on it: the caregiver keeps the visit that she
was to give away, and what should have taken its time is looked at again, until nothing more falls out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.dispatch.facts import Candidate, Day, Job, Need, Span
from services.dispatch.loading import Ties
from services.dispatch.matching import issues_at
from services.dispatch.suggesting import places_of
from services.dispatch.travel import known_ways


@dataclass(frozen=True, slots=True)
class Step:
    """One place: whoever has it now gives it back, and somebody else gets it; either may be nobody."""

    from_caregiver_id: UUID | None
    from_starts_at: datetime | None
    caregiver_id: UUID | None
    starts_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderSteps:
    """What is to be done with one order, all or nothing: a team comes together."""

    order_id: UUID
    resident_id: UUID
    need: Need
    steps: tuple[Step, ...]
    overrides: frozenset[str] = frozenset()


def settle(
    parts: Iterable[OrderSteps], crew: Mapping[UUID, Candidate], ties: Ties, day: Day
) -> tuple[list[OrderSteps], dict[UUID, str]]:
    """The parts that hold, and the first reason against each of the others."""
    holding = list(parts)
    out: dict[UUID, str] = {}
    while True:
        jobs = _jobs_after(holding, crew)
        fallen = {
            part.order_id: reason
            for part in holding
            if (reason := _against(part, crew, jobs, ties, day)) is not None
        }
        if not fallen:
            return holding, out
        out |= fallen
        holding = [part for part in holding if part.order_id not in fallen]


def _jobs_after(parts: Sequence[OrderSteps], crew: Mapping[UUID, Candidate]) -> Mapping[UUID, list[Job]]:
    """Everybody's visits once the parts are carried out."""
    given_back = {(part.order_id, step.from_caregiver_id) for part in parts for step in part.steps}
    jobs: dict[UUID, list[Job]] = defaultdict(list)
    for who in crew.values():
        jobs[who.id] = [job for job in who.jobs if (job.order_id, who.id) not in given_back]
    for part in parts:
        for step in part.steps:
            if step.caregiver_id is not None and step.starts_at is not None:
                span = Span(step.starts_at, step.starts_at + part.need.duration)
                jobs[step.caregiver_id].append(Job(span, part.need.place, part.order_id))
    return {caregiver_id: sorted(theirs) for caregiver_id, theirs in jobs.items()}


def _against(
    part: OrderSteps,
    crew: Mapping[UUID, Candidate],
    jobs: Mapping[UUID, Sequence[Job]],
    ties: Ties,
    day: Day,
) -> str | None:
    for step in part.steps:
        if step.caregiver_id is None or step.starts_at is None:
            if _can_still_come(part, step, crew, ties):
                return "caregiver_back"
            continue
        who = crew.get(step.caregiver_id)
        if who is None:
            return "caregiver_gone"
        seen = _as_seen(part, who, jobs[who.id], ties, day)
        reasons = _issues(part.need, seen, step.starts_at)
        if reasons:
            return reasons[0]
    return None


def _can_still_come(part: OrderSteps, step: Step, crew: Mapping[UUID, Candidate], ties: Ties) -> bool:
    """No plan takes away an appointment that can be kept."""
    if step.from_caregiver_id is None or step.from_starts_at is None:
        return False
    who = crew.get(step.from_caregiver_id)
    if who is None:
        return False
    seen = _known(part, who, ties)
    own = tuple(job for job in who.jobs if job.order_id != part.order_id)
    against = _issues(part.need, replace(seen, jobs=own), step.from_starts_at)
    return (
        not set(against) - {"outside_window", "in_the_past", "over_day_limit", "over_week_limit"} - part.overrides
    )


def _issues(need: Need, who: Candidate, starts_at: datetime) -> list[str]:
    """What speaks against her; ways from memory, because rows are locked."""
    ways = known_ways(need.place, places_of([who]))
    return [reason.code for reason in issues_at(need, who, starts_at, ways)]


def _as_seen(part: OrderSteps, who: Candidate, after: Sequence[Job], ties: Ties, day: Day) -> Candidate:
    """A caregiver with what she has once the plan stands, this order apart."""
    others = tuple(job for job in after if job.order_id != part.order_id)
    weeks = dict(who.week_minutes or {})
    weeks[day.monday] = weeks.get(day.monday, 0) + _minutes(others) - _minutes(who.jobs)
    return replace(_known(part, who, ties), jobs=others, week_minutes=weeks)


def _known(part: OrderSteps, who: Candidate, ties: Ties) -> Candidate:
    return replace(who, blocked=who.id in ties.blocked.get(part.resident_id, frozenset()))


def _minutes(jobs: Iterable[Job]) -> int:
    return round(sum((job.span.ends_at - job.span.starts_at).total_seconds() for job in jobs) / 60)
