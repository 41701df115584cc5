"""The verbs of claims: make, look at flags, submit, take the answer, take the money."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from services.centres.service import centre_in_reach
from services.claims import repository
from services.claims.anomalies import find, limits
from services.claims.errors import (
    ClaimChanged,
    ClaimStands,
    CutNeedsReason,
    CutTooLarge,
    NothingToClaim,
    PaidDiffers,
    UnknownLine,
)
from services.claims.models import (
    Claim,
    ClaimAnswer,
    ClaimCreate,
    ClaimLine,
    ClaimPaid,
    ClaimPublic,
    CutAction,
    LineAnswer,
    LineDecision,
)
from services.claims.reading import claim_public
from services.claims.repository import Open
from services.claims.states import CLAIM, ClaimStatus
from services.core.areas import town_of
from services.core.database import Work
from services.core.errors import Forbidden, NotFound
from services.core.versions import expect_version
from services.ledger.entries import Account, Entry, sides
from services.ledger.models import AccountKind, Book
from services.ledger.service import post
from services.vitals.buckets import day_start
from services.vitals.summary import next_month

_AROUND = timedelta(days=1)
"""Visits of the day before and after belong to the question whether a way was possible."""


async def make_claim(work: Work, said: ClaimCreate) -> ClaimPublic:
    """Put together what a payer is to be asked for a month, with all that was corrected since earlier claims.

    A draft that exists is made anew; what a person has said of its lines stays. Raises ``NotFound``,
    ``NothingToClaim``.
    """
    own = work.actor.centre_id
    centre_id = said.centre_id or own
    if centre_id is None:
        raise Forbidden
    if own is not None and centre_id != own:
        raise NotFound
    centre = await centre_in_reach(work, centre_id)
    programme = await repository.programme_named(work, said.payer, centre.area_code)
    if programme is None:
        raise NotFound
    await repository.lock_drafts(work, said.payer, centre.id)
    claim = await repository.draft_of(work, said.payer, said.month, centre.id)
    if claim is None:
        claim = Claim(
            payer=said.payer,
            payer_name_zh=programme.name_zh,
            payer_name_en=programme.name_en,
            month=said.month,
            centre_id=centre.id,
            area_code=centre.area_code,
            status=ClaimStatus.DRAFT,
            made_by=work.actor.account_id,
            made_at=work.now,
        )
        work.session.add(claim)
        CLAIM.begin(work, claim)
        await work.session.flush()
    if not await _fill(work, claim):
        raise NothingToClaim
    return claim_public(claim)


async def decide_line(
    work: Work, claim_id: UUID, line_id: UUID, said: LineDecision, if_match: int | None
) -> ClaimPublic:
    """Hold a line back or let it in, with a reason. Raises ``NotFound``, ``ClaimStands``."""
    claim = await _lock_draft(work, claim_id, if_match)
    lines = await repository.lines_of(work, claim)
    line = next((one for one in lines if one.id == line_id), None)
    if line is None:
        raise NotFound
    line.is_held, line.cleared_reason, line.cleared_by = said.is_held, said.reason, work.actor.account_id
    _add_up(claim, lines)
    claim.version += 1
    await work.session.flush()
    return claim_public(claim)


async def submit(work: Work, claim_id: UUID, if_match: int | None) -> ClaimPublic:
    """To the payer: the lines stand from now on. A repeat changes nothing.

    Raises ``ClaimStands``, ``NothingToClaim``, and ``ClaimChanged`` where bills have changed since it was made.
    """
    claim = await repository.lock_claim(work, claim_id)
    if claim.status is ClaimStatus.SUBMITTED:
        return claim_public(claim)
    await repository.lock_drafts(work, claim.payer, claim.centre_id)
    claim = await _lock_draft(work, claim_id, if_match)
    seen = (claim.lines, claim.held_lines, claim.asked_fen)
    await _fill(work, claim)
    if (claim.lines, claim.held_lines, claim.asked_fen) != seen:
        raise ClaimChanged
    if claim.lines == claim.held_lines:
        raise NothingToClaim
    claim.submitted_at = work.now
    CLAIM.move(work, claim, ClaimStatus.SUBMITTED)
    await work.session.flush()
    return claim_public(claim)


async def drop(work: Work, claim_id: UUID, if_match: int | None) -> ClaimPublic:
    """A draft that is not wanted. A repeat changes nothing; raises ``ClaimStands``."""
    claim = await repository.lock_claim(work, claim_id)
    if claim.status is not ClaimStatus.DROPPED:
        claim = await _lock_draft(work, claim_id, if_match)
        CLAIM.move(work, claim, ClaimStatus.DROPPED)
        await work.session.flush()
    return claim_public(claim)


async def take_answer(work: Work, claim_id: UUID, said: ClaimAnswer, if_match: int | None) -> ClaimPublic:
    """What the payer says: lines that it cuts, the others as asked. What is written off is booked at once.

    A repeat after it was taken changes nothing. Raises ``ClaimStands``, ``UnknownLine``, ``CutTooLarge``,
    ``CutNeedsReason``.
    """
    claim = await repository.lock_claim(work, claim_id)
    if claim.status is ClaimStatus.ANSWERED:
        return claim_public(claim)
    expect_version(claim, if_match)
    if claim.status is not ClaimStatus.SUBMITTED:
        raise ClaimStands(current=str(claim.status))
    lines = {line.id: line for line in await repository.lines_of(work, claim) if not line.is_held}
    cuts = {cut.line_id: cut for cut in said.cuts}
    unknown = sorted(str(line_id) for line_id in cuts.keys() - lines.keys())
    if unknown:
        raise UnknownLine(field="cuts", unknown=unknown)
    for line in lines.values():
        _answer(line, cuts.get(line.id))
    claim.approved_fen = sum(line.approved_fen or 0 for line in lines.values())
    claim.answered_at = work.now
    CLAIM.move(work, claim, ClaimStatus.ANSWERED)
    await _write_off(work, claim, list(lines.values()))
    await work.session.flush()
    return claim_public(claim)


async def take_money(work: Work, claim_id: UUID, said: ClaimPaid, if_match: int | None) -> ClaimPublic:
    """The payer's money is there and booked. The same reference again changes nothing; raises ``ClaimStands``,
    ``PaidDiffers``.
    """
    claim = await repository.lock_claim(work, claim_id)
    if claim.status is ClaimStatus.PAID and claim.payment_reference == said.reference:
        return claim_public(claim)
    expect_version(claim, if_match)
    if claim.status is not ClaimStatus.ANSWERED:
        raise ClaimStands(current=str(claim.status))
    if said.amount_fen != claim.approved_fen:
        raise PaidDiffers(field="amount_fen", approved_fen=claim.approved_fen)
    claim.paid_at, claim.payment_reference = work.now, said.reference
    CLAIM.move(work, claim, ClaimStatus.PAID)
    lines = [line for line in await repository.lines_of(work, claim) if not line.is_held]
    pairs: list[tuple[Account, int]] = []
    for line in lines:
        amount = line.approved_fen or 0
        pairs += [(_account(claim, line.book, AccountKind.CASH), amount), (_receivable(claim, line.book), -amount)]
    await _book(work, claim, "claim_paid", pairs)
    await work.session.flush()
    return claim_public(claim)


async def _lock_draft(work: Work, claim_id: UUID, if_match: int | None) -> Claim:
    claim = await repository.lock_claim(work, claim_id)
    expect_version(claim, if_match)
    if claim.status is not ClaimStatus.DRAFT:
        raise ClaimStands(current=str(claim.status))
    return claim


async def _fill(work: Work, claim: Claim) -> bool:
    """Make a draft's lines anew; False when there are none. What people said of a line stays with its bill."""
    found = await repository.open_of(work, claim.payer, claim.month, claim.centre_id)
    said = {
        (line.settlement_id, line.book): line
        for line in await repository.lines_of(work, claim)
        if line.cleared_by is not None
    }
    flags = await _flags(work, claim, found)
    claim.making += 1
    lines = []
    for one in found:
        kept = said.get((one.settlement_id, one.book))
        anomalies = sorted(flags.get(one.order_id, ()))
        lines.append(
            ClaimLine(
                claim_id=claim.id,
                making=claim.making,
                settlement_id=one.settlement_id,
                order_id=one.order_id,
                resident_id=one.resident_id,
                institution_id=one.institution_id,
                area_code=one.area_code,
                payer=claim.payer,
                book=one.book,
                service_day=one.service_day,
                asked_fen=one.owed_fen - one.claimed_fen,
                flags=[str(anomaly) for anomaly in anomalies],
                is_held=bool(anomalies) if kept is None else kept.is_held,
                cleared_by=None if kept is None else kept.cleared_by,
                cleared_reason="" if kept is None else kept.cleared_reason,
            )
        )
    work.session.add_all(lines)
    _add_up(claim, lines)
    claim.version += 1
    await work.session.flush()
    return bool(lines)


async def _flags(work: Work, claim: Claim, found: Sequence[Open]) -> dict[UUID, frozenset[str]]:
    if not found:
        return {}
    first = min(one.service_day for one in found)
    until = next_month(date.fromisoformat(f"{claim.month}-01"))
    visits = await repository.visits_between(
        work, claim.centre_id, day_start(first) - _AROUND, day_start(until) + _AROUND
    )
    return {order_id: frozenset(map(str, flags)) for order_id, flags in find(visits, limits()).items()}


def _add_up(claim: Claim, lines: Sequence[ClaimLine]) -> None:
    claim.lines = len(lines)
    claim.held_lines = sum(line.is_held for line in lines)
    claim.asked_fen = sum(line.asked_fen for line in lines if not line.is_held)


def _answer(line: ClaimLine, cut: LineAnswer | None) -> None:
    if cut is None or cut.approved_fen == line.asked_fen:
        line.approved_fen = line.asked_fen
        return
    between = sorted((0, line.asked_fen))
    if not between[0] <= cut.approved_fen <= between[1]:
        raise CutTooLarge(field="cuts", line_id=str(line.id))
    if not cut.reason:
        raise CutNeedsReason(field="cuts", line_id=str(line.id))
    line.approved_fen, line.cut_reason, line.cut_action = cut.approved_fen, cut.reason, cut.action


async def _write_off(work: Work, claim: Claim, lines: Sequence[ClaimLine]) -> None:
    """What the centre bears: income less, and the payer owes it no more."""
    pairs: list[tuple[Account, int]] = []
    for line in lines:
        if line.cut_action is CutAction.WRITE_OFF:
            amount = line.asked_fen - (line.approved_fen or 0)
            income = Account(
                line.book,
                AccountKind.INCOME,
                town_of(claim.area_code),
                institution_id=line.institution_id,
            )
            pairs += [(income, amount), (_receivable(claim, line.book), -amount)]
    await _book(work, claim, "claim_written_off", pairs)


async def _book(work: Work, claim: Claim, kind: str, pairs: list[tuple[Account, int]]) -> None:
    by_book: dict[Book, list[tuple[Account, int]]] = defaultdict(list)
    for account, amount in pairs:
        by_book[account.book].append((account, amount))
    entries = [
        Entry(key=f"{kind}:{claim.id}:{book}", kind=kind, area_code=claim.area_code, postings=postings)
        for book, of_book in sorted(by_book.items())
        if (postings := sides(of_book))
    ]
    if entries:
        await post(work, *entries)


def _account(claim: Claim, book: Book, kind: AccountKind) -> Account:
    return Account(book, kind, town_of(claim.area_code), claim.payer)


def _receivable(claim: Claim, book: Book) -> Account:
    return _account(claim, book, AccountKind.RECEIVABLE_PAYER)
