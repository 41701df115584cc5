"""From the facts of a day to a problem in plain numbers. Pure.

People say times in whole five minutes (the grid of ``matching.json``), so ways and durations are rounded up to it
and windows inwards: an engine that begins as early as it can then finds starts that can be said.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from services.caregivers.models import TravelMode
from services.core.clock import BUSINESS_ZONE
from services.core.geo import Point
from services.dispatch.day_plans.facts import DayFacts, Fixed, PlanOrder, Running
from services.dispatch.day_plans.fitness import excluded_of, worth_of
from services.dispatch.day_plans.rules import BreakRule, PlanningRules
from services.dispatch.facts import Candidate, Span, weights
from services.planning.problem import Assignment, Break, Pin, PlanCaregiver, PlanVisit, Problem

Tables = Mapping[TravelMode, Sequence[Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of a day, each once, and where everything lies."""

    points: tuple[Point, ...]
    place: Mapping[Point, int]
    modes: frozenset[TravelMode]


@dataclass(frozen=True, slots=True)
class Built:
    """A problem, and what its keys mean."""

    problem: Problem
    places: Mapping[str, tuple[PlanOrder, int, Running | None]]
    spans: Mapping[UUID, tuple[Span, ...]]
    """Caregiver → stretches of work that day, absences taken out."""
    grid: int
    """Seconds between two starts that people can say."""


def lay_out(facts: DayFacts) -> Layout:
    """Homes and visits; travel is asked for these."""
    points: dict[Point, int] = {}
    for who in facts.people:
        for point in (who.home, *(job.place for job in who.jobs)):
            points.setdefault(point, len(points))
    for order in facts.orders:
        points.setdefault(order.need.place, len(points))
    return Layout(tuple(points), points, frozenset(who.mode for who in facts.people))


def build(facts: DayFacts, layout: Layout, tables: Tables, rules: PlanningRules, *, least_change: bool) -> Built:
    """The problem. ``least_change``: breaks yield to what is booked, as in a repair."""
    return _Builder(facts, layout, tables, rules, least_change).build()


def spans_of(who: Candidate, day: Span) -> tuple[Span, ...]:
    """When somebody works that day: shifts, cut to the day, without absences."""
    found = [Span(max(one.starts_at, day.starts_at), min(one.ends_at, day.ends_at)) for one in who.shifts]
    for away in who.absences:
        found = [
            piece
            for one in found
            for piece in (
                Span(one.starts_at, min(one.ends_at, away.starts_at)),
                Span(max(one.starts_at, away.ends_at), one.ends_at),
            )
            if piece.starts_at < piece.ends_at
        ]
    return tuple(sorted({one for one in found if one.starts_at < one.ends_at}))


class _Builder:
    def __init__(
        self, facts: DayFacts, layout: Layout, tables: Tables, rules: PlanningRules, least_change: bool
    ) -> None:
        self._facts, self._layout, self._tables, self._rules = facts, layout, tables, rules
        self._least_change = least_change
        self._grid = int(weights().grid.total_seconds())
        self._zero = facts.day.starts_at
        day = Span(facts.day.starts_at, facts.day.ends_at)
        self._spans = {who.id: spans_of(who, day) for who in facts.people}
        self._people = {who.id: who for who in facts.people}
        self._visits: list[PlanVisit] = []
        self._running: list[Assignment] = []
        self._places: dict[str, tuple[PlanOrder, int, Running | None]] = {}
        self._fixed: dict[UUID, list[Span]] = defaultdict(list)
        self._told: dict[UUID, list[Span]] = defaultdict(list)
        self._past_seconds: dict[UUID, int] = defaultdict(int)

    def build(self) -> Built:
        self._jobs()
        self._past()
        for order in self._facts.orders:
            self._order(order)
        problem = Problem(
            visits=tuple(self._visits),
            caregivers=tuple(self._caregiver(who) for who in self._facts.people),
            travel={
                mode.value: [[self._up(seconds) for seconds in row] for row in self._tables[mode]]
                for mode in self._layout.modes
            },
            running=tuple(self._running),
        )
        return Built(problem, self._places, self._spans, self._grid)

    def _jobs(self) -> None:
        """What the centre's people do that day for others: time that is gone."""
        for who in self._facts.people:
            for number, job in enumerate(who.jobs):
                if job.span.ends_at <= self._facts.day.starts_at or job.span.starts_at >= self._facts.day.ends_at:
                    continue
                self._pin(f"job/{who.id}/{number}", who.id, job.span, job.place, None)

    def _past(self) -> None:
        """Of what is over, the last place of each matters: there she is until now."""
        last: dict[UUID, tuple[datetime, PlanOrder]] = {}
        fixed = [
            (run, order)
            for order in self._facts.orders
            for run in order.running
            if run.caregiver_id in self._people
        ]
        for run, order in fixed:
            if run.fixed is Fixed.OVER:
                self._past_seconds[run.caregiver_id] += int((run.booked_until - run.starts_at).total_seconds())
                if run.caregiver_id not in last or last[run.caregiver_id][0] < run.ends_at:
                    last[run.caregiver_id] = (run.ends_at, order)
        for caregiver_id, (ended_at, order) in last.items():
            later = [
                run.starts_at
                for run, _ in fixed
                if run.caregiver_id == caregiver_id and run.fixed not in (Fixed.OVER, None)
            ]
            until = min([max(ended_at, self._facts.now), *later])
            span = Span(min(ended_at, until) - timedelta(seconds=1), until)
            self._pin(f"past/{caregiver_id}", caregiver_id, span, order.need.place, None)

    def _order(self, order: PlanOrder) -> None:
        mates = [run.starts_at for run in order.running if run.fixed is not None]
        excluded: frozenset[str] | None = None
        for place_no, run in order.places:
            key = f"{order.id}/{place_no}"
            self._places[key] = (order, place_no, run)
            if run is not None and run.fixed is not None:
                if run.fixed not in (Fixed.OVER, Fixed.LENT) and run.caregiver_id in self._people:
                    team = str(order.id) if order.required > 1 else None
                    self._pin(key, run.caregiver_id, Span(run.starts_at, run.ends_at), order.need.place, team)
                continue
            if excluded is None:
                excluded = excluded_of(self._facts, order)
            self._movable(key, order, run, mates, excluded)

    def _movable(
        self, key: str, order: PlanOrder, run: Running | None, mates: Sequence[datetime], excluded: frozenset[str]
    ) -> None:
        allowed = order.allowed
        if mates:
            allowed = (Span(mates[0], mates[0] + order.duration),)
        duration = self._up(int(order.duration.total_seconds()))
        windows = [self._window(span, duration) for span in allowed]
        priorities = self._rules.priorities
        priority = priorities.urgent if order.need.is_urgent else priorities.open
        if run is not None:
            priority = max(priority, priorities.promised)
            if not run.is_out:
                begins, ends = self._down(self._at(run.starts_at)), self._up(self._at(run.booked_until))
                duration = max(duration, ends - begins)
                windows = [(min(low, begins), high) if begins < low <= begins + self._grid else (low, high)
                           for low, high in windows]  # fmt: skip
                self._told[run.caregiver_id].append(Span(run.starts_at, run.booked_until))
                self._running.append(Assignment(key, str(run.caregiver_id), begins, begins + duration, 0))
        self._visits.append(
            PlanVisit(
                key=key,
                place=self._layout.place[order.need.place],
                duration=duration,
                windows=tuple(windows),
                priority=priority,
                team=str(order.id) if order.required > 1 else None,
                excluded=excluded,
                affinity=worth_of(self._facts, order, excluded),
            )
        )

    def _window(self, span: Span, duration: int) -> tuple[int, int]:
        """A window on the grid; one that is too narrow for that is widened, and ``starts_at`` cuts it back."""
        low, high = self._up(self._at(span.starts_at)), self._down(self._at(span.ends_at))
        if low + duration <= high:
            return low, high
        low = self._down(self._at(span.starts_at))
        return low, max(self._up(self._at(span.ends_at)), low + duration)

    def _pin(self, key: str, caregiver_id: UUID, span: Span, place: Point, team: str | None) -> None:
        begins, ends = self._down(self._at(span.starts_at)), self._up(self._at(span.ends_at))
        self._fixed[caregiver_id].append(span)
        self._visits.append(
            PlanVisit(
                key=key,
                place=self._layout.place[place],
                duration=max(ends - begins, 0),
                windows=((begins, max(ends, begins)),),
                priority=self._rules.priorities.promised,
                team=team,
                pin=Pin(str(caregiver_id), begins),
            )
        )

    def _caregiver(self, who: Candidate) -> PlanCaregiver:
        spans = self._spans[who.id]
        lanes = []
        for span in spans:
            at_work = any(
                job.starts_at < span.ends_at and span.starts_at < job.ends_at for job in self._fixed[who.id]
            )
            begun = at_work and any(job.starts_at <= self._facts.now for job in self._fixed[who.id])
            start = span.starts_at if begun else max(span.starts_at, self._facts.now)
            if start < span.ends_at:
                lanes.append((self._up(self._at(start)), self._down(self._at(span.ends_at))))
        return PlanCaregiver(
            key=str(who.id),
            home=self._layout.place[who.home],
            profile=who.mode.value,
            shifts=tuple(lanes),
            breaks=tuple(pause for rule in self._rules.breaks for pause in self._break(who, spans, rule)),
            longest_work=self._longest(who),
        )

    def _break(self, who: Candidate, spans: Sequence[Span], rule: BreakRule) -> list[Break]:
        """The break of a long shift, unless it is over or what is booked leaves no room for it."""
        midnight = self._zero.astimezone(BUSINESS_ZONE)
        first, last = (
            midnight.replace(hour=at.hour, minute=at.minute) for at in (rule.begins_from, rule.begins_until)
        )
        for span in spans:
            long_enough = span.ends_at - span.starts_at >= rule.shift_at_least
            if not long_enough or span.starts_at > first or span.ends_at < last + rule.length:
                continue
            if last < self._facts.now or not self._room_for(who, first, last, rule.length, span):
                return []
            return [Break(self._at(max(first, self._facts.now)), self._at(last), int(rule.length.total_seconds()))]
        return []

    def _room_for(self, who: Candidate, first: datetime, last: datetime, length: timedelta, span: Span) -> bool:
        """Whether a pause fits between the visits that stay, with a step of the grid for the way."""
        edges = [
            Span(span.starts_at, span.starts_at),
            *sorted(self._staying(who)),
            Span(span.ends_at, span.ends_at),
        ]
        slack = timedelta(seconds=self._grid)
        for before, after in pairwise(edges):
            begins = max(before.ends_at, first)
            if begins <= last and begins + length + slack <= max(after.starts_at, before.ends_at):
                return True
        return False

    def _longest(self, who: Candidate) -> int:
        """Seconds of care that this plan may give her: her limits, but never less than what stays anyway."""
        day = who.day_limit * 60 - self._past_seconds[who.id]
        week = (who.week_limit - (who.week_minutes or {}).get(self._facts.day.monday, 0)) * 60
        stays = sum(
            self._up(self._at(job.ends_at)) - self._down(self._at(job.starts_at)) for job in self._staying(who)
        )
        return max(min(day, week - self._past_seconds[who.id]), stays, 0)

    def _staying(self, who: Candidate) -> list[Span]:
        """The visits that no plan moves; in a repair also those that it should not."""
        return [*self._fixed[who.id], *(self._told[who.id] if self._least_change else ())]

    def _at(self, moment: datetime) -> int:
        return int((moment - self._zero).total_seconds())

    def _up(self, seconds: int) -> int:
        return -(-seconds // self._grid) * self._grid

    def _down(self, seconds: int) -> int:
        return seconds // self._grid * self._grid


def real_start(order: PlanOrder, start: datetime, mates: Collection[datetime] = ()) -> datetime:
    """A start of the grid, cut back into what is allowed: by less than a step of the grid."""
    if mates:
        return next(iter(mates))
    best: datetime | None = None
    for span in order.allowed:
        inside = min(max(start, span.starts_at), span.ends_at - order.duration)
        if best is None or abs(inside - start) < abs(best - start):
            best = inside
    return start if best is None else best
