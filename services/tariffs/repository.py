"""The tariffs' SQL. Prices are public: no scope on reading them."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, or_, select

from services.core.database import Work
from services.tariffs.models import SupplyPrice, Tariff

_IN_FORCE = """
FROM {table} v JOIN centre c ON c.id = :centre_id
WHERE v.{code} = :code AND starts_with(c.area_code, v.area_code)
  AND (v.centre_id IS NULL OR v.centre_id = :centre_id)
  AND (v.institution_id IS NULL OR v.institution_id = :institution_id)
  AND v.valid_from <= :day AND (v.valid_until IS NULL OR v.valid_until > :day)
ORDER BY v.institution_id IS NULL, v.centre_id IS NULL
LIMIT 1
"""
"""The narrowest version in force: institution and centre, institution, centre, county."""

_RULE = text("SELECT v.price_rule " + _IN_FORCE.format(table="tariff", code="item_code")).columns(price_rule=JSONB)
_SUPPLY = text("SELECT v.* " + _IN_FORCE.format(table="supply_price", code="code"))


async def rule_in_force(
    work: Work, item_code: str, centre_id: UUID, institution_id: UUID | None, day: date
) -> dict[str, Any] | None:
    """The price rule of the narrowest tariff on a day."""
    found = await work.sql(
        _RULE, {"code": item_code, "centre_id": centre_id, "institution_id": institution_id, "day": day}
    )
    rule: dict[str, Any] | None = found.scalar_one_or_none()
    return rule


async def supply_in_force(
    work: Work, code: str, centre_id: UUID, institution_id: UUID | None, day: date
) -> Any | None:
    """The narrowest price of a supply on a day."""
    found = await work.sql(
        _SUPPLY, {"code": code, "centre_id": centre_id, "institution_id": institution_id, "day": day}
    )
    return found.one_or_none()


async def tariffs_page(
    work: Work,
    limit: int,
    cursor: UUID | None,
    item_code: str | None,
    institution_id: UUID | None,
    day: date | None,
) -> Sequence[Tariff]:
    """Versions of the actor's county, newest first."""
    statement = (
        select(Tariff)
        .where(col(Tariff.area_code).startswith(work.actor.area_code[:6]))
        .order_by(col(Tariff.id).desc())
        .limit(limit)
    )
    if item_code is not None:
        statement = statement.where(Tariff.item_code == item_code)
    if institution_id is not None:
        statement = statement.where(Tariff.institution_id == institution_id)
    if day is not None:
        statement = statement.where(
            col(Tariff.valid_from) <= day, or_(col(Tariff.valid_until).is_(None), col(Tariff.valid_until) > day)
        )
    if cursor is not None:
        statement = statement.where(col(Tariff.id) < cursor)
    return (await work.session.exec(statement)).all()


async def supplies_page(
    work: Work, limit: int, cursor: UUID | None, code: str | None, day: date | None
) -> Sequence[SupplyPrice]:
    """Versions of the actor's county, newest first."""
    statement = (
        select(SupplyPrice)
        .where(col(SupplyPrice.area_code).startswith(work.actor.area_code[:6]))
        .order_by(col(SupplyPrice.id).desc())
        .limit(limit)
    )
    if code is not None:
        statement = statement.where(SupplyPrice.code == code)
    if day is not None:
        statement = statement.where(
            col(SupplyPrice.valid_from) <= day,
            or_(col(SupplyPrice.valid_until).is_(None), col(SupplyPrice.valid_until) > day),
        )
    if cursor is not None:
        statement = statement.where(col(SupplyPrice.id) < cursor)
    return (await work.session.exec(statement)).all()
