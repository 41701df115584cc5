"""Who could take an order: reads the facts once, then asks the pure rules."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.audit.service import record_read
from services.core.database import Work
from services.core.geo import Point
from services.dispatch import repository
from services.dispatch.errors import OrderNotOpen
from services.dispatch.facts import Candidate, Match, Need, RuledOut, Span, weights
from services.dispatch.matching import common_start, consider, rank
from services.dispatch.models import Booking, RuledOutPublic, SuggestionPublic, SuggestionsPublic
from services.dispatch.travel import paces
from services.orders.models import Order
from services.orders.repository import order_in_reach
from services.orders.states import OrderStatus
from services.residents.models import Resident

OPEN = (OrderStatus.PLACED, OrderStatus.OFFERED)
"""Orders that still look for somebody."""


async def suggest(work: Work, order_id: UUID) -> SuggestionsPublic:
    """The centre's caregivers, ranked, and those ruled out. Raises ``NotFound``, ``OrderNotOpen``."""
    order = await order_in_reach(work, order_id)
    if order.status not in OPEN:
        raise OrderNotOpen(current=str(order.status))
    bookings = await repository.active_bookings(work, order.id)
    need = await need_of(work, order, bookings)
    taken = {booking.caregiver_id for booking in bookings}
    candidates = [one for one in await repository.read_candidates(work, order, need) if one.id not in taken]
    fits, out = rank(need, candidates, weights(), paces())
    missing = order.caregivers_required - len(bookings)
    await record_read(work, [order.resident_id], "order_suggestions", ["address", "preferences"])
    return SuggestionsPublic(
        order_id=order.id,
        caregivers_required=order.caregivers_required,
        caregivers_missing=missing,
        starts_at=_team_start(fits[:missing], missing),
        suggestions=[_suggestion(match, need) for match in fits],
        ruled_out=[
            RuledOutPublic(
                caregiver_id=one.caregiver.id, caregiver_name=one.caregiver.name, reasons=list(one.reasons)
            )
            for one in out
        ],
    )


async def need_of(work: Work, order: Order, bookings: Sequence[Booking]) -> Need:
    """What the order asks for; once a first caregiver is booked, the others start when she does."""
    duration = timedelta(minutes=order.duration_minutes)
    window = Span(order.window_start, order.window_end)
    if bookings:
        window = Span(bookings[0].starts_at, bookings[0].starts_at + duration)
    resident = await work.session.get_one(Resident, order.resident_id)
    return Need(
        skills=frozenset(order.skills),
        licences=frozenset(order.licences),
        practice_years=order.practice_years,
        window=window,
        duration=duration,
        place=Point(order.latitude, order.longitude),
        now=work.now,
        gender=order.preferred_gender,
        dialect=resident.dialect,
    )


def starts_for(
    need: Need, candidates: Collection[Candidate], together: bool
) -> tuple[dict[UUID, datetime], list[RuledOut]]:
    """The earliest start of each, or of all together; and those for whom there is none."""
    considered = [consider(need, one, weights(), paces()) for one in candidates]
    out = [one for one in considered if isinstance(one, RuledOut)]
    fits = [one for one in considered if isinstance(one, Match)]
    if not together:
        return {one.caregiver.id: one.starts_at for one in fits}, out
    start = common_start([one.starts for one in fits], weights().grid)
    return ({} if start is None else {one.caregiver.id: start for one in fits}), out


def _team_start(best: Sequence[Match], missing: int) -> datetime | None:
    if len(best) < missing:
        return None
    return common_start([match.starts for match in best], weights().grid)


def _suggestion(match: Match, need: Need) -> SuggestionPublic:
    return SuggestionPublic(
        caregiver_id=match.caregiver.id,
        caregiver_name=match.caregiver.name,
        score=match.score,
        starts_at=match.starts_at,
        ends_at=match.starts_at + need.duration,
        travel_minutes=round(match.travel.total_seconds() / 60),
        distance_m=round(match.distance_m),
        reasons=list(match.reasons),
    )
