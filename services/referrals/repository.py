"""SQL of referrals, inside the actor's walls."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.centres.models import Centre
from services.core.database import Work
from services.core.scope import within
from services.referrals.models import Referral
from services.referrals.states import ReferralStatus
from services.residents.models import Resident


async def lock_referral(work: Work, referral_id: UUID) -> Referral | None:
    """One referral in reach, locked for a change."""
    statement = (
        select(Referral)
        .where(*within(work.actor, Referral.area_code, Referral.resident_id), Referral.id == referral_id)
        .with_for_update()
    )
    return (await work.session.exec(statement)).one_or_none()


async def page_of_referrals(
    work: Work,
    limit: int,
    before: UUID | None,
    statuses: Sequence[ReferralStatus],
    resident_id: UUID | None,
    alert_id: UUID | None,
) -> Sequence[Referral]:
    """Referrals in reach, newest first."""
    statement = select(Referral).where(*within(work.actor, Referral.area_code, Referral.resident_id))
    if statuses:
        statement = statement.where(col(Referral.status).in_(statuses))
    if resident_id is not None:
        statement = statement.where(Referral.resident_id == resident_id)
    if alert_id is not None:
        statement = statement.where(Referral.alert_id == alert_id)
    if before is not None:
        statement = statement.where(col(Referral.id) < before)
    return (await work.session.exec(statement.order_by(col(Referral.id).desc()).limit(limit))).all()


async def home_of(work: Work, resident_id: UUID) -> tuple[str, UUID] | None:
    """A resident's area and the centre of her town; ``None`` out of reach or without a centre."""
    statement = (
        select(Resident.area_code, Centre.id)
        .join(Centre, col(Resident.area_code).startswith(col(Centre.area_code)))
        .where(*within(work.actor, Resident.area_code, Resident.id), Resident.id == resident_id)
    )
    return (await work.session.exec(statement)).first()
