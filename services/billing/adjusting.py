"""Corrections of bills that are due: proposed by one person, decided by another, booked by reversing entries.

Nothing that was booked is changed. An approval reverses what the bill has in the ledger, writes the next revision
of its lines beside the old ones, shares it among the payers anew and books it, all in one transaction.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.billing import repository
from services.billing.errors import (
    AdjustmentOpen,
    BillChanged,
    BillHeld,
    LineNotLower,
    NothingToAdjust,
    NotSettled,
    SecondPersonNeeded,
)
from services.billing.making import Draft, DraftLine, draft_of, evidence_of
from services.billing.models import Adjustment, Settlement, SettlementLine
from services.billing.rates import Difference
from services.billing.sharing import book, share, unuse, write_revision
from services.billing.states import ADJUSTMENT, AdjustmentStatus, SettlementStatus
from services.billing.views import AdjustmentCreate, AdjustmentDecision, AdjustmentPublic, LineChange
from services.catalogue.pricing import QuoteLine
from services.core.database import Work
from services.core.versions import expect_version
from services.events import BillAdjusted
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.service import lines_of
from services.residents.models import Resident
from services.visits.repository import visits_of_order

REFUND, RECALCULATION = "refund", "recalculation"
"""Kinds of adjustments: lines lowered by a person, or the bill made anew from corrected facts."""


async def propose(work: Work, order_id: UUID, said: AdjustmentCreate) -> AdjustmentPublic:
    """Propose a correction; nothing changes before another person has approved it.

    Raises ``NotFound``, ``NotSettled``, ``BillHeld``, ``AdjustmentOpen``, ``LineNotLower``, ``NothingToAdjust``.
    """
    order, bill = await _locked(work, order_id)
    if bill.status is SettlementStatus.HELD:
        raise BillHeld
    if await repository.open_adjustment(work, bill.id) is not None:
        raise AdjustmentOpen
    wanted = [line.model_dump() for line in said.lines]
    row = await _proposal(work, order, bill, RECALCULATION if said.recalculate else REFUND, wanted)
    row.reason = said.reason
    row.complaint_id, row.correction_id = said.complaint_id, said.correction_id
    return await _stored(work, row)


async def propose_from_correction(work: Work, order_id: UUID, correction_id: UUID | None) -> None:
    """A visit says something else now: a bill that would differ gets a proposal. Idempotent; for the handlers.

    A held bill needs none: it is made anew when it falls due. One proposal at a time: while one is open, the next
    correction waits for its decision, which makes the bill from the visit as it then stands.
    """
    order = await lock_order(work, order_id)
    bill = await repository.lock_settlement(work, order.id)
    if bill is None or bill.status is SettlementStatus.HELD:
        return
    if await repository.open_adjustment(work, bill.id) is not None:
        return
    try:
        row = await _proposal(work, order, bill, RECALCULATION, [])
    except NothingToAdjust:
        return
    row.reason, row.correction_id = "服务记录已更正", correction_id
    await _stored(work, row)


async def decide(
    work: Work, adjustment_id: UUID, said: AdjustmentDecision, if_match: int | None
) -> AdjustmentPublic:
    """Approve and book, or reject. A repeat of the same decision changes nothing.

    Raises ``NotFound``, ``SecondPersonNeeded``, ``BillChanged``, ``IllegalTransition``.
    """
    found = await repository.adjustment_in_reach(work, adjustment_id)
    order, bill = await _locked(work, found.order_id)
    row = await repository.lock_adjustment(work, adjustment_id)
    target = AdjustmentStatus.APPROVED if said.approve else AdjustmentStatus.REJECTED
    if row.status is target:
        return AdjustmentPublic.model_validate(row)
    expect_version(row, if_match)
    if row.proposed_by is not None and row.proposed_by == work.actor.account_id:
        raise SecondPersonNeeded
    if said.approve and row.status is AdjustmentStatus.PROPOSED:
        await _book(work, order, bill, row)
    row.decided_by, row.decided_at, row.decision_note = work.actor.account_id, work.now, said.note
    ADJUSTMENT.move(work, row, target, said.note)
    await work.session.flush()
    return AdjustmentPublic.model_validate(row)


async def list_adjustments(
    work: Work, limit: int, cursor: UUID | None, status: AdjustmentStatus | None, order_id: UUID | None
) -> list[AdjustmentPublic]:
    """A page of adjustments in reach, newest first; leaves rows in the access log."""
    rows = await repository.adjustments_page(work, limit, cursor, status, order_id)
    await record_read(work, [row.resident_id for row in rows], "adjustments", ["lines", "reason"])
    return [AdjustmentPublic.model_validate(row) for row in rows]


async def _locked(work: Work, order_id: UUID) -> tuple[Order, Settlement]:
    order = await lock_order(work, order_id)
    bill = await repository.lock_settlement(work, order.id)
    if bill is None:
        raise NotSettled
    return order, bill


async def _proposal(
    work: Work, order: Order, bill: Settlement, kind: str, wanted: list[dict[str, Any]]
) -> Adjustment:
    """The row of a proposal, its new total worked out. Raises ``LineNotLower``, ``NothingToAdjust``."""
    draft = await _draft(work, order, bill, kind, wanted)
    if kind == RECALCULATION and _as_billed(draft) == _as_stored(await repository.lines_of(work, bill)):
        raise NothingToAdjust
    return Adjustment(
        settlement_id=bill.id,
        order_id=order.id,
        resident_id=bill.resident_id,
        centre_id=bill.centre_id,
        area_code=bill.area_code,
        status=AdjustmentStatus.PROPOSED,
        kind=kind,
        from_revision=bill.revision,
        lines=wanted,
        before_fen=bill.total_fen,
        after_fen=draft.total_fen,
        reason="",
        proposed_by=work.actor.account_id,
        proposed_at=work.now,
    )


async def _stored(work: Work, row: Adjustment) -> AdjustmentPublic:
    work.session.add(row)
    ADJUSTMENT.begin(work, row)
    await work.session.flush()
    return AdjustmentPublic.model_validate(row)


async def _book(work: Work, order: Order, bill: Settlement, row: Adjustment) -> None:
    """Reverse, make anew, share, book. What was approved must be what comes out."""
    await repository.lock_money_of(work, bill.resident_id)
    draft = await _draft(work, order, bill, row.kind, row.lines)
    if row.from_revision != bill.revision or draft.total_fen != row.after_fen:
        raise BillChanged
    await unuse(work, bill, row.reason)
    resident = await work.session.get_one(Resident, bill.resident_id)
    visits = await visits_of_order(work, order.id)
    shared = await share(work, draft, resident, evidence_of(visits), bill.id)
    bill.revision += 1
    bill.version += 1
    bill.total_fen = draft.total_fen
    lines, shares = await write_revision(work, bill, shared, row.id)
    await book(work, bill, shared, lines, shares)
    work.record(
        BillAdjusted(
            area_code=bill.area_code,
            centre_id=bill.centre_id,
            order_id=bill.order_id,
            settlement_id=bill.id,
            adjustment_id=row.id,
        )
    )


async def _draft(work: Work, order: Order, bill: Settlement, kind: str, wanted: list[dict[str, Any]]) -> Draft:
    if kind == RECALCULATION:
        draft = await draft_of(work, order, await visits_of_order(work, order.id), bill.institution_id)
        # The month and the tariff of a bill stay those of the day that was billed first.
        return replace(draft, service_day=bill.service_day)
    lines = await repository.lines_of(work, bill)
    made = await repository.revision_of(work, bill)
    changes = [LineChange.model_validate(one) for one in wanted]
    return _lowered(order, bill, lines, [_difference(one) for one in made.differences], made.facts, changes)


def _lowered(
    order: Order,
    bill: Settlement,
    lines: Sequence[SettlementLine],
    differences: list[Difference],
    facts: dict[str, Any],
    changes: Sequence[LineChange],
) -> Draft:
    """The bill as it stands with some lines lowered. Raises ``LineNotLower``."""
    amounts = {change.line_no: change.amount_fen for change in changes}
    present = {line.line_no: line for line in lines}
    wrong = sorted(
        number for number, fen in amounts.items() if number not in present or fen >= present[number].amount_fen
    )
    if wrong:
        raise LineNotLower(field="lines", line_no=wrong)
    ordered = {line.line_no: line for line in lines_of(order)}
    drafts = []
    for line in lines:
        amount = amounts.get(line.line_no, line.amount_fen)
        if amount != line.amount_fen:
            differences.append(Difference(line.item_line, line.code, "refund", amount - line.amount_fen))
        whole = line.unit_fen and amount % line.unit_fen == 0
        quantity, unit_fen = (amount // line.unit_fen, line.unit_fen) if whole else (1, amount)
        of = ordered.get(line.item_line)
        drafts.append(
            DraftLine(
                priced=QuoteLine(
                    item_line=line.item_line,
                    code=line.code,
                    name_zh=line.name_zh,
                    name_en=line.name_en,
                    quantity=quantity,
                    unit_fen=unit_fen,
                    amount_fen=amount,
                    source=line.rule_source,
                    version=line.rule_version,
                    verified=line.verified,
                ),
                item_code=line.item_code,
                category="supply" if of is None else of.item.category,
                book=line.book,
                minutes=line.minutes,
                is_entitled=of is not None and of.entitlement_id is not None,
            )
        )
    return Draft(drafts, differences, facts, bill.service_day, bill.institution_id, bill.quote_total_fen)


def _difference(row: dict[str, Any]) -> Difference:
    return Difference(row["item_line"], row["code"], row["reason"], row["amount_fen"], row["waived_fen"])


def _as_billed(draft: Draft) -> list[tuple[str, int, int]]:
    return [(line.priced.code, line.priced.quantity, line.priced.unit_fen) for line in draft.lines]


def _as_stored(lines: Sequence[SettlementLine]) -> list[tuple[str, int, int]]:
    return [(line.code, line.quantity, line.unit_fen) for line in lines]
