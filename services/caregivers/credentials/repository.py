"""SQL of credentials."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, or_, select

from services.caregivers.models import Caregiver, Credential, CredentialWarning
from services.caregivers.states import CredentialStatus
from services.core.database import Work
from services.core.scope import within


async def credentials_on_file(work: Work, caregiver_id: UUID) -> Sequence[Credential]:
    """Everything in a caregiver's file, newest first."""
    query = (
        select(Credential)
        .where(*within(work.actor, Credential.area_code), Credential.caregiver_id == caregiver_id)
        .order_by(col(Credential.id).desc())
    )
    return (await work.session.exec(query)).all()


async def caregiver_behind(work: Work, credential_id: UUID) -> UUID | None:
    """Whose credential it is, where it lies in reach."""
    query = select(Credential.caregiver_id).where(
        *within(work.actor, Credential.area_code), Credential.id == credential_id
    )
    return (await work.session.exec(query)).one_or_none()


async def lock_credential(work: Work, credential_id: UUID) -> Credential:
    """A credential that is known to be in reach, locked and read anew; the caregiver's lock comes first."""
    query = select(Credential).where(Credential.id == credential_id).with_for_update()
    return (await work.session.exec(query.execution_options(populate_existing=True))).one()


async def is_on_file(work: Work, caregiver_id: UUID, kind: str, valid_from: date, valid_until: date) -> bool:
    """Whether a locked caregiver has one of this kind and these days, recorded or verified."""
    query = select(Credential.id).where(
        Credential.caregiver_id == caregiver_id,
        Credential.kind == kind,
        Credential.valid_from == valid_from,
        Credential.valid_until == valid_until,
        col(Credential.status).in_([CredentialStatus.RECORDED, CredentialStatus.VERIFIED]),
    )
    return (await work.session.exec(query.limit(1))).first() is not None


async def ending_between(work: Work, since: date, until: date) -> Sequence[tuple[Credential, Caregiver]]:
    """Verified credentials that end within some days, of those who still work here."""
    query = (
        select(Credential, Caregiver)
        .join(Caregiver, col(Caregiver.id) == col(Credential.caregiver_id))
        .where(
            Credential.status == CredentialStatus.VERIFIED,
            col(Credential.valid_until).between(since, until),
            or_(col(Caregiver.left_at).is_(None), col(Caregiver.left_at) > work.now),
        )
        .order_by(col(Credential.id))
    )
    return (await work.session.exec(query)).all()


async def verified_of(work: Work, caregiver_ids: Collection[UUID]) -> Sequence[Credential]:
    """Every verified credential of some caregivers."""
    query = select(Credential).where(
        col(Credential.caregiver_id).in_(caregiver_ids), Credential.status == CredentialStatus.VERIFIED
    )
    return (await work.session.exec(query)).all()


async def add_warning(work: Work, credential: Credential, days: int) -> bool:
    """Write down that a warning was given; ``False`` when it was given before."""
    statement = (
        insert(CredentialWarning)
        .values(
            credential_id=credential.id,
            valid_until=credential.valid_until,
            days=days,
            area_code=credential.area_code,
            at=work.now,
        )
        .on_conflict_do_nothing()
    )
    return (await work.sql(statement)).rowcount == 1
