"""Every domain event, frozen, on one page. What follows each stands in ``services.handlers``.

An event's ``name`` is its tag on the wire (``order.placed``); its fields are ids, kinds and times only.
"""

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


class VisitMoved(Event, frozen=True, kw_only=True):
    """En route or checked in."""

    name: ClassVar[str] = "visit.moved"
    visit_id: UUID
    order_id: UUID
    status: str


class VisitEnded(Event, frozen=True, kw_only=True):
    """Checked out: verified, flagged, or reviewed after a flag."""

    name: ClassVar[str] = "visit.ended"
    visit_id: UUID
    order_id: UUID
    status: str


class OrderSettled(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "order.settled"
    order_id: UUID
    settlement_id: UUID


class OrderRated(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "order.rated"
    order_id: UUID
    score: int


class AlertOpened(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "alert.opened"
    alert_id: UUID
    resident_id: UUID | None
    terminal_id: UUID | None
    kind: str
    severity: int
    pressed_at: datetime
    received_at: datetime


class AlertRepeated(Event, frozen=True, kw_only=True):
    """A new press or breach while the alert is live: it pages again, acknowledged or not."""

    name: ClassVar[str] = "alert.repeated"
    alert_id: UUID
    kind: str
    severity: int
    occurrences: int


class AlertMoved(Event, frozen=True, kw_only=True):
    """Acknowledged, responding, on scene, resolved, cancelled, or open again after an expired lease."""

    name: ClassVar[str] = "alert.moved"
    alert_id: UUID
    terminal_id: UUID | None
    status: str
    account_id: UUID | None


class AlertEscalated(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "alert.escalated"
    alert_id: UUID
    step: int
    recipients: tuple[str, ...]


class TerminalStatusChanged(Event, frozen=True, kw_only=True):
    """Online or offline."""

    name: ClassVar[str] = "terminal.status"
    terminal_id: UUID
    is_online: bool


EVENTS: dict[str, type[Event]] = {
    event.name: event
    for event in (
        OrderPlaced,
        OrderCancelled,
        OrderAssigned,
        CaregiverReleased,
        OrderCompleted,
        OfferSent,
        OfferAnswered,
        VisitMoved,
        VisitEnded,
        OrderSettled,
        OrderRated,
        AlertOpened,
        AlertRepeated,
        AlertMoved,
        AlertEscalated,
        TerminalStatusChanged,
    )
}
