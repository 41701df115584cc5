"""SQL of residents. Every query is narrowed to the actor's area and care relationships."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Interval, Uuid, bindparam, text
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.scope import within, within_or_aided
from services.residents.disclosure import Engagement
from services.residents.models import CareRelationship, EmergencyContact, Resident

# Bookings, visits and offers belong to later domains, which import this one: only their columns are read.
_ENGAGEMENT = text(
    """
    SELECT bool_or(near), bool_or(ahead) FROM (
        SELECT starts_at - :margin <= :now AND ends_at + :margin >= :now AS near, starts_at >= :now AS ahead
        FROM booking WHERE caregiver_id = :caregiver_id AND resident_id = :resident_id AND is_active
        UNION ALL
        SELECT starts_at - :margin <= :now
               AND greatest(ends_at, coalesce(check_out_at, ends_at)) + :margin >= :now, starts_at >= :now
        FROM visit
        WHERE caregiver_id = :caregiver_id AND resident_id = :resident_id AND status <> 'cancelled'
        UNION ALL
        SELECT false, expires_at > :now
        FROM offer
        WHERE caregiver_id = :caregiver_id AND resident_id = :resident_id AND status IN ('sent', 'viewed')
    ) engagements
    """
).bindparams(
    bindparam("now", type_=UtcDateTime()),
    bindparam("margin", type_=Interval()),
    bindparam("caregiver_id", type_=Uuid()),
    bindparam("resident_id", type_=Uuid()),
)


def within_reach(work: Work) -> SelectOfScalar[Resident]:
    """All residents that the actor's area and care relationships let through."""
    return select(Resident).where(*within(work.actor, Resident.area_code, Resident.id))


async def get_resident(work: Work, resident_id: UUID) -> Resident | None:
    """One resident within reach."""
    return (await work.session.exec(within_reach(work).where(Resident.id == resident_id))).one_or_none()


async def get_for_card(work: Work, resident_id: UUID) -> Resident | None:
    """One resident whose emergency card is open to the actor: within reach, or aided."""
    query = select(Resident).where(
        within_or_aided(work.actor, Resident.area_code, Resident.id), Resident.id == resident_id
    )
    return (await work.session.exec(query)).one_or_none()


async def lock_resident(work: Work, resident_id: UUID) -> Resident | None:
    """One resident within reach, locked for a change."""
    query = within_reach(work).where(Resident.id == resident_id).with_for_update()
    return (await work.session.exec(query)).one_or_none()


async def page_of_residents(
    work: Work, limit: int, before: UUID | None, name: str | None, phone_lookup: str | None
) -> Sequence[Resident]:
    """Residents within reach, newest entry first, by a part of the name or by the whole number."""
    query = within_reach(work)
    if name is not None:
        query = query.where(col(Resident.name).contains(name, autoescape=True))
    if phone_lookup is not None:
        query = query.where(Resident.phone_lookup == phone_lookup)
    if before is not None:
        query = query.where(col(Resident.id) < before)
    return (await work.session.exec(query.order_by(col(Resident.id).desc()).limit(limit))).all()


async def contacts_of(work: Work, resident_id: UUID) -> Sequence[EmergencyContact]:
    """Emergency contacts in the order of calling; they are part of the emergency card."""
    query = (
        select(EmergencyContact)
        .where(
            within_or_aided(work.actor, EmergencyContact.area_code, EmergencyContact.resident_id),
            EmergencyContact.resident_id == resident_id,
        )
        .order_by(col(EmergencyContact.call_order), col(EmergencyContact.id))
    )
    return (await work.session.exec(query)).all()


async def my_relationships(work: Work) -> Sequence[tuple[CareRelationship, Resident]]:
    """The actor's own relationships that are in force, with their residents."""
    query = (
        select(CareRelationship, Resident)
        .join(Resident, col(Resident.id) == col(CareRelationship.resident_id))
        .where(
            CareRelationship.account_id == work.actor.account_id,
            col(CareRelationship.ended_at).is_(None),
            col(Resident.id).in_(work.actor.resident_ids or ()),
        )
        .order_by(col(Resident.name), col(Resident.id))
    )
    return (await work.session.exec(query)).all()


async def may_see_health(work: Work, resident_id: UUID) -> bool:
    """Whether a relationship of the actor's that is in force includes health data."""
    query = select(CareRelationship.id).where(
        CareRelationship.account_id == work.actor.account_id,
        CareRelationship.resident_id == resident_id,
        col(CareRelationship.ended_at).is_(None),
        col(CareRelationship.may_see_health),
    )
    return (await work.session.exec(query.limit(1))).one_or_none() is not None


async def engagement_of(work: Work, resident_id: UUID, margin: timedelta) -> Engagement:
    """How the acting caregiver stands to a resident at present."""
    found = await work.sql(
        _ENGAGEMENT,
        {
            "caregiver_id": work.actor.person_id,
            "resident_id": resident_id,
            "now": work.now,
            "margin": margin,
        },
    )
    near, ahead = found.one()
    if near:
        return Engagement.IN_CARE
    return Engagement.PLANNED if ahead else Engagement.NONE
