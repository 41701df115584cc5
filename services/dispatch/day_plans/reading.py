"""Reading a day: the centre's crew, its orders, who has them, and what must stay where it is."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.dispatch.criteria.blocking import AT_AN_HOUR, Hour
from services.dispatch.day_plans import queries
from services.dispatch.day_plans.building import spans_of
from services.dispatch.day_plans.facts import DayFacts, Fixed, PlanOrder, Running
from services.dispatch.day_plans.queries import BookedRow
from services.dispatch.day_plans.repository import pinned_bookings
from services.dispatch.day_plans.rules import planning_rules
from services.dispatch.facts import Candidate, Day, Need, Span, day_at, weights
from services.dispatch.loading import Ties, load_crew, load_ties
from services.dispatch.matching import shifts_for, standing_issues
from services.dispatch.needs import need_of
from services.dispatch.queries import dialects_of
from services.dispatch.travel import Ways, paces
from services.orders.models import Order
from services.visits.states import VisitStatus

_BEGUN: Final = (VisitStatus.EN_ROUTE, VisitStatus.IN_SERVICE)
_GONE: Final = frozenset({"absent", "not_on_shift"})
_COUNTED: Final = frozenset({"over_day_limit", "over_week_limit"})
"""A booked day that is too full is no reason why somebody could not come."""


@dataclass(frozen=True, slots=True)
class DayRequest:
    """What a plan is about. ``only``: no other order that nobody has is planned; ``late``: a caregiver who is held
    up, whose next visits may be moved however soon they begin.
    """

    centre_id: UUID
    area_code: str
    day: date
    keep_assigned: bool = False
    only: frozenset[UUID] | None = None
    late: UUID | None = None


def day_of(day: date) -> Day:
    """The stretch of time of a business day."""
    return day_at(datetime.combine(day, time(), BUSINESS_ZONE))


async def read_day(work: Work, asked: DayRequest) -> DayFacts:
    """All facts of a plan, as of now."""
    day = day_of(asked.day)
    orders = await queries.orders_of_day(work, asked.centre_id, day.starts_at, day.ends_at, asked.only)
    booked: dict[UUID, list[BookedRow]] = defaultdict(list)
    for row in await queries.bookings_of(work, [order.id for order in orders]):
        booked[row.booking.order_id].append(row)
    orders = [one for one in orders if all(_touches(row, day) for row in booked[one.id])]
    licences = {kind for order in orders for kind in order.licences}
    crew = await load_crew(work, [asked.centre_id], Span(day.starts_at, day.ends_at), licences, on_call=False)
    ties = await load_ties(work, crew, {order.resident_id for order in orders})
    gone = {one.id: one for one in crew if one.left_at is not None and one.left_at <= day.starts_at}
    here = [one for one in crew if one.id not in gone]
    people = _people(here, {order.id for order in orders}, day)
    pins = await pinned_bookings(work, [row.booking.id for rows in booked.values() for row in rows])
    dialects = await dialects_of(work, {order.resident_id for order in orders})
    lent = await _lent(work, [row for rows in booked.values() for row in rows], day, licences)
    reader = _Reader(asked, day, work.now, {one.id: one for one in people}, {**lent, **gone}, ties, pins)
    return DayFacts(
        centre_id=asked.centre_id,
        area_code=asked.area_code,
        day=day,
        now=work.now,
        people=tuple(people),
        orders=tuple(
            reader.order(order, booked[order.id], dialects.get(order.resident_id, "")) for order in orders
        ),
        earlier=ties.visits,
        blocked=ties.blocked,
    )


def _touches(row: BookedRow, day: Day) -> bool:
    return row.booking.starts_at < day.ends_at and row.booking.ends_at > day.starts_at


async def _lent(
    work: Work, rows: Sequence[BookedRow], day: Day, licences: Collection[str]
) -> Mapping[UUID, Candidate]:
    """Other centres' caregivers who help that day: looked at, never planned."""
    centres = {row.booking.lent_by for row in rows if row.booking.lent_by is not None}
    ids = {row.booking.caregiver_id for row in rows if row.booking.lent_by is not None}
    if not centres:
        return {}
    crew = await load_crew(work, centres, Span(day.starts_at, day.ends_at), licences, ids, on_call=False)
    return {one.id: one for one in crew}


def _people(crew: Sequence[Candidate], planned: Collection[UUID], day: Day) -> list[Candidate]:
    """The crew, free of what the plan itself is about to give them."""
    found = []
    for one in crew:
        mine = [job for job in one.jobs if job.order_id in planned]
        minutes = sum((job.span.ends_at - job.span.starts_at).total_seconds() for job in mine) / 60
        weeks = dict(one.week_minutes or {})
        weeks[day.monday] = max(0, weeks.get(day.monday, 0) - round(minutes))
        jobs = tuple(job for job in one.jobs if job.order_id not in planned)
        found.append(replace(one, jobs=jobs, week_minutes=weeks))
    return found


class _Reader:
    """One order after the other, with what all of them share."""

    def __init__(
        self,
        asked: DayRequest,
        day: Day,
        now: datetime,
        people: Mapping[UUID, Candidate],
        others: Mapping[UUID, Candidate],
        ties: Ties,
        pins: frozenset[UUID],
    ) -> None:
        self._asked, self._day, self._now = asked, day, now
        self._people, self._others = people, others
        self._ties, self._pins = ties, pins
        self._rules = planning_rules()
        self._ways = Ways(paces())
        self._bounds = Span(day.starts_at, day.ends_at)

    def order(self, order: Order, rows: Sequence[BookedRow], dialect: str) -> PlanOrder:
        """The order with who has it."""
        need = need_of(order, (), dialect, self._now)
        allowed = self._allowed(need)
        running = tuple(self._running(need, row, allowed) for row in rows)
        return PlanOrder(
            id=order.id,
            resident_id=order.resident_id,
            area_code=order.area_code,
            need=need,
            required=order.caregivers_required,
            allowed=allowed,
            running=running,
        )

    def _allowed(self, need: Need) -> tuple[Span, ...]:
        """The windows, as far as they lie in this day and ahead. Nobody is sent off without notice."""
        soonest = self._now if need.is_urgent else self._now + self._rules.notice
        cut = (
            Span(max(one.starts_at, self._day.starts_at, soonest), min(one.ends_at, self._day.ends_at))
            for one in need.hours
        )
        return tuple(one for one in cut if one.starts_at + need.duration <= one.ends_at)

    def _running(self, need: Need, row: BookedRow, allowed: Sequence[Span]) -> Running:
        booking, visit_status = row.booking, row.visit_status
        who = self._people.get(booking.caregiver_id)
        begun = visit_status in _BEGUN
        over = visit_status is not None and not begun and visit_status is not VisitStatus.SCHEDULED
        looked = who or self._others.get(booking.caregiver_id)
        is_out = not begun and not over and looked is not None and self._is_out(need, row, looked)
        fixed = self._fixed(need, row, who, allowed, is_out) if not begun else Fixed.BEGUN
        return Running(
            booking_id=booking.id,
            caregiver_id=booking.caregiver_id,
            starts_at=booking.starts_at,
            booked_until=booking.ends_at,
            ends_at=self._expected_end(row),
            fixed=Fixed.OVER if over else fixed,
            is_out=is_out,
        )

    def _expected_end(self, row: BookedRow) -> datetime:
        """When she is free: who is there past the end is given some minutes more."""
        if row.visit_status in _BEGUN and row.booking.ends_at <= self._now:
            return self._now + self._rules.overrun_assumed
        return row.ended_at or row.booking.ends_at

    def _is_out(self, need: Need, row: BookedRow, who: Candidate) -> bool:
        """Whether something speaks against her that did not when she was given it, and that no person passed."""
        booking = row.booking
        blocked = who.id in self._ties.blocked.get(booking.resident_id, frozenset())
        seen = replace(who, blocked=True) if blocked else who
        span = Span(booking.starts_at, booking.ends_at)
        hour = Hour(need, seen, span, shifts_for(need, seen), self._ways)
        against = set(standing_issues(need, seen, booking.starts_at)) - _COUNTED
        against |= {one.code for one in AT_AN_HOUR if one.code in _GONE and one.speaks_against(hour)}
        return bool(against - set((booking.override or {}).get("issues", ())))

    def _fixed(
        self, need: Need, row: BookedRow, who: Candidate | None, allowed: Sequence[Span], is_out: bool
    ) -> Fixed | None:
        booking = row.booking
        if booking.id in self._pins:
            return Fixed.PINNED
        if is_out:
            return None
        if who is None:
            return Fixed.LENT
        if booking.override is not None or not allowed:
            return Fixed.DECIDED
        if booking.starts_at < self._now + self._rules.notice and booking.caregiver_id != self._asked.late:
            return Fixed.SOON
        if self._asked.keep_assigned:
            return Fixed.KEPT
        return Fixed.EDGE if self._at_the_edge(need, row, who) else None

    def _at_the_edge(self, need: Need, row: BookedRow, who: Candidate) -> bool:
        """The way from home lies inside the shift for the engine, and outside for whoever books by hand."""
        out = self._stepped(self._ways.seconds(who.mode, who.home, need.place))
        back = self._stepped(self._ways.seconds(who.mode, need.place, who.home))
        booking = row.booking
        return not any(
            span.starts_at <= booking.starts_at - out and booking.ends_at + back <= span.ends_at
            for span in spans_of(who, self._bounds)
        )

    def _stepped(self, seconds: int) -> timedelta:
        """A way as the engine sees it, with a step of the grid for the edges that do not lie on it."""
        grid = weights().grid
        return -(-timedelta(seconds=seconds) // grid) * grid + grid
