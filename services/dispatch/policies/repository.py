"""SQL of dispatch policies and of neighbours."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from services.centres.models import Centre
from services.core.areas import county_of
from services.core.database import Work
from services.dispatch.policies.models import CentreNeighbour, DispatchPolicy

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


async def hold_policy(work: Work, area_code: str, category: str) -> None:
    """Until the end nobody else saves a policy of this place and category."""
    await work.sql(_ONE_AT_A_TIME, {"key": f"dispatch_policy:{area_code}:{category}"})


async def current_policies(work: Work, area_codes: Sequence[str]) -> Sequence[DispatchPolicy]:
    """What is in force at some places; a centre reads its own and its county's."""
    statement = (
        select(DispatchPolicy)
        .where(col(DispatchPolicy.area_code).in_(area_codes), col(DispatchPolicy.ended_at).is_(None))
        .order_by(col(DispatchPolicy.area_code), col(DispatchPolicy.category))
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def policy_versions(work: Work, area_codes: Sequence[str], limit: int) -> Sequence[DispatchPolicy]:
    """Every version that some places have had, newest first."""
    statement = (
        select(DispatchPolicy)
        .where(col(DispatchPolicy.area_code).in_(area_codes))
        .order_by(col(DispatchPolicy.id).desc())
        .limit(limit)
    )
    return (await work.session.exec(statement)).all()


async def neighbour_rows(work: Work, centre_id: UUID) -> Sequence[CentreNeighbour]:
    """Whom a centre has named, in order."""
    statement = (
        select(CentreNeighbour)
        .where(CentreNeighbour.centre_id == centre_id, col(CentreNeighbour.ended_at).is_(None))
        .order_by(col(CentreNeighbour.place))
        .with_for_update(key_share=True)
    )
    return (await work.session.exec(statement)).all()


async def centres_of_county(work: Work, area_code: str) -> Sequence[Centre]:
    """Every centre of the county that an area lies in. Who they are is public."""
    statement = select(Centre).where(col(Centre.area_code).startswith(county_of(area_code)))
    return (await work.session.exec(statement.order_by(col(Centre.area_code)))).all()
