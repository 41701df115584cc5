"""The payers' verbs: publishing programmes, who pays on a day, budgets, a resident's vouchers."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta

from services.audit.service import record_read
from services.catalogue.repository import item_by_code
from services.core.areas import county_of
from services.core.database import Work
from services.core.effective import close_open_version, days_of, publishing, require_not_past, slot_of, today
from services.core.money import yuan
from services.payers import repository, vouchers
from services.payers.eligibility import Why, first_problem
from services.payers.errors import NoSuchItem, NoSuchProgramme
from services.payers.models import (
    BudgetPublic,
    BudgetSet,
    Evidence,
    NotIssued,
    PayerBudget,
    PayerKind,
    PayerProgramme,
    ProgrammePublic,
    ProgrammePublish,
    Terms,
    VoucherBalance,
    VouchersIssued,
    VouchersPublic,
)
from services.payers.stacking import Programme, Remaining
from services.residents.models import Resident
from services.residents.service import resident_in_reach

EVIDENCE_WORDS: Mapping[Evidence, Why] = {
    Evidence.VERIFIED_VISIT: Why("visit_not_verified", "服务记录未核验", "The visit is not verified"),
    Evidence.START_CODE: Why("no_start_code", "没有服务码", "The start code was not given"),
    Evidence.CLEAN_VISIT: Why("visit_was_flagged", "服务记录有疑点", "The visit had been flagged"),
}


@dataclass(frozen=True, slots=True)
class Used:
    """What a programme has paid for a resident in a month, held bills included."""

    amount_fen: int = 0
    minutes: int = 0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """All programmes of a county on a day as they stand for one resident, ready for ``stacking.split``."""

    programmes: Sequence[Programme]
    versions: Mapping[str, UUID]
    budgets: Mapping[str, PayerBudget]
    vouchers: frozenset[str]
    names: Mapping[str, tuple[str, str]]


async def standing(
    work: Work,
    resident: Resident,
    day: date,
    used: Mapping[str, Used],
    evidence: Collection[Evidence],
    *,
    estimate: bool = False,
) -> Standing:
    """Which programmes could pay for a service on a day, with what is left of their caps.

    ``estimate``: nothing is locked, and the evidence is taken for given. Else the caller holds the lock of the
    resident's money (``billing.repository.lock_money_of``), and budgets are locked here, in one order.
    """
    rows = await repository.programmes_on(work, resident.area_code, day)
    facts = await vouchers.facts_of(work, resident, day)
    balances = await vouchers.available(work, resident.id, vouchers.month_of(day))
    take = repository.budgets_of if estimate else repository.lock_budgets
    budgets = await take(work, county_of(resident.area_code), [row.code for row in rows], day.year)
    programmes = []
    for row in rows:
        terms = Terms.model_validate(row.terms)
        missing = [one for one in terms.evidence if one not in evidence]
        refused = first_problem(terms.conditions, facts)
        if refused is None and missing and not estimate:
            refused = EVIDENCE_WORDS[missing[0]]
        budget = budgets.get(row.code)
        left = _remaining(terms, used.get(row.code, Used()))
        programmes.append(
            Programme(
                code=row.code,
                name_zh=row.name_zh,
                name_en=row.name_en,
                stacking_order=row.stacking_order,
                terms=terms,
                remaining=Remaining(
                    month_fen=left.month_fen,
                    month_minutes=left.month_minutes,
                    month_visits=left.month_visits,
                    voucher_fen=None if terms.voucher is None else balances.get(row.code, 0),
                    budget_fen=None if budget is None else budget.budget_fen - budget.used_fen,
                ),
                refused=refused,
            )
        )
    if not any(row.kind is PayerKind.PACKAGE for row in rows):
        programmes.append(_package_by_default())
    return Standing(
        programmes=programmes,
        versions={row.code: row.id for row in rows},
        budgets=budgets,
        vouchers=frozenset(one.code for one in programmes if one.terms.voucher is not None),
        names={one.code: (one.name_zh, one.name_en) for one in programmes},
    )


def _package_by_default() -> Programme:
    """A package that was paid for pays, whether or not the county has published its own rule for it."""
    said = next(one for one in default_programmes() if one.kind is PayerKind.PACKAGE)
    return Programme(said.code, said.name_zh, said.name_en, said.stacking_order, said.terms)


def _remaining(terms: Terms, used: Used) -> Remaining:
    def left(cap: int | None, gone: int) -> int | None:
        return None if cap is None else max(cap - gone, 0)

    return Remaining(
        month_fen=left(terms.caps.month_fen, used.amount_fen),
        month_minutes=left(terms.caps.month_minutes, used.minutes),
        month_visits=left(terms.caps.month_visits, used.visits),
    )


async def publish(work: Work, said: ProgrammePublish) -> ProgrammePublic:
    """Publish a version of a programme in the actor's county.

    Raises ``StartsInThePast``, ``PeriodTaken``, ``NoSuchProgramme`` for an exclusion of an unknown one,
    ``NoSuchItem``.
    """
    area_code = county_of(work.actor.area_code)
    for code in said.terms.excludes:
        if not await repository.programme_exists(work, area_code, code):
            raise NoSuchProgramme(field="terms.excludes", programme=code)
    for item in {*said.terms.covers.items, *said.terms.covers.not_items}:
        if await item_by_code(work, item) is None:
            raise NoSuchItem(field="terms.covers", item_code=item)
    require_not_past(work, said.valid_from)
    return ProgrammePublic.model_validate(await _insert(work, area_code, said))


@lru_cache(maxsize=1)
def default_programmes() -> tuple[ProgrammePublish, ...]:
    """The programmes of ``data/programmes.json``, checked."""
    raw = json.loads(files("services.payers").joinpath("data/programmes.json").read_text("utf-8"))
    return tuple(ProgrammePublish.model_validate(one) for one in raw["programmes"])


async def load_programmes(work: Work, area_code: str) -> int:
    """The default programmes of ``data/programmes.json`` for a county that has none of that code; gives how many.

    Those whose rules are not known are frames without effect (``is_active`` false), for the county to fill.
    """
    added = 0
    for said in default_programmes():
        if not await repository.programme_exists(work, area_code, said.code):
            await _insert(work, area_code, said)
            added += 1
    return added


async def _insert(work: Work, area_code: str, said: ProgrammePublish) -> PayerProgramme:
    slot = await slot_of(work, f"payer:{area_code}:{said.code}")
    await close_open_version(work, "payer_programme", slot, said.valid_from)
    row = PayerProgramme(
        **said.model_dump(exclude={"terms"}),
        terms=said.terms.model_dump(mode="json"),
        slot=slot,
        days=days_of(slot, said.valid_from, said.valid_until),
        area_code=area_code,
        published_by=work.actor.account_id,
        published_at=work.now,
    )
    async with publishing(work, said.valid_from):
        work.session.add(row)
    return row


async def list_programmes(
    work: Work, limit: int, cursor: UUID | None, code: str | None, day: date | None
) -> list[ProgrammePublic]:
    """Versions of the county, newest first; with ``day`` those in force then."""
    rows = await repository.programmes_page(work, limit, cursor, code, day)
    return [ProgrammePublic.model_validate(row) for row in rows]


async def set_budget(work: Work, said: BudgetSet) -> BudgetPublic:
    """What a programme may spend in a year. Raises ``NoSuchProgramme``."""
    area_code = county_of(work.actor.area_code)
    if not await repository.programme_exists(work, area_code, said.programme):
        raise NoSuchProgramme(field="programme")
    return _budget(await repository.put_budget(work, area_code, said.programme, said.year, said.budget_fen))


async def use_budgets(work: Work, area_code: str, year: int, amounts: Mapping[str, int]) -> None:
    """Count shares against the year's budgets of their programmes; below zero gives back."""
    rows = await repository.lock_budgets(work, county_of(area_code), sorted(amounts), year)
    for code, row in rows.items():
        row.used_fen += amounts[code]
    await work.session.flush()


async def list_budgets(work: Work, limit: int, cursor: UUID | None) -> list[BudgetPublic]:
    """Budgets in the actor's area, newest first."""
    return [_budget(row) for row in await repository.budgets_page(work, limit, cursor)]


def _budget(row: PayerBudget) -> BudgetPublic:
    return BudgetPublic(**row.model_dump(), left_fen=row.budget_fen - row.used_fen)


async def vouchers_of(work: Work, resident_id: UUID) -> VouchersPublic:
    """A resident's vouchers in plain words; leaves a row in the access log. Raises ``NotFound``."""
    resident = await resident_in_reach(work, resident_id)
    await record_read(work, [resident.id], "vouchers", ["balances"])
    return VouchersPublic(resident_id=resident.id, vouchers=await _balances(work, resident))


async def issue_vouchers(work: Work, resident_id: UUID) -> VouchersIssued:
    """This month's vouchers for one resident, as far as she is eligible; a repeat issues nothing more."""
    resident = await resident_in_reach(work, resident_id)
    day = today(work)
    refused = []
    for programme in await repository.programmes_on(work, resident.area_code, day):
        if Terms.model_validate(programme.terms).voucher is not None:
            why = await vouchers.issue(work, programme, resident)
            if why is not None:
                refused.append(NotIssued(programme=programme.code, code=why.code, zh=why.zh, en=why.en))
    await record_read(work, [resident.id], "vouchers", ["balances"])
    return VouchersIssued(resident_id=resident.id, vouchers=await _balances(work, resident), not_issued=refused)


async def _balances(work: Work, resident: Resident) -> list[VoucherBalance]:
    rows = await repository.vouchers_of(work, resident.id)
    names = await repository.names_of(work, resident.area_code, sorted({row.programme for row in rows}))
    return [_balance(work, row, *names.get(row.programme, (row.programme, row.programme))) for row in rows]


def _balance(work: Work, row: Any, name_zh: str, name_en: str) -> VoucherBalance:
    first = date.fromisoformat(f"{row.period}-01")
    last = first + relativedelta(months=1) - timedelta(days=1)
    issued, used = yuan(row.issued), yuan(row.redeemed)
    if last < today(work):
        end_zh, end_en = f"已过期{yuan(row.expired)}元。", f"{yuan(row.expired)} expired."
    else:
        end_zh = f"还可用{yuan(row.available)}元，有效期至{last.month}月{last.day}日。"
        end_en = f"{yuan(row.available)} left until {last.isoformat()}."
    return VoucherBalance(
        programme=row.programme,
        name_zh=name_zh,
        name_en=name_en,
        month=row.period,
        issued_fen=row.issued,
        available_fen=row.available,
        reserved_fen=row.reserved,
        redeemed_fen=row.redeemed,
        expired_fen=row.expired,
        words_zh=f"{first.year}年{first.month}月{name_zh}共{issued}元，已用{used}元，{end_zh}",
        words_en=f"{row.period}, {name_en}: {issued} yuan issued, {used} used, {end_en}",
    )
