"""Those who work: duty, rota, papers, institutions; and what could not be told them."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from services.core.outbox import Event


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


class CaregiverAbsent(Event, frozen=True, kw_only=True):
    """Leave approved, illness reported, or somebody leaves for good: not there from then to then."""

    name: ClassVar[str] = "caregiver.absent"
    caregiver_id: UUID
    starts_at: datetime
    ends_at: datetime


class AbsenceMoved(Event, frozen=True, kw_only=True):
    """Requested, approved, declined, changed or withdrawn."""

    name: ClassVar[str] = "caregiver.absence"
    absence_id: UUID
    caregiver_id: UUID
    kind: str
    status: str
    starts_at: datetime
    ends_at: datetime


class RotaPublished(Event, frozen=True, kw_only=True):
    """Shifts of a caregiver have come into force, changed or gone, within this time."""

    name: ClassVar[str] = "caregiver.rota"
    caregiver_id: UUID
    starts_at: datetime
    ends_at: datetime


class ShiftSwapMoved(Event, frozen=True, kw_only=True):
    """Requested, agreed, approved, declined, refused, withdrawn or lapsed."""

    name: ClassVar[str] = "caregiver.swap"
    swap_id: UUID
    from_caregiver_id: UUID
    to_caregiver_id: UUID
    status: str


class CredentialMoved(Event, frozen=True, kw_only=True):
    """Recorded, verified, rejected, changed or revoked: whom it lets do what may be different from now on."""

    name: ClassVar[str] = "caregiver.credential"
    credential_id: UUID
    caregiver_id: UUID
    kind: str
    status: str


class CredentialExpiring(Event, frozen=True, kw_only=True):
    """A credential that counts ends within so many days, and no other of its kind goes on."""

    name: ClassVar[str] = "caregiver.credential_expiring"
    credential_id: UUID
    caregiver_id: UUID
    kind: str
    ends_on: date
    days: int


class InstitutionSuspended(Event, frozen=True, kw_only=True):
    """Suspended, exited, or its licence or agreement has run out: no new work for its people from now on."""

    name: ClassVar[str] = "institution.suspended"
    institution_id: UUID
    why: str = "suspended"


class InstitutionMoved(Event, frozen=True, kw_only=True):
    """Active, suspended or exited."""

    name: ClassVar[str] = "institution.moved"
    institution_id: UUID
    status: str


class InstitutionDue(Event, frozen=True, kw_only=True):
    """Its licence, its agreement or its review comes to its day within so many days."""

    name: ClassVar[str] = "institution.due"
    institution_id: UUID
    what: str
    due_on: date
    days: int
