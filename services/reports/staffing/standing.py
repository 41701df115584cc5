"""Whether what is given to somebody can still stand. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from services.caregivers.limits import local_day
from services.caregivers.repository import AbsenceRow, CredentialRow, ShiftRow
from services.reports.staffing.models import WhyMove


@dataclass(frozen=True, slots=True)
class Given:
    """A booked visit or an open offer. ``passed``: the dispatcher booked it outside a shift, with a reason."""

    caregiver_id: UUID
    resident_id: UUID
    institution_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    licences: frozenset[str]
    is_urgent: bool
    left_at: datetime | None
    passed: bool

    @property
    def day(self) -> date:
        """The day of service."""
        return local_day(self.starts_at)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of the people around what is given, by caregiver; closed institutions by day."""

    credentials: Sequence[CredentialRow] = ()
    shifts: Sequence[ShiftRow] = ()
    on_call: Sequence[ShiftRow] = ()
    absences: Sequence[AbsenceRow] = ()
    closed: Mapping[date, frozenset[UUID]] = field(default_factory=dict)
    blocked: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)


def missing_licences(given: Given, known: Circumstances) -> list[str]:
    """The kinds of credential that are needed and not valid on the day of service."""
    held = {
        one.kind
        for one in known.credentials
        if one.caregiver_id == given.caregiver_id and one.valid_from <= given.day <= one.valid_until
    }
    return sorted(given.licences - held)


def why_move(given: Given, known: Circumstances) -> list[WhyMove]:
    """Everything that speaks against it as things stand now; empty when it can stay."""
    found = []
    if given.left_at is not None and given.left_at < given.ends_at:
        found.append(WhyMove.LEFT)
    if given.institution_id is not None and given.institution_id in known.closed.get(given.day, frozenset()):
        found.append(WhyMove.INSTITUTION_CLOSED)
    if missing_licences(given, known):
        found.append(WhyMove.LICENCE_NOT_VALID)
    if any(_is_of(one, given) and _touches(one, given) for one in known.absences):
        found.append(WhyMove.ABSENT)
    if not given.passed and not _is_covered(given, known):
        found.append(WhyMove.NOT_ON_SHIFT)
    if given.caregiver_id in known.blocked.get(given.resident_id, frozenset()):
        found.append(WhyMove.KEPT_APART)
    return found


def _is_covered(given: Given, known: Circumstances) -> bool:
    stretches = [*known.shifts, *(known.on_call if given.is_urgent else ())]
    return any(
        _is_of(one, given) and one.starts_at <= given.starts_at and given.ends_at <= one.ends_at
        for one in stretches
    )


def _is_of(one: ShiftRow | AbsenceRow, given: Given) -> bool:
    return one.caregiver_id == given.caregiver_id


def _touches(one: AbsenceRow, given: Given) -> bool:
    return one.starts_at < given.ends_at and given.starts_at < one.ends_at
