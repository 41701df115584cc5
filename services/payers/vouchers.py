"""The life of a voucher, all of it in the ledger: issued, reserved, redeemed, released, expired.

A month's voucher is a balance of the resident on the guarded account ``voucher_available``: the database lets
nobody spend it twice. A held bill sets its part aside (``voucher_reserved``); a bill that is due redeems. What is
left when the month and its days of grace are over expires. For every programme and month
issued = available + reserved + redeemed + expired, always.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from dateutil.relativedelta import relativedelta

from services.assessments.service import ability_level_on
from services.core.areas import town_of
from services.core.database import Work
from services.core.effective import today
from services.ledger import repository as ledger_rows
from services.ledger.entries import Account, Entry, sides
from services.ledger.models import AccountKind, Book, LedgerAccount
from services.ledger.service import post
from services.payers import repository
from services.payers.eligibility import AgeCondition, ResidentFacts, Why, first_problem
from services.payers.models import PayerProgramme, Terms
from services.residents.identity_numbers import age_on
from services.residents.models import Resident

BATCH = 200
"""Residents, or balances, of one unit of work."""

ISSUE, RESERVE, REDEEM, EXPIRE = "voucher_issue", "voucher_reserve", "voucher_redeem", "voucher_expire"
"""Kinds of ledger transactions."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a bill takes of one programme's voucher."""

    programme: str
    month: str
    amount_fen: int


def month_of(day: date) -> str:
    """``2026-11``."""
    return f"{day:%Y-%m}"


async def facts_of(work: Work, resident: Resident, day: date) -> ResidentFacts:
    """The resident as the conditions see her, on the day of service."""
    return ResidentFacts(
        age=age_on(resident.birth_date, day),
        categories=frozenset(resident.categories),
        ability_level=await ability_level_on(work, resident.id, day),
    )


async def issue(work: Work, programme: PayerProgramme, resident: Resident) -> Why | None:
    """This month's voucher, once; gives the reason when she gets none. Idempotent by resident and month."""
    terms = Terms.model_validate(programme.terms)
    day = today(work)
    problem = first_problem(terms.conditions, await facts_of(work, resident, day))
    if problem is not None or terms.voucher is None:
        return problem
    key = issue_key(programme, day) + str(resident.id)
    if await ledger_rows.transaction_by_key(work, key) is not None:
        return None  # issued before, perhaps by terms that have changed since
    accounts = _accounts(programme.code, resident.id, resident.area_code, month_of(day))
    amount = terms.voucher.monthly_fen
    await post(
        work,
        Entry(
            key=key,
            kind=ISSUE,
            area_code=resident.area_code,
            resident_id=resident.id,
            postings=sides([(accounts.available, amount), (accounts.issued, -amount)]),
        ),
    )
    return None


def issue_key(programme: PayerProgramme, day: date) -> str:
    """The beginning of the key of every issue of a programme in a month; the resident follows."""
    return f"voucher:issue:{programme.area_code}:{programme.code}:{month_of(day)}:"


async def issue_due(work: Work) -> int:
    """The next residents of today's rounds; gives how many vouchers were issued. For the worker, again and again.

    Every day all residents without this month's voucher are looked at once, so that who becomes eligible within
    the month gets it the next day. Killed and started again, a round goes on where it stopped.
    """
    day, issued = today(work), 0
    for programme in await repository.voucher_programmes(work, day):
        turn = await repository.take_round(work, programme.area_code, programme.code, day)
        if turn is None:
            continue
        ids = await repository.next_residents(
            work,
            programme.area_code,
            turn.last_resident_id,
            _born_until(Terms.model_validate(programme.terms), day),
            issue_key(programme, day),
            BATCH,
        )
        for resident in await repository.residents_by_id(work, ids):
            if await issue(work, programme, resident) is None:
                turn.issued += 1
                issued += 1
        if len(ids) < BATCH:
            turn.finished_at = work.now
        if ids:
            turn.last_resident_id = ids[-1]
    await work.session.flush()
    return issued


async def available(work: Work, resident_id: UUID, month: str) -> Mapping[str, int]:
    """What is left on the vouchers of a month, by programme."""
    rows = await ledger_rows.guarded_balances(work, resident_id, AccountKind.VOUCHER_AVAILABLE, month)
    return {programme: balance for (programme, _), balance in rows.items()}


def reserve_entry(settlement_id: UUID, revision: int, resident_id: UUID, area_code: str, drawn: Drawn) -> Entry:
    """Set a part aside for a held bill; reversing it releases."""
    accounts = _accounts(drawn.programme, resident_id, area_code, drawn.month)
    return Entry(
        key=f"voucher:reserve:{settlement_id}:{revision}:{drawn.programme}",
        kind=RESERVE,
        area_code=area_code,
        resident_id=resident_id,
        settlement_id=settlement_id,
        postings=sides([(accounts.reserved, drawn.amount_fen), (accounts.available, -drawn.amount_fen)]),
    )


def redeem_entry(settlement_id: UUID, revision: int, resident_id: UUID, area_code: str, drawn: Drawn) -> Entry:
    """Spend a part on a bill that is due; reversing it gives it back."""
    accounts = _accounts(drawn.programme, resident_id, area_code, drawn.month)
    return Entry(
        key=f"voucher:redeem:{settlement_id}:{revision}:{drawn.programme}",
        kind=REDEEM,
        area_code=area_code,
        resident_id=resident_id,
        settlement_id=settlement_id,
        postings=sides([(accounts.redeemed, drawn.amount_fen), (accounts.available, -drawn.amount_fen)]),
    )


async def expire_due(work: Work) -> int:
    """Let what is left of months that are over, grace included, expire; gives how many. For the worker."""
    day, expired = today(work), 0
    for programme in await repository.latest_voucher_terms(work):
        voucher = Terms.model_validate(programme.terms).voucher
        if voucher is None:
            continue
        before = month_of(day - timedelta(days=voucher.grace_days))
        rows = await ledger_rows.left_over(
            work, AccountKind.VOUCHER_AVAILABLE, programme.code, programme.area_code, before, BATCH
        )
        for account, balance in rows:
            await post(work, _expire_entry(account, balance, day))
            expired += 1
    return expired


@dataclass(frozen=True, slots=True)
class _Accounts:
    available: Account
    reserved: Account
    issued: Account
    redeemed: Account


def _accounts(programme: str, resident_id: UUID, area_code: str, month: str) -> _Accounts:
    def own(kind: AccountKind) -> Account:
        return Account(Book.VOUCHER, kind, area_code, programme, resident_id=resident_id, period=month)

    def of_town(kind: AccountKind) -> Account:
        return Account(Book.VOUCHER, kind, town_of(area_code), programme, period=month)

    return _Accounts(
        own(AccountKind.VOUCHER_AVAILABLE),
        own(AccountKind.VOUCHER_RESERVED),
        of_town(AccountKind.VOUCHER_ISSUED),
        of_town(AccountKind.VOUCHER_REDEEMED),
    )


def _expire_entry(account: LedgerAccount, balance: int, day: date) -> Entry:
    """Once a day at most; what a later adjustment gives back of an old month expires on another day."""
    own = Account(
        Book.VOUCHER,
        account.kind,
        account.area_code,
        account.programme,
        resident_id=account.resident_id,
        period=account.period,
    )
    gone = Account(
        Book.VOUCHER,
        AccountKind.VOUCHER_EXPIRED,
        town_of(account.area_code),
        account.programme,
        period=account.period,
    )
    return Entry(
        key=f"voucher:expire:{account.id}:{day.isoformat()}",
        kind=EXPIRE,
        area_code=account.area_code,
        resident_id=account.resident_id,
        postings=sides([(gone, balance), (own, -balance)]),
    )


def _born_until(terms: Terms, day: date) -> date:
    """The latest birthday that the age conditions allow: a cheap first sieve of the round."""
    at_least = max((one.at_least for one in terms.conditions if isinstance(one, AgeCondition)), default=0)
    return day - relativedelta(years=at_least)
