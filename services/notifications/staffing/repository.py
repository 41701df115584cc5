"""Whom news of caregivers and institutions concerns. Read by the worker, which no wall narrows."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.caregivers.models import Caregiver
from services.core.actor import Role
from services.core.areas import county_of
from services.core.database import Work
from services.identity.models import Account


async def accounts_of_caregiver(work: Work, caregiver_id: UUID) -> Sequence[UUID]:
    """The accounts in use behind a caregiver."""
    query = select(Account.id).where(
        Account.role == Role.CAREGIVER, Account.person_id == caregiver_id, col(Account.disabled_at).is_(None)
    )
    return (await work.session.exec(query.order_by(col(Account.id)))).all()


async def managers_of_centres(work: Work, centre_ids: Sequence[UUID]) -> Sequence[UUID]:
    """The managers in use of some centres."""
    query = select(Account.id).where(
        Account.role == Role.CENTRE_MANAGER,
        col(Account.centre_id).in_(centre_ids),
        col(Account.disabled_at).is_(None),
    )
    return (await work.session.exec(query.order_by(col(Account.id)))).all()


async def officers_of(work: Work, area_code: str) -> Sequence[UUID]:
    """The county's officers in use."""
    query = select(Account.id).where(
        Account.role == Role.COUNTY_OFFICER,
        Account.area_code == county_of(area_code),
        col(Account.disabled_at).is_(None),
    )
    return (await work.session.exec(query.order_by(col(Account.id)))).all()


async def centres_served_by(work: Work, institution_id: UUID) -> Sequence[UUID]:
    """The centres at which an institution's caregivers work."""
    query = select(Caregiver.centre_id).where(Caregiver.institution_id == institution_id).distinct()
    return (await work.session.exec(query)).all()
