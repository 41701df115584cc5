"""Orders, who is asked, who has them, plans of a day."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from services.core.outbox import Event


class OrderPlaced(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "order.placed"
    order_id: UUID
    resident_id: UUID
    item_code: str
    is_urgent: bool


class OrderChanged(Event, frozen=True, kw_only=True):
    """Rescheduled, or with other wishes."""

    name: ClassVar[str] = "order.changed"
    order_id: UUID
    kind: str


class OrderCancelled(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "order.cancelled"
    order_id: UUID


class OrderAssigned(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "order.assigned"
    order_id: UUID
    caregiver_ids: tuple[UUID, ...]


class CaregiverReleased(Event, frozen=True, kw_only=True):
    """Taken off an assigned order, which looks for somebody again."""

    name: ClassVar[str] = "order.released"
    order_id: UUID
    caregiver_id: UUID
    booking_id: UUID | None = None
    code: str = "other"


class CaregiverBooked(Event, frozen=True, kw_only=True):
    """Given an order without being asked: by the desk, or by the centre's policy. She has to be told."""

    name: ClassVar[str] = "order.booked"
    order_id: UUID
    caregiver_id: UUID
    booking_id: UUID


class OrderReassigned(Event, frozen=True, kw_only=True):
    """A visit went from one caregiver to another in one step."""

    name: ClassVar[str] = "order.reassigned"
    order_id: UUID
    from_caregiver_id: UUID
    to_caregiver_id: UUID
    booking_id: UUID


class OrderAidRequested(Event, frozen=True, kw_only=True):
    """Another centre's order needs this centre's caregivers; ``centre_id`` is the helper's."""

    name: ClassVar[str] = "order.aid_requested"
    order_id: UUID
    from_centre_id: UUID
    is_urgent: bool


class OrderAidEnded(Event, frozen=True, kw_only=True):
    """The order has found somebody or is over, and so is what this centre was shown of it."""

    name: ClassVar[str] = "order.aid_ended"
    order_id: UUID


class OrderUntaken(Event, frozen=True, kw_only=True):
    """Nobody took the order in time: it has climbed to a neighbour or to the county."""

    name: ClassVar[str] = "order.untaken"
    order_id: UUID
    level: str
    is_urgent: bool


class DispatchMoved(Event, frozen=True, kw_only=True):
    """A round of automatic dispatch: running (with its latest wave), filled, exhausted or stopped."""

    name: ClassVar[str] = "order.dispatch"
    order_id: UUID
    round_id: UUID
    status: str
    wave: int


class OrderCompleted(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "order.completed"
    order_id: UUID


class OfferSent(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "offer.sent"
    offer_id: UUID
    order_id: UUID
    caregiver_id: UUID
    expires_at: datetime


class OfferAnswered(Event, frozen=True, kw_only=True):
    """Accepted, declined, expired, superseded or withdrawn."""

    name: ClassVar[str] = "offer.answered"
    offer_id: UUID
    order_id: UUID
    caregiver_id: UUID
    status: str


class DayPlanMoved(Event, frozen=True, kw_only=True):
    """A plan of a day, or a repair of it: computing, ready, failed, committed, superseded or dismissed."""

    name: ClassVar[str] = "plan.moved"
    plan_id: UUID
    kind: str
    cause: str | None
    day: str
    status: str


class OrderNotServed(Event, frozen=True, kw_only=True):
    """Every visit has ended with nobody at home: nothing was done, and nothing is billed."""

    name: ClassVar[str] = "order.not_served"
    order_id: UUID
