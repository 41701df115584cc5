"""The caregivers' SQL: thin rows for the matching rules, read in a handful of queries."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select as select_columns
from sqlmodel import col, select

from services.caregivers.models import Caregiver, Credential, Shift
from services.core.database import Work
from services.core.scope import within


class CredentialRow(NamedTuple):
    """A licence that somebody holds or held."""

    caregiver_id: UUID
    kind: str
    valid_from: date
    valid_until: date


class ShiftRow(NamedTuple):
    """A stretch of work."""

    caregiver_id: UUID
    starts_at: datetime
    ends_at: datetime


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


async def credentials_of(work: Work, ids: Collection[UUID], kinds: Collection[str]) -> Sequence[CredentialRow]:
    """Every credential of some kinds, valid or not."""
    statement = select_columns(
        col(Credential.caregiver_id), col(Credential.kind), col(Credential.valid_from), col(Credential.valid_until)
    ).where(col(Credential.caregiver_id).in_(ids), col(Credential.kind).in_(kinds))
    return [CredentialRow(*row) for row in (await work.sql(statement)).all()]


async def shifts_between(
    work: Work, ids: Collection[UUID], since: datetime, until: datetime
) -> Sequence[ShiftRow]:
    """Shifts that touch a stretch of time, by start."""
    statement = (
        select_columns(col(Shift.caregiver_id), col(Shift.starts_at), col(Shift.ends_at))
        .where(col(Shift.caregiver_id).in_(ids), col(Shift.ends_at) > since, col(Shift.starts_at) < until)
        .order_by(col(Shift.starts_at))
    )
    return [ShiftRow(*row) for row in (await work.sql(statement)).all()]
