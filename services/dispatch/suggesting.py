"""Who could take an order: reads the facts once, then asks the pure rules."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.audit.service import record_read
from services.caregivers.models import TravelMode
from services.core.database import Work
from services.core.geo import Point
from services.dispatch import ejecting, queries, repository
from services.dispatch.errors import OrderNotOpen
from services.dispatch.facts import Candidate, Match, Need, RuledOut, Span, weights
from services.dispatch.loading import read_candidates
from services.dispatch.matching import common_start, consider, rank
from services.dispatch.models import (
    Booking,
    MoveProposal,
    RuledOutPublic,
    SuggestionPublic,
    SuggestionsPublic,
)
from services.dispatch.needs import OPEN, need_of
from services.dispatch.travel import Ways, known_ways, ways_around
from services.orders.models import Order


class Field(NamedTuple):
    """Everybody who was looked at for an order, and the ways that were used."""

    need: Need
    fits: list[Match]
    out: list[RuledOut]
    ways: Ways


async def suggest(work: Work, order_id: UUID) -> SuggestionsPublic:
    """The caregivers of the centre (of one's own, for another's order that it helps with), ranked, and those ruled
    out. Raises ``NotFound``, ``OrderNotOpen``.
    """
    order = await repository.order_in_reach(work, order_id)
    if order.status not in OPEN:
        raise OrderNotOpen(current=str(order.status))
    bookings = await repository.active_bookings(work, order.id)
    field = await survey(work, order, bookings, crew_centre(work, order))
    missing = order.caregivers_required - len(bookings)
    await record_read(work, [order.resident_id], "order_suggestions", ["address", "preferences"])
    return SuggestionsPublic.model_construct(  # of our own making, and long: nothing to validate
        order_id=order.id,
        caregivers_required=order.caregivers_required,
        caregivers_missing=missing,
        starts_at=_team_start(field.fits[:missing], missing),
        suggestions=[_suggestion(match, field.need) for match in field.fits],
        ruled_out=[
            RuledOutPublic.model_construct(
                caregiver_id=one.caregiver.id, caregiver_name=one.caregiver.name, reasons=list(one.reasons)
            )
            for one in field.out
        ],
        if_moved=await _moves(work, field),
    )


async def survey(
    work: Work, order: Order, bookings: Sequence[Booking], centre_id: UUID | None = None, *, may_ask: bool = True
) -> Field:
    """Everybody of the centre but those who have the order, ranked.

    ``may_ask``: whether a travel-time provider may be asked; not while rows are locked.
    """
    need = await needed(work, order, bookings)
    taken = {booking.caregiver_id for booking in bookings}
    found = await read_candidates(work, order, need, centre_id=centre_id)
    candidates = [one for one in found if one.id not in taken]
    places = places_of(candidates)
    ways = await ways_around(need.place, places) if may_ask else known_ways(need.place, places)
    return Field(need, *rank(need, candidates, weights(), ways), ways)


async def needed(work: Work, order: Order, bookings: Sequence[Booking]) -> Need:
    """What the order asks for; the resident's dialect is read only where the order has no wish of its own."""
    spoken = (
        ""
        if order.preferred_dialect
        else (await queries.dialects_of(work, [order.resident_id])).get(order.resident_id, "")
    )
    return need_of(order, bookings, spoken, work.now)


def crew_centre(work: Work, order: Order) -> UUID:
    """Whose caregivers may go: the order's centre's, or the helper's own where a helper acts."""
    own = work.actor.centre_id
    return own if own is not None and order.id in work.actor.aided_orders else order.centre_id


def places_of(candidates: Iterable[Candidate]) -> list[tuple[TravelMode, Point]]:
    """Where caregivers come from or go on to, with how they travel."""
    return [(one.mode, place) for one in candidates for place in (one.home, *(job.place for job in one.jobs))]


def starts_for(
    need: Need, candidates: Collection[Candidate], together: bool, ways: Ways
) -> tuple[dict[UUID, datetime], list[RuledOut]]:
    """The earliest start of each, or of all together; and those for whom there is none."""
    considered = [consider(need, one, weights(), ways) for one in candidates]
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


async def _moves(work: Work, field: Field) -> list[MoveProposal]:
    """For an urgent order, whom a moved visit would free."""
    if not field.need.is_urgent:
        return []
    orders = await queries.movable_orders(work, ejecting.in_the_way(field.out, field.need.now))
    windows = {order_id: Span(row["window_start"], row["window_end"]) for order_id, row in orders.items()}
    proposals = []
    for move in ejecting.moves(field.need, field.out, windows, weights(), field.ways):
        if move.job.order_id is None:
            continue
        moved, who = orders[move.job.order_id], move.match.caregiver
        proposals.append(
            MoveProposal(
                caregiver_id=who.id,
                caregiver_name=who.name,
                starts_at=move.match.starts_at,
                travel_minutes=round(move.match.travel.total_seconds() / 60),
                moved_order_id=move.job.order_id,
                moved_item_name_zh=moved["item_name_zh"],
                moved_item_name_en=moved["item_name_en"],
                moved_starts_at=move.job.span.starts_at,
                moved_to=move.moved_to,
            )
        )
    return proposals


def _suggestion(match: Match, need: Need) -> SuggestionPublic:
    return SuggestionPublic.model_construct(
        caregiver_id=match.caregiver.id,
        caregiver_name=match.caregiver.name,
        score=match.score,
        starts_at=match.starts_at,
        ends_at=match.starts_at + need.duration,
        travel_minutes=round(match.travel.total_seconds() / 60),
        distance_m=round(match.distance_m),
        reasons=list(match.reasons),
    )
