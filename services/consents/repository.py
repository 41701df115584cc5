"""The consents' SQL, always inside the actor's walls."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlmodel import col, or_, select

from services.consents.models import Consent, ConsentPurpose
from services.core.database import Work
from services.core.scope import within
from services.residents.models import CareRelationship, RelationKind


async def has_in_force(
    work: Work, resident_id: UUID, purpose: ConsentPurpose, scopes: Collection[str], day: date
) -> bool:
    """Whether a consent to a purpose with one of the scopes is in force on a day."""
    statement = select(Consent.id).where(
        *within(work.actor, Consent.area_code, Consent.resident_id),
        Consent.resident_id == resident_id,
        Consent.purpose == purpose,
        col(Consent.scope).in_(scopes),
        col(Consent.ended_at).is_(None),
        or_(col(Consent.valid_until).is_(None), col(Consent.valid_until) >= day),
    )
    return (await work.session.exec(statement.limit(1))).first() is not None


async def scopes_in_force(work: Work, resident_id: UUID, purpose: ConsentPurpose, day: date) -> frozenset[str]:
    """The scopes of all consents to a purpose that are in force on a day."""
    statement = select(Consent.scope).where(
        *within(work.actor, Consent.area_code, Consent.resident_id),
        Consent.resident_id == resident_id,
        Consent.purpose == purpose,
        col(Consent.ended_at).is_(None),
        or_(col(Consent.valid_until).is_(None), col(Consent.valid_until) >= day),
    )
    return frozenset((await work.session.exec(statement)).all())


async def not_ended(work: Work, resident_id: UUID, purpose: ConsentPurpose, scope: str) -> Consent | None:
    """The one consent of a purpose and scope that has not ended; its resident's row is locked by the caller."""
    statement = select(Consent).where(
        Consent.resident_id == resident_id,
        Consent.purpose == purpose,
        Consent.scope == scope,
        col(Consent.ended_at).is_(None),
    )
    return (await work.session.exec(statement)).one_or_none()


async def lock_consent(work: Work, consent_id: UUID) -> Consent | None:
    """A consent in reach, locked for its end."""
    statement = (
        select(Consent)
        .where(Consent.id == consent_id, *within(work.actor, Consent.area_code, Consent.resident_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def page_of_consents(work: Work, resident_id: UUID, limit: int, cursor: UUID | None) -> Sequence[Consent]:
    """A resident's consents, newest first, ended ones included."""
    statement = (
        select(Consent)
        .where(Consent.resident_id == resident_id, *within(work.actor, Consent.area_code, Consent.resident_id))
        .order_by(col(Consent.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(col(Consent.id) < cursor)
    return (await work.session.exec(statement)).all()


async def relation_of(work: Work, resident_id: UUID, account_id: UUID | None) -> Sequence[RelationKind]:
    """How an account stands to a resident at present."""
    statement = select(CareRelationship.kind).where(
        CareRelationship.resident_id == resident_id,
        CareRelationship.account_id == account_id,
        or_(col(CareRelationship.ended_at).is_(None), col(CareRelationship.ended_at) > work.now),
    )
    return [RelationKind(kind) for kind in (await work.session.exec(statement)).all()]
