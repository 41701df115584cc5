"""What a payer is asked for: every fen once, corrections in the next batch, suspicious bills held back."""

import asyncio
import io
from datetime import date

import pytest
from openpyxl import load_workbook

from services.billing.adjusting import decide, propose
from services.billing.service import settle
from services.billing.views import AdjustmentCreate, AdjustmentDecision, LineChange
from services.claims.errors import (
    ClaimChanged,
    ClaimStands,
    CutNeedsReason,
    CutTooLarge,
    NothingToClaim,
    PaidDiffers,
)
from services.claims.models import (
    ClaimAnswer,
    ClaimCreate,
    ClaimLinePublic,
    ClaimPaid,
    ClaimPublic,
    CutAction,
    LineAnswer,
    LineDecision,
)
from services.claims.reading import list_lines, statement_csv, statement_xlsx
from services.claims.service import decide_line, make_claim, submit, take_answer, take_money
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.ledger.service import trial_balance
from services.orders.models import OrderPublic
from services.payers.models import ProgrammePublish
from services.payers.service import publish
from tests.ordering import Ordering

PAYER = "test_fund"


async def fund(ordering: Ordering) -> None:
    """A collective that pays half of everything."""
    day = ordering.clock.now().astimezone(BUSINESS_ZONE).date()
    said = {
        "code": PAYER,
        "kind": "collective",
        "name_zh": "测试资助",
        "name_en": "Test fund",
        "stacking_order": 30,
        "is_active": True,
        "valid_from": day,
        "source": "测试",
        "reason": "测试",
        "terms": {"share_basis_points": 5_000},
    }
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        await publish(work, ProgrammePublish.model_validate(said))


async def billed(ordering: Ordering, minutes: int | None = None) -> OrderPublic:
    order = await ordering.completed("cleaning", minutes=minutes)
    async with ordering.work() as work:
        await settle(work, order.id)
    return order


def month_of(ordering: Ordering) -> str:
    return f"{ordering.clock.now().astimezone(BUSINESS_ZONE):%Y-%m}"


async def make(ordering: Ordering) -> ClaimPublic:
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        return await make_claim(work, ClaimCreate(payer=PAYER, month=month_of(ordering)))


async def lines(ordering: Ordering, claim: ClaimPublic) -> list[ClaimLinePublic]:
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        return await list_lines(work, claim.id, 100, None)


async def send(ordering: Ordering, claim: ClaimPublic) -> ClaimPublic:
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        return await submit(work, claim.id, None)


async def answer(ordering: Ordering, claim: ClaimPublic, *cuts: LineAnswer) -> ClaimPublic:
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        return await take_answer(work, claim.id, ClaimAnswer(cuts=list(cuts)), None)


async def pay(ordering: Ordering, claim: ClaimPublic, amount: int) -> ClaimPublic:
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        return await take_money(work, claim.id, ClaimPaid(amount_fen=amount, reference="第一笔"), None)


async def receivable(ordering: Ordering) -> int:
    """What the payer still owes by the ledger, which balances."""
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        trial = await trial_balance(work, None)
    assert set(trial.sums_fen.values()) == {0}
    return sum(a.balance_fen for a in trial.accounts if a.kind == "receivable_payer" and a.programme == PAYER)


async def test_the_whole_way_to_the_money(ordering: Ordering) -> None:
    await fund(ordering)
    await billed(ordering)
    await billed(ordering)
    owed = await receivable(ordering)
    draft = await make(ordering)
    assert (draft.status, draft.lines, draft.held_lines, draft.asked_fen) == ("draft", 2, 0, owed)
    sent = await send(ordering, draft)
    assert await send(ordering, draft) == sent
    with pytest.raises(NothingToClaim):
        await make(ordering)
    answered = await answer(ordering, sent)
    assert answered.approved_fen == owed
    with pytest.raises(PaidDiffers):
        await pay(ordering, answered, owed - 1)
    paid = [await pay(ordering, answered, owed) for _ in range(2)]
    assert [one.status for one in paid] == ["paid", "paid"]
    assert await receivable(ordering) == 0


async def test_parallel_makers_and_senders_ask_once(ordering: Ordering) -> None:
    await fund(ordering)
    await billed(ordering)
    made = await asyncio.gather(*(make(ordering) for _ in range(8)))
    assert len({one.id for one in made}) == 1
    sent = await asyncio.gather(*(send(ordering, made[0]) for _ in range(8)))
    assert {one.status for one in sent} == {"submitted"}
    with pytest.raises(NothingToClaim):
        await make(ordering)


async def test_a_correction_after_the_claim_stands_in_the_next_one(ordering: Ordering) -> None:
    await fund(ordering)
    order = await billed(ordering)
    first = await send(ordering, await make(ordering))
    less = AdjustmentCreate(lines=[LineChange(line_no=1, amount_fen=1_000)], reason="投诉成立，减收")
    async with ordering.work(ordering.dispatcher) as work:
        proposed = await propose(work, order.id, less)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        await decide(work, proposed.id, AdjustmentDecision(approve=True, note="同意"), None)
    second = await make(ordering)
    assert second.asked_fen == 500 - first.asked_fen < 0
    await answer(ordering, first)
    await pay(ordering, first, first.asked_fen)
    await send(ordering, second)
    await answer(ordering, second)
    await pay(ordering, second, second.asked_fen)
    assert await receivable(ordering) == 0


async def test_a_suspicious_bill_waits_for_a_person(ordering: Ordering) -> None:
    await fund(ordering)
    await billed(ordering, minutes=29)  # of sixty; its visit is flagged as well, so it must be reviewed first
    with pytest.raises(NothingToClaim):
        await make(ordering)
    await billed(ordering)
    draft = await make(ordering)
    (line,) = await lines(ordering, draft)
    assert (line.flags, line.is_held) == ([], False)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        held = await decide_line(work, draft.id, line.id, LineDecision(is_held=True, reason="再核对"), None)
    assert (held.held_lines, held.asked_fen) == (1, 0)
    with pytest.raises(NothingToClaim):
        await send(ordering, held)
    again = await make(ordering)
    assert (again.id, again.held_lines) == (draft.id, 1)  # what a person said stays
    (line,) = await lines(ordering, again)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        await decide_line(work, draft.id, line.id, LineDecision(is_held=False, reason="已核实"), None)
    assert (await send(ordering, again)).asked_fen == line.asked_fen


async def test_a_draft_that_is_out_of_date_is_not_sent(ordering: Ordering) -> None:
    await fund(ordering)
    await billed(ordering)
    draft = await make(ordering)
    await billed(ordering)
    with pytest.raises(ClaimChanged):
        await send(ordering, draft)
    assert (await send(ordering, await make(ordering))).lines == 2


async def test_what_is_cut_is_asked_again_or_written_off(ordering: Ordering) -> None:
    await fund(ordering)
    await billed(ordering)
    await billed(ordering)
    sent = await send(ordering, await make(ordering))
    first, second = await lines(ordering, sent)
    with pytest.raises(CutTooLarge):
        await answer(ordering, sent, LineAnswer(line_id=first.id, approved_fen=first.asked_fen + 1, reason="多"))
    with pytest.raises(CutNeedsReason):
        await answer(ordering, sent, LineAnswer(line_id=first.id, approved_fen=0))
    answered = await answer(
        ordering,
        sent,
        LineAnswer(line_id=first.id, approved_fen=0, reason="缺签名", action=CutAction.ASK_AGAIN),
        LineAnswer(line_id=second.id, approved_fen=100, reason="超标准", action=CutAction.WRITE_OFF),
    )
    assert answered.approved_fen == 100
    await pay(ordering, answered, 100)
    assert await receivable(ordering) == first.asked_fen
    again = await make(ordering)
    assert (again.lines, again.asked_fen) == (1, first.asked_fen)
    with pytest.raises(ClaimStands):
        await send(ordering, answered)


async def test_a_statement_names_no_resident(ordering: Ordering) -> None:
    await fund(ordering)
    await billed(ordering)
    claim = await make(ordering)
    async with ordering.work(ordering.actor(Role.AUDITOR)) as work:
        book, table = (
            await statement_xlsx(work, claim.id),
            (await statement_csv(work, claim.id)).decode("utf-8-sig"),
        )
    name = ordering.world.here.households[0].resident.name
    assert name not in table
    sheet = load_workbook(io.BytesIO(book)).active
    assert sheet is not None
    (row,) = list(sheet.iter_rows(min_row=2, values_only=True))
    assert row[0] == claim.number
    assert row[3] == f"{name[0]}**"
    assert row[6] == f"{claim.asked_fen / 100:.2f}"
    assert date.fromisoformat(str(row[2])).strftime("%Y-%m") == claim.month
