"""Figures that hold from day to day: tariffs, payers' terms, supply prices. What was published stays as it was.

Each thing that has versions in time has a slot, a small number; slot and days go into one ``int8range``, so that
a core GiST index can exclude overlaps (as for double booking; the embedded PostgreSQL has no ``btree_gist``). The
database lets nobody change a version but for an earlier end, and nobody delete one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

from sqlalchemy import BigInteger, Column, Identity, text
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel

from services.core.calendar import FIRST_DAY
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.errors import DomainError

_DAY_BITS = 17
"""The days of the calendar (``calendar.FIRST_DAY`` to ``LAST_DAY``) fit in 17 bits; the slot stands above them."""


class PeriodTaken(DomainError):
    """``valid_from`` in ``extra``: the day that was asked for."""

    status = 409
    code = "period_taken"
    title_zh = "该时间段已有生效或待生效的版本，已公布的版本不能修改"
    title_en = "A published version already covers these days; published versions are never edited"


class StartsInThePast(DomainError):
    status = 422
    code = "starts_in_the_past"
    title_zh = "生效日期不能早于今天"
    title_en = "A version may not take effect before today"


class EffectiveSlot(SQLModel, table=True):
    """One thing that has versions in time; ``key`` names it."""

    __tablename__ = "effective_slot"

    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    key: str = Field(unique=True)


def days_of(slot: int, first: date, end: date | None) -> Range[int]:
    """Slot and days, the end not included; ``None`` for no end."""
    base = slot << _DAY_BITS
    last = 1 << _DAY_BITS if end is None else (end - FIRST_DAY).days
    return Range(base + (first - FIRST_DAY).days, base + last, bounds="[)")


async def slot_of(work: Work, key: str) -> int:
    """The number of a slot, made when it is new."""
    await work.sql(insert(EffectiveSlot).values(key=key).on_conflict_do_nothing())
    return int(
        (await work.sql(text("SELECT number FROM effective_slot WHERE key = :key"), {"key": key})).scalar_one()
    )


def today(work: Work) -> date:
    """The business day of the unit of work."""
    return work.now.astimezone(BUSINESS_ZONE).date()


def require_not_past(work: Work, first: date) -> None:
    """Bills of days that are over rest on what was in force then. Raises ``StartsInThePast``."""
    if first < today(work):
        raise StartsInThePast(field="valid_from")


@asynccontextmanager
async def publishing(work: Work, first: date) -> AsyncIterator[None]:
    """Around the insert of a version: an overlap is refused as ``PeriodTaken``."""
    try:
        async with work.session.begin_nested():
            yield
            await work.session.flush()
    except IntegrityError as error:
        cause = getattr(error.orig, "__cause__", None)
        if str(getattr(cause, "constraint_name", "")).endswith("_no_overlap"):
            raise PeriodTaken(valid_from=first.isoformat()) from error
        raise


async def close_open_version(work: Work, table: str, slot: int, first: date) -> None:
    """End the version in force at ``first`` on that day, so that the next one may begin.

    ``table`` is a name of ours, never input.
    """
    await work.sql(
        text(
            f"UPDATE {table} SET valid_until = :first,"  # noqa: S608  our own table names
            " days = int8range(lower(days), :cut) WHERE slot = :slot AND valid_from < :first"
            " AND (valid_until IS NULL OR valid_until > :first)"
        ),
        {"first": first, "cut": days_of(slot, first, None).lower, "slot": slot},
    )
