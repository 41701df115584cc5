"""The ledger: every book adds up, nothing is ever changed, all happens once; the database itself sees to it."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.core.actor import Role
from services.core.database import Work
from services.core.ids import new_id
from services.ledger import repository
from services.ledger.entries import Account, Entry, Posting, reversed_sides, sides, sums_of
from services.ledger.errors import AlreadyReversed, LedgerKeyReused, NotEnough
from services.ledger.models import AccountKind, Book
from services.ledger.service import list_transactions, post, reverse, trial_balance
from tests.ordering import Ordering

CROWD = 64


def account(kind: AccountKind, book: Book = Book.ELDERCARE, area: str = "430121107", **more: object) -> Account:
    return Account(book, kind, area, **more)  # type: ignore[arg-type]


def sale(area: str, fen: int, key: str | None = None) -> Entry:
    """A household owes for a service."""
    return Entry(
        key=key or f"test:{new_id()}",
        kind="bill",
        area_code=area,
        postings=sides(
            [
                (account(AccountKind.RECEIVABLE_HOUSEHOLD, area=area), fen),
                (account(AccountKind.INCOME, area=area), -fen),
            ]
        ),
    )


def voucher(ordering: Ordering, resident_id: UUID, fen: int, kind: str = "voucher_issue") -> Entry:
    """So much onto a resident's voucher, or off it."""
    area = ordering.world.here.town
    own = account(
        AccountKind.VOUCHER_AVAILABLE, Book.VOUCHER, area, programme="v", resident_id=resident_id, period="2026-11"
    )
    other = account(AccountKind.VOUCHER_ISSUED, Book.VOUCHER, area, programme="v", period="2026-11")
    return Entry(key=f"test:{new_id()}", kind=kind, area_code=area, postings=sides([(own, fen), (other, -fen)]))


ACCOUNTS = [account(kind, book) for kind in AccountKind for book in Book]
PAIRS = st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.integers(-(10**12), 10**12)), max_size=12)


@given(PAIRS)
def test_sides_lose_nothing_and_hold_no_zero(pairs: list[tuple[Account, int]]) -> None:
    made = sides(pairs)
    assert all(posting.amount_fen for posting in made)
    for one in {named for named, _ in pairs}:
        assert sum(p.amount_fen for p in made if p.account == one) == sum(
            fen for named, fen in pairs if named == one
        )


@given(PAIRS)
def test_an_entry_balances_in_each_book_or_is_none(pairs: list[tuple[Account, int]]) -> None:
    postings = sides(pairs)
    balanced = len(postings) >= 2 and not any(sums_of(postings).values())
    if balanced:
        entry = Entry(key="k", kind="t", area_code="1", postings=postings)
        assert not any(sums_of((*entry.postings, *reversed_sides(entry.postings))).values())
    else:
        with pytest.raises(ValueError, match="an entry"):
            Entry(key="k", kind="t", area_code="1", postings=postings)


def test_money_of_one_book_does_not_pay_another() -> None:
    with pytest.raises(ValueError, match="each book"):
        Entry(
            key="k",
            kind="t",
            area_code="1",
            postings=(
                Posting(account(AccountKind.RECEIVABLE_HOUSEHOLD, Book.MEDICAL), 5),
                Posting(account(AccountKind.INCOME, Book.ELDERCARE), -5),
            ),
        )


async def test_posted_once_however_often_and_at_once(ordering: Ordering) -> None:
    entry = sale(ordering.world.here.town, 1234)

    async def once() -> UUID:
        async with ordering.work() as work:
            return (await post(work, entry))[0]

    assert len({*await asyncio.gather(*(once() for _ in range(CROWD)))}) == 1
    async with ordering.work() as work:
        sums = (await trial_balance(work, None)).sums_fen
        assert set(sums.values()) == {0}
        with pytest.raises(LedgerKeyReused):
            await post(work, sale(ordering.world.here.town, 1235, entry.key))


async def test_reversed_once(ordering: Ordering) -> None:
    town = ordering.world.here.town
    async with ordering.work() as work:
        (posted,) = await post(work, sale(town, 700))
    async with ordering.work() as work:
        back = await reverse(work, posted, "test")
    async with ordering.work() as work:
        with pytest.raises(AlreadyReversed):
            await reverse(work, posted, "test")
        rows = {row.id: row for row in await list_transactions(work, 10, None, None, None)}
        assert rows[back].reverses_id == posted
        forth = {side.account_id: side.amount_fen for side in rows[posted].postings}
        assert {side.account_id: -side.amount_fen for side in rows[back].postings} == forth


async def raw(work: Work, *statements: str, **values: object) -> None:
    for statement in statements:
        await work.sql(text(statement), values)


_BARE = (
    "INSERT INTO ledger_transaction (id, key, kind, area_code, business_day, at, role, fingerprint, postings)"
    " VALUES (:id, gen_random_uuid()::text, 't', '1', current_date, now(), 'system', '', :postings)"
)
_SIDE = (
    "INSERT INTO ledger_posting (id, transaction_id, account_id, area_code, amount_fen)"
    " SELECT gen_random_uuid(), :id, id, '1', CAST(:fen AS bigint) FROM ledger_account"
    " WHERE kind = 'income' ORDER BY id LIMIT 1"
)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda work: raw(work, _BARE, _SIDE, id=new_id(), postings=2, fen=5),
        lambda work: raw(work, _BARE, id=new_id(), postings=2),
        lambda work: raw(work, "UPDATE ledger_posting SET amount_fen = amount_fen + 1"),
        lambda work: raw(work, "DELETE FROM ledger_posting"),
        lambda work: raw(work, "UPDATE ledger_transaction SET kind = 'x'"),
        lambda work: raw(work, "DELETE FROM ledger_transaction"),
        lambda work: raw(work, "UPDATE ledger_account SET period = '2026-01'"),
        lambda work: raw(
            work,
            "INSERT INTO ledger_posting SELECT gen_random_uuid(), transaction_id, account_id, area_code,"
            " resident_id, amount_fen FROM ledger_posting",
        ),
    ],
    ids=["one side", "no side", "change", "delete", "change head", "delete head", "change account", "add sides"],
)
async def test_the_database_refuses_on_its_own(ordering: Ordering, break_it: Callable[[Work], object]) -> None:
    """Even the owner of the tables, which no policy binds."""
    async with ordering.work() as work:
        await post(work, sale(ordering.world.here.town, 50))
    with pytest.raises(DBAPIError, match=r"balance|keeps every row"):
        async with ordering.work() as work:
            await break_it(work)  # type: ignore[misc]


async def test_people_may_not_write_balances(ordering: Ordering) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
            await raw(work, "UPDATE ledger_balance SET balance_fen = 1")


async def test_a_guarded_account_never_falls_below_zero_in_a_crowd(ordering: Ordering) -> None:
    """64 at once want 10 yuan each of 250: 25 get it."""
    resident = ordering.world.here.households[0].resident.id
    async with ordering.work() as work:
        await post(work, voucher(ordering, resident, 25_000))

    async def spend() -> bool:
        try:
            async with ordering.work() as work:
                await post(work, voucher(ordering, resident, -1_000, "voucher_redeem"))
        except NotEnough:
            return False
        return True

    outcomes = await asyncio.gather(*(spend() for _ in range(CROWD)))
    assert sum(outcomes) == 25
    async with ordering.work() as work:
        left = await repository.guarded_balances(work, resident, AccountKind.VOUCHER_AVAILABLE)
        assert left == {("v", "2026-11"): 0}
        assert await repository.wrong_balances(work) == 0


async def test_each_sees_the_ledger_of_the_own_area(ordering: Ordering) -> None:
    here, neighbour = ordering.world.here, ordering.world.neighbour
    async with ordering.work() as work:
        (ours,) = await post(work, sale(here.town, 10))
        (theirs,) = await post(work, sale(neighbour.town, 20))
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        seen = {row.id for row in await list_transactions(work, 100, None, None, None)}
        towns = {row.area_code for row in (await trial_balance(work, None)).accounts}
    assert ours in seen
    assert theirs not in seen
    assert towns == {here.town}
