"""Asking caregivers, and their answers. Locks in one order everywhere: order, offer, caregiver."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.caregivers.repository import lock_caregivers
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import NotFound
from services.core.geo import Point, distance_m
from services.core.settings import get_settings
from services.core.versions import expect_version
from services.dispatch import repository
from services.dispatch.booking import answer, back_on_the_board, book, close_when_full
from services.dispatch.errors import (
    DoubleBooked,
    NotAssignable,
    OfferClosed,
    OfferExpired,
    OrderNotOpen,
    StartInvalid,
)
from services.dispatch.facts import Candidate, Need
from services.dispatch.loading import read_candidates
from services.dispatch.matching import issues_at
from services.dispatch.models import Booking, Offer, OfferPublic, OffersCreate, OffersSent
from services.dispatch.needs import OPEN
from services.dispatch.reasons import Reason
from services.dispatch.repository import OfferRow
from services.dispatch.states import OFFER, PENDING, DeclineCode, OfferStatus
from services.dispatch.suggesting import crew_centre, needed, places_of, starts_for
from services.dispatch.travel import known_ways
from services.events import OfferSent
from services.orders.models import Order
from services.orders.rules import masked_name
from services.orders.states import ORDER, OrderStatus

REMIND_SHARE: Final = 0.5
LEAST_TO_REMIND: Final = timedelta(seconds=60)
"""Who has less time than this is not reminded: the offer itself has just reached her."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How caregivers are asked. ``round_id`` and ``wave`` name an automatic round; ``scores`` is why they were."""

    seconds: int
    round_id: UUID | None = None
    wave: int | None = None
    scores: Mapping[UUID, float] = field(default_factory=dict)
    remind_share: float = REMIND_SHARE
    lent_by: UUID | None = None


async def send_offers(work: Work, order_id: UUID, wish: OffersCreate) -> OffersSent:
    """Ask some caregivers of the centre, or of a centre that helps; one who has a pending offer already keeps it.

    Raises ``NotFound``, ``OrderNotOpen``, ``NotAssignable`` (with reasons), ``StartInvalid``.
    """
    order = await repository.lock_order(work, order_id)
    if order.status not in OPEN:
        raise OrderNotOpen(current=str(order.status))
    bookings = await repository.active_bookings(work, order.id)
    pending = {offer.caregiver_id: offer for offer in await repository.pending_offers(work, order.id)}
    asked = [one for one in dict.fromkeys(wish.caregiver_ids) if one not in pending]
    need, centre_id = await needed(work, order, bookings), crew_centre(work, order)
    candidates = await found_candidates(work, order, need, asked, bookings, centre_id)
    starts = _offer_starts(order, need, candidates, wish.starts_at, bookings, list(pending.values()))
    seconds = wish.seconds if wish.seconds is not None else get_settings().offer_seconds
    lent_by = None if centre_id == order.centre_id else centre_id
    sent = await ask(work, order, starts, Asking(seconds, lent_by=lent_by))
    kept = [pending[one].id for one in wish.caregiver_ids if one in pending]
    rows = await repository.offer_rows(work, [*kept, *(offer.id for offer in sent)])
    return OffersSent(items=[offer_public(row) for row in rows])


async def ask(work: Work, order: Order, starts: Mapping[UUID, datetime], how: Asking) -> list[Offer]:
    """Send the offers of a locked, open order; what speaks against anybody has been asked before."""
    also = await repository.helping(work, order.id)
    sent = [_send(work, order, caregiver_id, at, how, also) for caregiver_id, at in starts.items()]
    if sent and order.status is OrderStatus.PLACED:
        ORDER.move(work, order, OrderStatus.OFFERED)
    await work.session.flush()
    return sent


async def list_offers(
    work: Work,
    limit: int,
    cursor: UUID | None,
    order_id: UUID | None,
    statuses: Sequence[OfferStatus],
) -> list[OfferPublic]:
    """A caregiver's own offers, the pending ones unless others are asked for (and thereby seen); or a
    centre's, for its dispatcher.
    """
    if work.actor.role is Role.CAREGIVER and work.actor.person_id is not None:
        statuses = statuses or PENDING
        for offer in await repository.unseen_offers(work, work.actor.person_id):
            OFFER.move(work, offer, OfferStatus.VIEWED)
        await work.session.flush()
    rows = await repository.offers_page(work, limit, cursor, order_id, statuses)
    return [offer_public(row) for row in rows]


async def accept(work: Work, offer_id: UUID, if_match: int | None) -> OfferPublic:
    """Take the order. The first to accept win; a repeat by the winner gets the same answer.

    Raises ``OfferExpired`` from the very second on, ``OfferClosed``, ``NotAssignable`` (a licence, a shift or
    whatever else has changed since), ``DoubleBooked``.
    """
    order, offer = await _lock(work, offer_id)
    if offer.status is not OfferStatus.ACCEPTED:
        _require_answerable(work, offer)
        expect_version(offer, if_match)
        if order.status not in OPEN:
            raise OfferClosed(current=str(order.status))
        await lock_caregivers(work, [offer.caregiver_id])
        caregiver = await repository.caregiver_of(work, crew_centre(work, order), offer.caregiver_id)
        await _require_still_fit(work, order, offer)
        answer(work, offer, OfferStatus.ACCEPTED, also=await repository.helping(work, order.id))
        await book(work, order, caregiver, offer.starts_at, offer_id=offer.id)
        await close_when_full(work, order)
    return await _shown(work, offer_id)


async def decline(
    work: Work, offer_id: UUID, reason: str, if_match: int | None, code: DeclineCode = DeclineCode.OTHER
) -> OfferPublic:
    """Say no. A repeat gets the same answer. Raises ``OfferExpired``, ``OfferClosed``."""
    order, offer = await _lock(work, offer_id)
    if offer.status is not OfferStatus.DECLINED:
        _require_answerable(work, offer)
        expect_version(offer, if_match)
        offer.decline_code, offer.decline_reason = code, reason or None
        also = await repository.helping(work, order.id)
        answer(work, offer, OfferStatus.DECLINED, reason or str(code), also)
        await work.session.flush()
        await back_on_the_board(work, order)
    return await _shown(work, offer_id)


async def expire_offers(work: Work, limit: int = 200) -> int:
    """Close offers that have run out; orders that nobody thinks about go back on the board. For the worker."""
    due = await repository.due_offers(work, limit)
    orders = {order.id: order for _, order in due}
    also = {order_id: await repository.helping(work, order_id) for order_id in orders}
    for offer, order in due:
        answer(work, offer, OfferStatus.EXPIRED, also=also[order.id])
    await work.session.flush()
    for order in orders.values():
        await back_on_the_board(work, order)
    return len(due)


async def found_candidates(
    work: Work,
    order: Order,
    need: Need,
    ids: Collection[UUID],
    bookings: Sequence[Booking],
    centre_id: UUID | None = None,
) -> list[Candidate]:
    """The facts of the named caregivers of the order's centre (or another); ``NotFound`` when one is not there."""
    taken = {booking.caregiver_id for booking in bookings}
    candidates = await read_candidates(work, order, need, ids, centre_id) if ids else []
    if len(candidates) != len(set(ids)):
        raise NotFound
    if any(one.id in taken for one in candidates):
        raise OrderNotOpen("a caregiver has this order already", current=str(order.status))
    return candidates


def refuse(found: Iterable[tuple[Candidate, Sequence[Reason]]]) -> NotAssignable:
    """The refusal that lists every caregiver with the reasons."""
    listed: list[dict[str, Any]] = [
        {
            "caregiver_id": str(one.id),
            "reasons": [reason.model_dump(mode="json", exclude_none=True) for reason in reasons],
        }
        for one, reasons in found
    ]
    return NotAssignable(caregivers=listed)


def _offer_starts(
    order: Order,
    need: Need,
    candidates: Collection[Candidate],
    starts_at: datetime | None,
    bookings: Sequence[Booking],
    pending: Sequence[Offer],
) -> Mapping[UUID, datetime]:
    """When each is asked to come; the members of a team are all asked for one start."""
    team = order.caregivers_required > 1
    agreed = [booking.starts_at for booking in bookings] + [offer.starts_at for offer in pending]
    fixed = agreed[0] if team and agreed else None
    if fixed is not None and starts_at is not None and starts_at != fixed:
        raise StartInvalid(reason="differs_from_team", starts_at=fixed.isoformat())
    asked, ways = starts_at or fixed, known_ways(need.place, places_of(candidates))
    if asked is None:
        starts, out = starts_for(need, candidates, together=team, ways=ways)
        if out:
            raise refuse((one.caregiver, one.reasons) for one in out)
        if len(starts) < len(candidates):
            raise StartInvalid(reason="no_common_start")
        return starts
    against = [(one, issues_at(need, one, asked, ways)) for one in candidates]
    if any(reasons for _, reasons in against):
        raise refuse((one, reasons) for one, reasons in against if reasons)
    return {one.id: asked for one in candidates}


def _send(
    work: Work, order: Order, caregiver_id: UUID, starts_at: datetime, how: Asking, also: Sequence[UUID]
) -> Offer:
    expires_at = min(work.now + timedelta(seconds=how.seconds), starts_at)
    thinking = expires_at - work.now
    offer = Offer(
        order_id=order.id,
        caregiver_id=caregiver_id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        status=OfferStatus.SENT,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=order.duration_minutes),
        sent_by=work.actor.account_id,
        sent_at=work.now,
        expires_at=expires_at,
        round_id=how.round_id,
        wave=how.wave,
        score=how.scores.get(caregiver_id),
        remind_at=work.now + thinking * how.remind_share if thinking >= LEAST_TO_REMIND else None,
        lent_by=how.lent_by,
    )
    work.session.add(offer)
    OFFER.begin(work, offer)
    work.record(
        OfferSent(
            area_code=order.area_code,
            centre_id=order.centre_id,
            offer_id=offer.id,
            order_id=order.id,
            caregiver_id=caregiver_id,
            expires_at=offer.expires_at,
        ),
        also,
    )
    return offer


async def _lock(work: Work, offer_id: UUID) -> tuple[Order, Offer]:
    order = await repository.lock_order(work, await repository.order_of(work, offer_id))
    return order, await repository.lock_offer(work, offer_id)


def _require_answerable(work: Work, offer: Offer) -> None:
    expired = offer.status is OfferStatus.EXPIRED
    if expired or (offer.status in PENDING and offer.expires_at <= work.now):
        raise OfferExpired(expires_at=offer.expires_at.isoformat())
    if offer.status not in PENDING:
        raise OfferClosed(current=str(offer.status))


async def _require_still_fit(work: Work, order: Order, offer: Offer) -> None:
    """Everything once more, now that the caregiver's row is locked: leave, a licence, another visit since."""
    bookings = await repository.active_bookings(work, order.id)
    need = await needed(work, order, bookings)
    for one in await read_candidates(work, order, need, [offer.caregiver_id], crew_centre(work, order)):
        reasons = issues_at(need, one, offer.starts_at, known_ways(need.place, places_of([one])))
        if any(reason.code == "busy" for reason in reasons):
            raise DoubleBooked
        if reasons:
            raise refuse([(one, reasons)])


async def _shown(work: Work, offer_id: UUID) -> OfferPublic:
    await work.session.flush()
    (row,) = await repository.offer_rows(work, [offer_id])
    return offer_public(row)


def offer_public(row: OfferRow) -> OfferPublic:
    """The offer as it is shown: no address before it is accepted, no start code ever."""
    offer, order, who = row.offer, row.order, row.caregiver
    home = Point(who.home_latitude, who.home_longitude)
    return OfferPublic(
        **offer.model_dump(exclude={"resident_id", "centre_id", "sent_by", "round_id", "score", "remind_at"}),
        caregiver_name=who.name,
        resident_name="" if row.resident_name is None else masked_name(row.resident_name),
        item_code=order.item_code,
        item_name_zh=order.lines[0]["item"]["name_zh"],
        item_name_en=order.lines[0]["item"]["name_en"],
        is_urgent=order.is_urgent,
        caregivers_required=order.caregivers_required,
        distance_m=round(distance_m(home, Point(order.latitude, order.longitude))),
        visit_id=row.visit_id,
    )
