"""From a plan in plain numbers back to people and times: what changes, what is left out and why, figures. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from services.core.geo import Point
from services.dispatch.day_plans.building import Built, real_start
from services.dispatch.day_plans.facts import DayFacts, PlanOrder, Running
from services.dispatch.day_plans.fitness import why_nobody
from services.dispatch.day_plans.states import ItemChange
from services.dispatch.day_plans.views import CaregiverLoad, Figures, PlanSummary
from services.dispatch.facts import Job, Span
from services.dispatch.travel import Ways
from services.planning.problem import Plan


@dataclass(slots=True)
class Outcome:
    """One place at one order: who has it now, who would have it, and when."""

    order: PlanOrder
    place_no: int
    running: Running | None
    change: ItemChange
    caregiver_id: UUID | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    travel_seconds: int = 0
    reasons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_pinned(self) -> bool:
        """Whether no plan may move it."""
        return self.running is not None and self.running.fixed is not None


@dataclass(frozen=True, slots=True)
class _Stop:
    span: Span
    place: Point


def read_plan(
    facts: DayFacts, built: Built, plan: Plan, ways: Ways, rules_version: str
) -> tuple[list[Outcome], PlanSummary]:
    """What the plan says, place by place, and its figures before and after."""
    found = {one.visit: one for one in plan.assignments}
    outcomes: list[Outcome] = []
    for order in facts.orders:
        mates = [run.starts_at for run in order.running if run.fixed is not None]
        for place_no, run in order.places:
            if run is not None and run.fixed is not None:
                outcomes.append(_kept(order, place_no, run))
                continue
            given = found.get(f"{order.id}/{place_no}")
            if given is None:
                change = ItemChange.UNASSIGNED if run is None else ItemChange.DROPPED
                outcomes.append(Outcome(order, place_no, run, change))
                continue
            start = facts.day.starts_at + timedelta(seconds=given.starts_at)
            outcomes.append(_given(order, place_no, run, UUID(given.caregiver), start, mates, built))
    _untangle(outcomes)
    _ways(facts, outcomes, ways)
    _reasons(facts, outcomes, ways)
    return outcomes, _summary(facts, outcomes, ways, rules_version)


def _kept(order: PlanOrder, place_no: int, run: Running) -> Outcome:
    outcome = Outcome(order, place_no, run, ItemChange.KEPT, run.caregiver_id, run.starts_at, run.booked_until)
    if run.is_out:
        outcome.reasons = [
            {
                "code": "pinned_but_out",
                "zh": "已固定，但该护理员届时不能前往；取消固定后才能改派",
                "en": "Pinned, but the caregiver cannot come then: take the pin off to plan it again",
                "caregivers": 1,
            }
        ]
    return outcome


def _given(
    order: PlanOrder,
    place_no: int,
    run: Running | None,
    caregiver_id: UUID,
    start: datetime,
    mates: Sequence[datetime],
    built: Built,
) -> Outcome:
    grid = timedelta(seconds=built.grid)
    if (
        run is not None
        and run.caregiver_id == caregiver_id
        and not run.is_out
        and start <= run.starts_at < start + grid
    ):
        return _kept(order, place_no, run)
    begins = real_start(order, start, mates)
    if run is None:
        change = ItemChange.ADDED
    elif run.caregiver_id != caregiver_id:
        change = ItemChange.MOVED
        if not mates and start <= run.starts_at < start + grid and _fits(order, run.starts_at):
            begins = run.starts_at  # somebody else comes, at the hour that the resident was told
    else:
        change = ItemChange.RETIMED
    return Outcome(order, place_no, run, change, caregiver_id, begins, begins + order.duration)


def _fits(order: PlanOrder, start: datetime) -> bool:
    return any(span.starts_at <= start and start + order.duration <= span.ends_at for span in order.allowed)


def _untangle(outcomes: Sequence[Outcome]) -> None:
    """A team starts together to the second: whoever keeps an hour between two steps of the grid sets it."""
    teams: dict[UUID, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        if one.order.required > 1 and one.starts_at is not None:
            teams[one.order.id].append(one)
    for team in teams.values():
        told = [one.starts_at for one in team if one.change is ItemChange.KEPT]
        for one in team:
            if told and told[0] is not None and one.change is not ItemChange.KEPT:
                one.starts_at, one.ends_at = told[0], told[0] + one.order.duration


def _ways(facts: DayFacts, outcomes: Sequence[Outcome], ways: Ways) -> None:
    by_caregiver: dict[UUID, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        if one.caregiver_id is not None:
            by_caregiver[one.caregiver_id].append(one)
    for who in facts.people:
        stops = [(_Stop(job.span, job.place), None) for job in who.jobs]
        day = sorted([*stops, *((_stop(one), one) for one in by_caregiver[who.id])], key=lambda pair: pair[0].span)
        here = who.home
        for stop, outcome in day:
            if outcome is not None:
                outcome.travel_seconds = ways.seconds(who.mode, here, stop.place)
            here = stop.place


def _stop(one: Outcome) -> _Stop:
    if one.starts_at is None or one.ends_at is None:
        raise ValueError("nobody goes there")
    return _Stop(Span(one.starts_at, one.ends_at), one.order.need.place)


def _reasons(facts: DayFacts, outcomes: Sequence[Outcome], ways: Ways) -> None:
    left = [one for one in outcomes if one.caregiver_id is None]
    if not left:
        return
    jobs: dict[UUID, list[Job]] = {who.id: list(who.jobs) for who in facts.people}
    for one in outcomes:
        if one.caregiver_id in jobs:
            stop = _stop(one)
            jobs[one.caregiver_id].append(Job(stop.span, stop.place, one.order.id))
    told: dict[UUID, list[dict[str, Any]]] = {}
    for one in left:
        if one.order.id not in told:
            told[one.order.id] = why_nobody(facts, one.order, jobs, ways)
        one.reasons = told[one.order.id]


def _summary(facts: DayFacts, outcomes: Sequence[Outcome], ways: Ways, rules_version: str) -> PlanSummary:
    before = {
        (one.order.id, one.place_no): (
            one.running.caregiver_id,
            Span(one.running.starts_at, one.running.booked_until),
        )
        for one in outcomes
        if one.running is not None
    }
    after = {
        (one.order.id, one.place_no): (one.caregiver_id, _stop(one).span)
        for one in outcomes
        if one.caregiver_id is not None
    }
    places = {(one.order.id, one.place_no): one.order.need.place for one in outcomes}
    changes = Counter(one.change for one in outcomes)
    reasons = Counter(str(one.reasons[0]["code"]) for one in outcomes if one.caregiver_id is None and one.reasons)
    return PlanSummary(
        before=_figures(facts, before, places, ways),
        after=_figures(facts, after, places, ways),
        added=changes[ItemChange.ADDED],
        moved=changes[ItemChange.MOVED],
        retimed=changes[ItemChange.RETIMED],
        dropped=changes[ItemChange.DROPPED],
        unassigned_by_reason=dict(reasons),
        loads=_loads(facts, before, after),
        rules_version=rules_version,
    )


_Key = tuple[UUID, int]
_Schedule = Mapping[_Key, tuple[UUID | None, Span]]


def _figures(facts: DayFacts, schedule: _Schedule, places: Mapping[_Key, Point], ways: Ways) -> Figures:
    """Ways from home to home, and the idle time between visits."""
    travel = waiting = 0.0
    for who in facts.people:
        stops = [
            _Stop(span, places[key]) for key, (caregiver_id, span) in schedule.items() if caregiver_id == who.id
        ]
        day = sorted([*stops, *(_Stop(job.span, job.place) for job in who.jobs)], key=lambda stop: stop.span)
        if not stops:
            continue
        travel += ways.seconds(who.mode, who.home, day[0].place) + ways.seconds(who.mode, day[-1].place, who.home)
        for one, other in pairwise(day):
            way = ways.seconds(who.mode, one.place, other.place)
            travel += way
            waiting += max(0.0, (other.span.starts_at - one.span.ends_at).total_seconds() - way)
    return Figures(
        places=len(places),
        assigned=len(schedule),
        unassigned=len(places) - len(schedule),
        travel_minutes=round(travel / 60),
        waiting_minutes=round(waiting / 60),
    )


def _loads(facts: DayFacts, before: _Schedule, after: _Schedule) -> list[CaregiverLoad]:
    def load(schedule: _Schedule, caregiver_id: UUID) -> tuple[int, int]:
        spans = [span for whose, span in schedule.values() if whose == caregiver_id]
        return len(spans), round(sum((span.ends_at - span.starts_at).total_seconds() for span in spans) / 60)

    found = []
    for who in facts.people:
        (visits_before, minutes_before), (visits_after, minutes_after) = load(before, who.id), load(after, who.id)
        if visits_before or visits_after or who.shifts:
            found.append(
                CaregiverLoad(
                    caregiver_id=who.id,
                    visits_before=visits_before,
                    visits_after=visits_after,
                    service_minutes_before=minutes_before,
                    service_minutes_after=minutes_after,
                )
            )
    return found
