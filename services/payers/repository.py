"""The payers' SQL. Terms are public; budgets are the county's; residents come through their own walls."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, or_, select

from services.core.database import Work
from services.core.ids import new_id
from services.core.scope import within
from services.payers.models import PayerBudget, PayerProgramme, VoucherRound
from services.residents.models import Resident


async def programmes_on(work: Work, area_code: str, day: date) -> Sequence[PayerProgramme]:
    """Every programme in force in an area on a day, in stacking order."""
    statement = (
        select(PayerProgramme)
        .where(
            col(PayerProgramme.area_code).in_([area_code[:length] for length in (2, 4, 6, 9, 12)]),
            col(PayerProgramme.is_active),
            col(PayerProgramme.valid_from) <= day,
            or_(col(PayerProgramme.valid_until).is_(None), col(PayerProgramme.valid_until) > day),
        )
        .order_by(col(PayerProgramme.stacking_order), col(PayerProgramme.code))
    )
    return (await work.session.exec(statement)).all()


async def programmes_page(
    work: Work, limit: int, cursor: UUID | None, code: str | None, day: date | None
) -> Sequence[PayerProgramme]:
    """Versions of the actor's county, newest first."""
    statement = (
        select(PayerProgramme)
        .where(col(PayerProgramme.area_code).startswith(work.actor.area_code[:6]))
        .order_by(col(PayerProgramme.id).desc())
        .limit(limit)
    )
    if code is not None:
        statement = statement.where(PayerProgramme.code == code)
    if day is not None:
        statement = statement.where(
            col(PayerProgramme.valid_from) <= day,
            or_(col(PayerProgramme.valid_until).is_(None), col(PayerProgramme.valid_until) > day),
        )
    if cursor is not None:
        statement = statement.where(col(PayerProgramme.id) < cursor)
    return (await work.session.exec(statement)).all()


async def voucher_programmes(work: Work, day: date) -> Sequence[PayerProgramme]:
    """Programmes of all counties that are in force on a day and issue vouchers."""
    statement = select(PayerProgramme).where(
        col(PayerProgramme.is_active),
        col(PayerProgramme.terms)["voucher"].astext.is_not(None),
        col(PayerProgramme.valid_from) <= day,
        or_(col(PayerProgramme.valid_until).is_(None), col(PayerProgramme.valid_until) > day),
    )
    return (await work.session.exec(statement.order_by(col(PayerProgramme.id)))).all()


async def latest_voucher_terms(work: Work) -> Sequence[PayerProgramme]:
    """The newest version of every programme that has ever issued vouchers."""
    statement = (
        select(PayerProgramme)
        .where(col(PayerProgramme.terms)["voucher"].astext.is_not(None))
        .order_by(col(PayerProgramme.valid_from))
    )
    rows = (await work.session.exec(statement)).all()
    return list({(row.area_code, row.code): row for row in rows}.values())


async def names_of(work: Work, area_code: str, codes: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """The newest names of programmes, whatever became of them."""
    statement = (
        select(PayerProgramme.code, PayerProgramme.name_zh, PayerProgramme.name_en)
        .where(
            col(PayerProgramme.code).in_(codes),
            col(PayerProgramme.area_code).in_([area_code[:length] for length in (2, 4, 6, 9, 12)]),
        )
        .order_by(col(PayerProgramme.valid_from))
    )
    return {code: (zh, en) for code, zh, en in (await work.session.exec(statement)).all()}


async def programme_exists(work: Work, area_code: str, code: str) -> bool:
    """Whether a county has ever published such a programme."""
    statement = select(PayerProgramme.id).where(PayerProgramme.area_code == area_code, PayerProgramme.code == code)
    return (await work.session.exec(statement.limit(1))).first() is not None


async def lock_budgets(work: Work, area_code: str, codes: Sequence[str], year: int) -> Mapping[str, PayerBudget]:
    """The year's budgets of programmes, locked in the order of their codes."""
    statement = (
        select(PayerBudget)
        .where(PayerBudget.area_code == area_code, col(PayerBudget.programme).in_(codes), PayerBudget.year == year)
        .order_by(col(PayerBudget.programme))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.programme: row for row in (await work.session.exec(statement)).all()}


async def budgets_of(work: Work, area_code: str, codes: Sequence[str], year: int) -> Mapping[str, PayerBudget]:
    """The same without a lock, for an estimate."""
    statement = select(PayerBudget).where(
        PayerBudget.area_code == area_code, col(PayerBudget.programme).in_(codes), PayerBudget.year == year
    )
    return {row.programme: row for row in (await work.session.exec(statement)).all()}


async def budgets_page(work: Work, limit: int, cursor: UUID | None) -> Sequence[PayerBudget]:
    """Budgets of the actor's county, newest first."""
    statement = (
        select(PayerBudget)
        .where(*within(work.actor, PayerBudget.area_code))
        .order_by(col(PayerBudget.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(col(PayerBudget.id) < cursor)
    return (await work.session.exec(statement)).all()


async def put_budget(work: Work, area_code: str, programme: str, year: int, budget_fen: int) -> PayerBudget:
    """Set a year's budget, whatever has been used of it."""
    statement = (
        insert(PayerBudget)
        .values(
            id=new_id(),
            area_code=area_code,
            programme=programme,
            year=year,
            budget_fen=budget_fen,
            used_fen=0,
            version=1,
        )
        .on_conflict_do_update(
            index_elements=["area_code", "programme", "year"],
            set_={"budget_fen": budget_fen, "version": PayerBudget.version + 1},
        )
    )
    await work.sql(statement)
    found = await work.session.exec(
        select(PayerBudget)
        .where(PayerBudget.area_code == area_code, PayerBudget.programme == programme, PayerBudget.year == year)
        .execution_options(populate_existing=True)
    )
    return found.one()


async def take_round(work: Work, area_code: str, programme: str, day: date) -> VoucherRound | None:
    """Today's round of a programme, locked; ``None`` when it is finished or somebody is at it."""
    await work.sql(
        insert(VoucherRound)
        .values(area_code=area_code, programme=programme, day=day, issued=0)
        .on_conflict_do_nothing()
    )
    statement = (
        select(VoucherRound)
        .where(
            VoucherRound.area_code == area_code,
            VoucherRound.programme == programme,
            VoucherRound.day == day,
            col(VoucherRound.finished_at).is_(None),
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


_NEXT = text(
    """
    SELECT r.id FROM resident r
    WHERE starts_with(r.area_code, :area) AND (CAST(:after AS uuid) IS NULL OR r.id > :after)
      AND r.birth_date <= :born_until
      AND NOT EXISTS (SELECT FROM ledger_transaction t WHERE t.key = :prefix || r.id::text)
    ORDER BY r.id LIMIT :limit
    """
)


async def next_residents(
    work: Work, area_code: str, after: UUID | None, born_until: date, key_prefix: str, limit: int
) -> list[UUID]:
    """Residents after a key who are old enough and have no voucher of the month yet."""
    rows = await work.sql(
        _NEXT,
        {"area": area_code, "after": after, "born_until": born_until, "prefix": key_prefix, "limit": limit},
    )
    return list(rows.scalars())


async def residents_by_id(work: Work, ids: Sequence[UUID]) -> Sequence[Resident]:
    """Residents by key, for the round of the vouchers."""
    return (
        await work.session.exec(select(Resident).where(col(Resident.id).in_(ids)).order_by(col(Resident.id)))
    ).all()


_VOUCHERS = text(
    """
    SELECT a.programme, a.period,
           coalesce(sum(p.amount_fen) FILTER (WHERE t.kind = 'voucher_issue'), 0)::bigint AS issued,
           coalesce(sum(p.amount_fen) FILTER (WHERE a.kind = 'voucher_available'), 0)::bigint AS available,
           coalesce(sum(p.amount_fen) FILTER (WHERE a.kind = 'voucher_reserved'), 0)::bigint AS reserved,
           coalesce(-sum(p.amount_fen) FILTER (WHERE t.kind = 'voucher_redeem'), 0)::bigint AS redeemed,
           coalesce(-sum(p.amount_fen) FILTER (WHERE t.kind = 'voucher_expire'), 0)::bigint AS expired
    FROM ledger_posting p
    JOIN ledger_account a ON a.id = p.account_id
    JOIN ledger_transaction t ON t.id = p.transaction_id
    WHERE a.resident_id = :resident_id AND a.kind IN ('voucher_available', 'voucher_reserved')
    GROUP BY a.programme, a.period
    ORDER BY a.period DESC, a.programme
    """
)


async def vouchers_of(work: Work, resident_id: UUID) -> Sequence[Any]:
    """What became of each month's vouchers, straight from the postings."""
    return (await work.sql(_VOUCHERS, {"resident_id": resident_id})).all()
