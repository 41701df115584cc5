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


class AlertTakenBack(Event, frozen=True, kw_only=True):
    """The resident took a live alarm back on the terminal; the alert stays until a person closes it."""

    name: ClassVar[str] = "alert.taken_back"
    alert_id: UUID
    kind: str


class AlertClassified(Event, frozen=True, kw_only=True):
    """A person has made a first judgement, or changed how grave the alert is."""

    name: ClassVar[str] = "alert.classified"
    alert_id: UUID
    severity: int


class AlertUnattended(Event, frozen=True, kw_only=True):
    """A whole round of the ladder, or the auditor, found nobody, or nobody acted: somebody must look now."""

    name: ClassVar[str] = "alert.unattended"
    alert_id: UUID
    why: str


class AlertHandoverMoved(Event, frozen=True, kw_only=True):
    """Requested, accepted, declined or lapsed."""

    name: ClassVar[str] = "alert.handover"
    alert_id: UUID
    handover_id: UUID
    from_account_id: UUID
    to_account_id: UUID
    status: str


class AidRequested(Event, frozen=True, kw_only=True):
    """Another centre's alert needs this centre's help; ``centre_id`` is the helper's."""

    name: ClassVar[str] = "alert.aid_requested"
    alert_id: UUID
    from_centre_id: UUID
    kind: str
    severity: int


class AidEnded(Event, frozen=True, kw_only=True):
    """The alert is over, and so is what this centre was shown of it; ``centre_id`` is the helper's."""

    name: ClassVar[str] = "alert.aid_ended"
    alert_id: UUID


class EmergencyCalled(Event, frozen=True, kw_only=True):
    """120 was called, or the resident handed over to those who came."""

    name: ClassVar[str] = "alert.emergency_call"
    alert_id: UUID
    call_id: UUID


class TerminalStatusChanged(Event, frozen=True, kw_only=True):
    """Online or offline."""

    name: ClassVar[str] = "terminal.status"
    terminal_id: UUID
    is_online: bool


class TerminalCommandMoved(Event, frozen=True, kw_only=True):
    """A command to a terminal has ended: done, failed, refused or expired."""

    name: ClassVar[str] = "terminal.command"
    terminal_id: UUID
    command_id: UUID
    kind: str
    status: str


class TerminalFaultMoved(Event, frozen=True, kw_only=True):
    """A fault of a terminal: open, assigned or cleared."""

    name: ClassVar[str] = "terminal.fault"
    fault_id: UUID
    terminal_id: UUID
    kind: str
    sensor: str | None
    is_life_safety: bool
    status: str


class TerminalMoved(Event, frozen=True, kw_only=True):
    """Provisioned, bound, unbound, suspended, back in service, returned to stock or retired."""

    name: ClassVar[str] = "terminal.moved"
    terminal_id: UUID
    resident_id: UUID | None
    status: str


class DutySwapMoved(Event, frozen=True, kw_only=True):
    """Requested, accepted, declined or withdrawn."""

    name: ClassVar[str] = "duty.swap"
    swap_id: UUID
    from_account_id: UUID
    to_account_id: UUID
    status: str


class NotificationFailed(Event, frozen=True, kw_only=True):
    """No channel could bring a notification to its recipient."""

    name: ClassVar[str] = "notification.failed"
    notification_id: UUID
    alert_id: UUID | None
    is_life_safety: bool


class ReferralMade(Event, frozen=True, kw_only=True):
    """A resident was handed over to an ambulance, a hospital or a clinic."""

    name: ClassVar[str] = "referral.made"
    referral_id: UUID
    alert_id: UUID | None
    kind: str


class ReferralMoved(Event, frozen=True, kw_only=True):
    """Received there, returned or closed."""

    name: ClassVar[str] = "referral.moved"
    referral_id: UUID
    alert_id: UUID | None
    status: str


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
        AlertTakenBack,
        AlertClassified,
        AlertUnattended,
        AlertHandoverMoved,
        AidRequested,
        AidEnded,
        EmergencyCalled,
        ReferralMade,
        ReferralMoved,
        TerminalStatusChanged,
        NotificationFailed,
        DutySwapMoved,
        TerminalMoved,
        TerminalCommandMoved,
        TerminalFaultMoved,
    )
}
