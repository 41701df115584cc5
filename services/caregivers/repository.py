"""The caregivers' SQL that other rooms stand on: thin rows for the matching rules, in a handful of queries."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Date, Uuid, any_, bindparam, case, cast, func, or_, text
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from services.caregivers.limits import WorkLimits, load_limits
from services.caregivers.models import (
    Absence,
    BlockedPair,
    Caregiver,
    CaregiverLog,
    Credential,
    Shift,
    ShiftKind,
    WorkLimit,
)
from services.caregivers.states import AbsenceStatus, CredentialStatus, ShiftStatus
from services.core.clock import BUSINESS_ZONE
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within


class CredentialRow(NamedTuple):
    """A licence that somebody holds or held."""

    caregiver_id: UUID
    kind: str
    valid_from: date
    valid_until: date


class ShiftRow(NamedTuple):
    """A stretch of work, or of being on call."""

    caregiver_id: UUID
    starts_at: datetime
    ends_at: datetime


class AbsenceRow(NamedTuple):
    """A stretch of approved leave, sickness or training."""

    caregiver_id: UUID
    starts_at: datetime
    ends_at: datetime


class BookedRow(NamedTuple):
    """A booked visit that still lies ahead or is under way."""

    booking_id: UUID
    order_id: UUID
    caregiver_id: UUID
    resident_id: UUID
    starts_at: datetime
    ends_at: datetime


# Bookings belong to a later domain, which imports this one: only their columns are read.
_BOOKED = text(
    """
    SELECT id, order_id, caregiver_id, resident_id, starts_at, ends_at FROM booking
    WHERE caregiver_id = ANY(:ids) AND is_active AND ends_at > :since AND starts_at < :until
    ORDER BY starts_at, id
    """
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("since", type_=UtcDateTime()),
    bindparam("until", type_=UtcDateTime()),
)


def _one_of(column: Any, ids: Collection[UUID]) -> ColumnElement[bool]:
    """One array instead of a parameter an id: every statement of a suggestion names a centre's hundred ids."""
    given: ColumnElement[bool] = column == any_(bindparam(None, list(ids), type_=ARRAY(Uuid()), unique=True))
    return given


async def caregivers_of_centre(
    work: Work, centre_id: UUID, ids: Collection[UUID] | None = None
) -> Sequence[Caregiver]:
    """The caregivers of a centre in reach, those who have left included; all, or some by id."""
    statement = (
        select(Caregiver)
        .where(Caregiver.centre_id == centre_id, *within(work.actor, Caregiver.area_code))
        .order_by(col(Caregiver.id))
    )
    if ids is not None:
        statement = statement.where(col(Caregiver.id).in_(ids))
    return (await work.session.exec(statement)).all()


async def lock_caregivers(work: Work, ids: Collection[UUID]) -> None:
    """Hold the caregivers' rows, by id, until the end: whoever books them reads their time after this."""
    statement = (
        select(Caregiver.id)
        .where(col(Caregiver.id).in_(ids))
        .order_by(col(Caregiver.id))
        .with_for_update(key_share=True)
    )
    await work.session.exec(statement)


async def find_caregiver(work: Work, caregiver_id: UUID) -> Caregiver | None:
    """One caregiver in reach."""
    query = select(Caregiver).where(*within(work.actor, Caregiver.area_code), Caregiver.id == caregiver_id)
    return (await work.session.exec(query)).one_or_none()


async def locked_caregiver(work: Work, caregiver_id: UUID) -> Caregiver:
    """One caregiver in reach, held and read anew; raises ``NotFound``. Stands before every change of her time."""
    query = (
        select(Caregiver)
        .where(*within(work.actor, Caregiver.area_code), Caregiver.id == caregiver_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = (await work.session.exec(query)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def page_of_caregivers(
    work: Work, limit: int, before: UUID | None, centre_id: UUID | None, name: str | None, *, with_left: bool
) -> Sequence[Caregiver]:
    """Caregivers in reach, newest first, by centre or a part of the name."""
    query = select(Caregiver).where(*within(work.actor, Caregiver.area_code))
    if centre_id is not None:
        query = query.where(Caregiver.centre_id == centre_id)
    if name is not None:
        query = query.where(col(Caregiver.name).contains(name, autoescape=True))
    if not with_left:
        query = query.where(or_(col(Caregiver.left_at).is_(None), col(Caregiver.left_at) > work.now))
    if before is not None:
        query = query.where(col(Caregiver.id) < before)
    return (await work.session.exec(query.order_by(col(Caregiver.id).desc()).limit(limit))).all()


async def find_limit(work: Work, caregiver_id: UUID) -> WorkLimit | None:
    """Somebody's own working-time limits."""
    query = select(WorkLimit).where(
        *within(work.actor, WorkLimit.area_code), WorkLimit.caregiver_id == caregiver_id
    )
    return (await work.session.exec(query)).one_or_none()


async def page_of_log(work: Work, caregiver_id: UUID, limit: int, before: UUID | None) -> Sequence[CaregiverLog]:
    """The log of a file in reach, newest first."""
    query = select(CaregiverLog).where(
        *within(work.actor, CaregiverLog.area_code), CaregiverLog.caregiver_id == caregiver_id
    )
    if before is not None:
        query = query.where(col(CaregiverLog.id) < before)
    return (await work.session.exec(query.order_by(col(CaregiverLog.id).desc()).limit(limit))).all()


async def credentials_of(work: Work, ids: Collection[UUID], kinds: Collection[str]) -> Sequence[CredentialRow]:
    """Every credential of some kinds that counts or has counted, valid or not.

    What nobody has verified is left out. A revoked one is given as having ended the day before.
    """
    revoked_on = cast(func.timezone(BUSINESS_ZONE.key, col(Credential.revoked_at)), Date)
    until = case(
        (
            col(Credential.status) == CredentialStatus.REVOKED,
            func.least(col(Credential.valid_until), revoked_on - 1),
        ),
        else_=col(Credential.valid_until),
    )
    counted = or_(
        col(Credential.status) == CredentialStatus.VERIFIED,
        (col(Credential.status) == CredentialStatus.REVOKED) & col(Credential.checked_at).is_not(None),
    )
    statement = select_columns(
        col(Credential.caregiver_id), col(Credential.kind), col(Credential.valid_from), until
    ).where(_one_of(col(Credential.caregiver_id), ids), col(Credential.kind).in_(kinds), counted)
    return [CredentialRow(*row) for row in (await work.sql(statement)).all()]


async def shifts_between(
    work: Work, ids: Collection[UUID], since: datetime, until: datetime
) -> Sequence[ShiftRow]:
    """Published shifts that touch a stretch of time, by start; being on call is no shift."""
    return await _stretches(work, ShiftKind.WORK, ids, since, until)


async def on_call_between(
    work: Work, ids: Collection[UUID], since: datetime, until: datetime
) -> Sequence[ShiftRow]:
    """Published on-call stretches that touch a stretch of time, by start: a reserve for urgent orders only."""
    return await _stretches(work, ShiftKind.ON_CALL, ids, since, until)


async def _stretches(
    work: Work, kind: ShiftKind, ids: Collection[UUID], since: datetime, until: datetime
) -> Sequence[ShiftRow]:
    statement = (
        select_columns(col(Shift.caregiver_id), col(Shift.starts_at), col(Shift.ends_at))
        .where(
            _one_of(col(Shift.caregiver_id), ids),
            col(Shift.kind) == kind,
            col(Shift.status) == ShiftStatus.PUBLISHED,
            col(Shift.ends_at) > since,
            col(Shift.starts_at) < until,
        )
        .order_by(col(Shift.starts_at))
    )
    return [ShiftRow(*row) for row in (await work.sql(statement)).all()]


async def absences_between(
    work: Work, ids: Collection[UUID], since: datetime, until: datetime
) -> Sequence[AbsenceRow]:
    """Approved absences that touch a stretch of time, by start; they may overlap each other."""
    statement = (
        select_columns(col(Absence.caregiver_id), col(Absence.starts_at), col(Absence.ends_at))
        .where(
            _one_of(col(Absence.caregiver_id), ids),
            col(Absence.status) == AbsenceStatus.APPROVED,
            col(Absence.ends_at) > since,
            col(Absence.starts_at) < until,
        )
        .order_by(col(Absence.starts_at))
    )
    return [AbsenceRow(*row) for row in (await work.sql(statement)).all()]


async def blocked_pairs(work: Work, resident_ids: Collection[UUID]) -> Mapping[UUID, frozenset[UUID]]:
    """Resident → caregivers who must not come, as of today; every resident asked for has an entry."""
    today = work.now.astimezone(BUSINESS_ZONE).date()
    statement = select_columns(col(BlockedPair.resident_id), col(BlockedPair.caregiver_id)).where(
        col(BlockedPair.resident_id).in_(resident_ids),
        col(BlockedPair.lifted_at).is_(None),
        or_(col(BlockedPair.until).is_(None), col(BlockedPair.until) >= today),
    )
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for resident_id, caregiver_id in (await work.sql(statement)).all():
        found[resident_id].add(caregiver_id)
    return {resident_id: frozenset(found[resident_id]) for resident_id in resident_ids}


async def limits_of(work: Work, ids: Collection[UUID]) -> Mapping[UUID, WorkLimits]:
    """The working-time limits that hold for each of some caregivers: the general ones, or their own."""
    statement = select_columns(
        col(WorkLimit.caregiver_id),
        col(WorkLimit.day_minutes),
        col(WorkLimit.week_minutes),
        col(WorkLimit.rest_minutes),
    ).where(_one_of(col(WorkLimit.caregiver_id), ids))
    general = load_limits().limits
    own = {row[0]: general.with_own(*row[1:]) for row in (await work.sql(statement)).all()}
    return {caregiver_id: own.get(caregiver_id, general) for caregiver_id in ids}


async def booked_after(work: Work, caregiver_id: UUID, since: datetime) -> Sequence[BookedRow]:
    """Everything that is booked for somebody from a moment on, by start."""
    return await booked_between(work, [caregiver_id], since, since + timedelta(days=3660))


async def booked_between(
    work: Work, ids: Collection[UUID], since: datetime, until: datetime
) -> Sequence[BookedRow]:
    """Active bookings that touch a stretch of time, by start."""
    found = await work.sql(_BOOKED, {"ids": list(ids), "since": since, "until": until})
    return [BookedRow(*row) for row in found.all()]
