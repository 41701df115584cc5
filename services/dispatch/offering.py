"""Asking caregivers, and their answers. Locks in one order everywhere: order, offer, caregiver."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.caregivers.repository import caregivers_of_centre, lock_caregivers
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import Forbidden, NotFound
from services.core.geo import Point, distance_m
from services.core.settings import get_settings
from services.core.versions import expect_version
from services.dispatch import repository
from services.dispatch.booking import answer, back_on_the_board, book, close_when_full
from services.dispatch.errors import NotAssignable, OfferClosed, OfferExpired, OrderNotOpen, StartInvalid
from services.dispatch.facts import Candidate, Need
from services.dispatch.matching import issues_at, standing_issues
from services.dispatch.models import Booking, Offer, OfferPublic, OffersCreate, OffersSent
from services.dispatch.reasons import Reason, blocking
from services.dispatch.repository import OfferRow
from services.dispatch.states import OFFER, PENDING, OfferStatus
from services.dispatch.suggesting import OPEN, need_of, starts_for
from services.dispatch.travel import paces
from services.events import OfferSent
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.rules import masked_name
from services.orders.states import ORDER, OrderStatus


async def send_offers(work: Work, order_id: UUID, wish: OffersCreate) -> OffersSent:
    """Ask some caregivers; one who has a pending offer already keeps it.

    Raises ``NotFound``, ``OrderNotOpen``, ``NotAssignable`` (with reasons), ``StartInvalid``.
    """
    order = await lock_order(work, order_id)
    if order.status not in OPEN:
        raise OrderNotOpen(current=str(order.status))
    bookings = await repository.active_bookings(work, order.id)
    pending = {offer.caregiver_id: offer for offer in await repository.pending_offers(work, order.id)}
    asked = [one for one in dict.fromkeys(wish.caregiver_ids) if one not in pending]
    need = await need_of(work, order, bookings)
    candidates = await found_candidates(work, order, need, asked, bookings)
    starts = _offer_starts(order, need, candidates, wish.starts_at, bookings, list(pending.values()))
    seconds = wish.seconds if wish.seconds is not None else get_settings().offer_seconds
    sent = [_send(work, order, one.id, starts[one.id], seconds) for one in candidates]
    if sent and order.status is OrderStatus.PLACED:
        ORDER.move(work, order, OrderStatus.OFFERED)
    await work.session.flush()
    kept = [pending[one].id for one in wish.caregiver_ids if one in pending]
    rows = await repository.offer_rows(work, [*kept, *(offer.id for offer in sent)])
    return OffersSent(items=[offer_public(row) for row in rows])


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

    Raises ``OfferExpired`` from the very second on, ``OfferClosed``, ``NotAssignable`` (a licence that has
    run out since), ``DoubleBooked``.
    """
    order, offer = await _lock(work, offer_id)
    if offer.status is not OfferStatus.ACCEPTED:
        _require_answerable(work, offer)
        expect_version(offer, if_match)
        if order.status not in OPEN:
            raise OfferClosed(current=str(order.status))
        await lock_caregivers(work, [offer.caregiver_id])
        caregivers = await caregivers_of_centre(work, order.centre_id, [offer.caregiver_id])
        if not caregivers:
            raise NotFound
        await _require_still_fit(work, order, offer)
        answer(work, offer, OfferStatus.ACCEPTED)
        await book(work, order, caregivers[0], offer.starts_at, offer_id=offer.id)
        await close_when_full(work, order)
    return await _shown(work, offer_id)


async def decline(work: Work, offer_id: UUID, reason: str, if_match: int | None) -> OfferPublic:
    """Say no. A repeat gets the same answer. Raises ``OfferExpired``, ``OfferClosed``."""
    order, offer = await _lock(work, offer_id)
    if offer.status is not OfferStatus.DECLINED:
        _require_answerable(work, offer)
        expect_version(offer, if_match)
        offer.decline_reason = reason or None
        answer(work, offer, OfferStatus.DECLINED, reason or None)
        await work.session.flush()
        await back_on_the_board(work, order)
    return await _shown(work, offer_id)


async def expire_offers(work: Work, limit: int = 200) -> int:
    """Close offers that have run out; orders that nobody thinks about go back on the board. For the worker."""
    due = await repository.due_offers(work, limit)
    for offer, _ in due:
        answer(work, offer, OfferStatus.EXPIRED)
    await work.session.flush()
    for order in {order.id: order for _, order in due}.values():
        await back_on_the_board(work, order)
    return len(due)


async def found_candidates(
    work: Work, order: Order, need: Need, ids: Collection[UUID], bookings: Sequence[Booking]
) -> list[Candidate]:
    """The facts of the named caregivers of the order's centre; raises ``NotFound`` when one is not there."""
    taken = {booking.caregiver_id for booking in bookings}
    candidates = await repository.read_candidates(work, order, need, ids) if ids else []
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
    asked = starts_at or fixed
    if asked is None:
        starts, out = starts_for(need, candidates, together=team)
        if out:
            raise refuse((one.caregiver, one.reasons) for one in out)
        if len(starts) < len(candidates):
            raise StartInvalid(reason="no_common_start")
        return starts
    against = [(one, issues_at(need, one, asked, paces())) for one in candidates]
    if any(reasons for _, reasons in against):
        raise refuse((one, reasons) for one, reasons in against if reasons)
    return {one.id: asked for one in candidates}


def _send(work: Work, order: Order, caregiver_id: UUID, starts_at: datetime, seconds: int) -> Offer:
    if work.actor.account_id is None:
        raise Forbidden
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
        expires_at=min(work.now + timedelta(seconds=seconds), starts_at),
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
        )
    )
    return offer


async def _lock(work: Work, offer_id: UUID) -> tuple[Order, Offer]:
    order = await lock_order(work, await repository.order_of(work, offer_id))
    return order, await repository.lock_offer(work, offer_id)


def _require_answerable(work: Work, offer: Offer) -> None:
    expired = offer.status is OfferStatus.EXPIRED
    if expired or (offer.status in PENDING and offer.expires_at <= work.now):
        raise OfferExpired(expires_at=offer.expires_at.isoformat())
    if offer.status not in PENDING:
        raise OfferClosed(current=str(offer.status))


async def _require_still_fit(work: Work, order: Order, offer: Offer) -> None:
    """Licence and skill once more, now that the row is locked; the hour is the constraint's to judge."""
    need = await need_of(work, order, ())
    for one in await repository.read_candidates(work, order, need, [offer.caregiver_id]):
        codes = standing_issues(need, one, offer.starts_at)
        if codes:
            raise refuse([(one, [blocking(code) for code in codes])])


async def _shown(work: Work, offer_id: UUID) -> OfferPublic:
    await work.session.flush()
    (row,) = await repository.offer_rows(work, [offer_id])
    return offer_public(row)


def offer_public(row: OfferRow) -> OfferPublic:
    """The offer as it is shown: no address before it is accepted, no start code ever."""
    offer, order, who = row.offer, row.order, row.caregiver
    home = Point(who.home_latitude, who.home_longitude)
    return OfferPublic(
        **offer.model_dump(exclude={"resident_id", "centre_id", "sent_by"}),
        caregiver_name=who.name,
        resident_name=masked_name(row.resident_name),
        item_code=order.item_code,
        item_name_zh=order.lines[0]["item"]["name_zh"],
        item_name_en=order.lines[0]["item"]["name_en"],
        is_urgent=order.is_urgent,
        caregivers_required=order.caregivers_required,
        distance_m=round(distance_m(home, Point(order.latitude, order.longitude))),
        visit_id=row.visit_id,
    )
