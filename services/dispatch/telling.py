"""Telling each person what changed for her, and nothing else. All of it follows events, as the system.

A template an act; a key a booking or offer, so that a repeated delivery tells nobody twice.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.core.actor import Role
from services.core.database import Work
from services.dispatch import repository
from services.duty.service import on_duty
from services.events import (
    CaregiverBooked,
    CaregiverReleased,
    OfferAnswered,
    OfferSent,
    OrderAidRequested,
    OrderCancelled,
    OrderReassigned,
    OrderUntaken,
)
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify

AT_ONCE: Final = 200
_CLOSED: Final = ("superseded", "withdrawn")


async def tell_asked(work: Work, event: OfferSent) -> None:
    """Somebody would like to know whether she takes an order."""
    await _caregiver(work, event.caregiver_id, f"offer:{event.offer_id}:sent", "offer_sent", event)


async def tell_offer_closed(work: Work, event: OfferAnswered) -> None:
    """She need not think about it any more: a colleague has it, or it was taken back."""
    if event.status in _CLOSED:
        await _caregiver(work, event.caregiver_id, f"offer:{event.offer_id}:closed", "offer_closed", event)


async def tell_booked(work: Work, event: CaregiverBooked) -> None:
    """She was given a visit without being asked."""
    await _caregiver(work, event.caregiver_id, f"booking:{event.booking_id}:made", "visit_assigned", event)


async def tell_released(work: Work, event: CaregiverReleased) -> None:
    """She no longer has a visit."""
    key = event.booking_id or event.order_id
    await _caregiver(work, event.caregiver_id, f"booking:{key}:ended", "visit_taken_off", event)


async def tell_reassigned(work: Work, event: OrderReassigned) -> None:
    """Each of the two hears her own half."""
    key = f"booking:{event.booking_id}:made"
    await _caregiver(work, event.to_caregiver_id, key, "visit_assigned", event)
    key = f"booking:{event.booking_id}:instead"
    await _caregiver(work, event.from_caregiver_id, key, "visit_taken_off", event)


async def tell_cancelled(work: Work, event: OrderCancelled) -> None:
    """Those who had a visit of a cancelled order need not go."""
    for booking in await repository.cancelled_bookings(work, event.order_id):
        await _caregiver(work, booking.caregiver_id, f"booking:{booking.id}:ended", "visit_cancelled", event)


async def tell_helper(work: Work, event: OrderAidRequested) -> None:
    """Who is on duty at a neighbouring centre sees that it is asked for caregivers."""
    if event.centre_id is not None:
        people = await on_duty(work, event.centre_id, Role.DISPATCHER, work.now)
        await _accounts(work, people, f"order_aid:{event.order_id}:{event.centre_id}", "order_aid", event)


async def tell_county(work: Work, event: OrderUntaken) -> None:
    """Nobody took an order in time, and no neighbour did: the county office is told."""
    if event.level == "county" and event.centre_id is not None:
        people = await on_duty(work, event.centre_id, Role.COUNTY_OFFICER, work.now)
        await _accounts(work, people, f"order_untaken:{event.order_id}", "order_untaken", event)


async def remind_offers(work: Work) -> int:
    """Once for each offer that nobody has answered, when its share of the time is over. For the worker."""
    due = await repository.due_reminders(work, AT_ONCE)
    for offer in due:
        offer.remind_at = None
        accounts = await repository.accounts_of_caregiver(work, offer.caregiver_id)
        await _notify(
            work, accounts, f"offer:{offer.id}:reminder", "offer_reminder", offer.area_code, offer.centre_id
        )
    return len(due)


_Event = (
    OfferSent
    | OfferAnswered
    | CaregiverBooked
    | CaregiverReleased
    | OrderReassigned
    | OrderCancelled
    | OrderAidRequested
    | OrderUntaken
)


async def _caregiver(work: Work, caregiver_id: UUID, key: str, template: str, event: _Event) -> None:
    await _accounts(work, await repository.accounts_of_caregiver(work, caregiver_id), key, template, event)


async def _accounts(work: Work, accounts: Sequence[UUID], key: str, template: str, event: _Event) -> None:
    await _notify(work, accounts, key, template, event.area_code, event.centre_id)


async def _notify(
    work: Work, accounts: Sequence[UUID], key: str, template: str, area_code: str, centre_id: UUID | None
) -> None:
    notice = Notice(
        key=key,
        template=template,
        area_code=area_code,
        centre_id=centre_id,
        parameters={},
        is_life_safety=False,
    )
    await notify(work, notice, [Recipient(account_id=account) for account in accounts], [Channel.APP])
