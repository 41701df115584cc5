"""Alerts, those who help, and hand-overs."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from services.core.outbox import Event


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
