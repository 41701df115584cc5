"""Swaps: one asks, the other answers; both sides stay on record."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.duty import repository, roster
from services.duty.errors import AlreadyOnDuty, DutyIsPast, NotOnDuty, NotYourSwap
from services.duty.models import DutyOverride, DutyRota, DutySwap, NewSwap
from services.duty.service import plan_of_rota
from services.duty.states import SWAP, SwapStatus
from services.events import DutySwapMoved


async def request_swap(work: Work, new: NewSwap) -> DutySwap:
    """Ask a colleague to take a stretch of one's own duty, perhaps for one of his.

    ``NotFound`` for a rota out of reach, ``NotOnDuty`` for what is not one's own, ``AlreadyOnDuty`` when the
    taker has duty then, ``DutyIsPast`` for what has begun.
    """
    rota = await repository.find_rota(work, new.rota_id, lock=True)
    if rota is None:
        raise NotFound
    account_id = work.actor.account_id
    if account_id is None or account_id == new.to_account_id:
        raise InvalidInput("a swap has two sides", field="to_account_id")
    swap = DutySwap(
        rota_id=rota.id,
        area_code=rota.area_code,
        from_account_id=account_id,
        to_account_id=new.to_account_id,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        return_starts_at=new.return_starts_at,
        return_ends_at=new.return_ends_at,
        reason=new.reason,
        status=SwapStatus.REQUESTED,
        created_at=work.now,
    )
    await _check(work, rota, swap)
    work.session.add(swap)
    SWAP.begin(work, swap)
    _tell(work, rota, swap)
    return swap


async def accept_swap(work: Work, swap_id: UUID, if_match: int | None) -> DutySwap:
    """The other agrees: in force at once. Checked again, for the rota may have changed since."""
    rota, swap = await _addressed(work, swap_id, if_match, to_me=True)
    await _check(work, rota, swap)
    SWAP.move(work, swap, SwapStatus.ACCEPTED)
    swap.answered_at = work.now
    for absent, present, starts_at, ends_at in _stretches(swap):
        work.session.add(
            DutyOverride(
                rota_id=rota.id,
                area_code=rota.area_code,
                absent_account_id=absent,
                account_id=present,
                starts_at=starts_at,
                ends_at=ends_at,
                reason=swap.reason,
                swap_id=swap.id,
                created_by=work.actor.account_id,
                created_at=work.now,
            )
        )
    _tell(work, rota, swap)
    return swap


async def decline_swap(work: Work, swap_id: UUID, if_match: int | None) -> DutySwap:
    """The other does not: everything stays as it was."""
    return await _end(work, swap_id, if_match, SwapStatus.DECLINED, to_me=True)


async def withdraw_swap(work: Work, swap_id: UUID, if_match: int | None) -> DutySwap:
    """Whoever asked takes the request back before it was answered."""
    return await _end(work, swap_id, if_match, SwapStatus.WITHDRAWN, to_me=False)


async def list_swaps(work: Work, limit: int, before: UUID | None) -> Sequence[DutySwap]:
    """Swaps in reach, newest first."""
    return await repository.list_swaps(work, limit, before)


async def lapse_swaps(work: Work, limit: int = 100) -> int:
    """Requests whose duty has begun unanswered: it stays with whoever had it. Returns how many."""
    swaps = await repository.begun_requests(work, limit)
    for swap in swaps:
        SWAP.move(work, swap, SwapStatus.LAPSED, "not_answered")
    return len(swaps)


async def _end(work: Work, swap_id: UUID, if_match: int | None, status: SwapStatus, *, to_me: bool) -> DutySwap:
    rota, swap = await _addressed(work, swap_id, if_match, to_me=to_me)
    SWAP.move(work, swap, status)
    swap.answered_at = work.now
    _tell(work, rota, swap)
    return swap


async def _addressed(work: Work, swap_id: UUID, if_match: int | None, *, to_me: bool) -> tuple[DutyRota, DutySwap]:
    """The swap and its rota, locked: two swaps of one rota are answered one after the other."""
    seen = await repository.lock_swap(work, swap_id)
    if seen is None:
        raise NotFound
    mine = seen.to_account_id if to_me else seen.from_account_id
    if mine != work.actor.account_id:
        raise NotYourSwap
    expect_version(seen, if_match)
    rota = await repository.find_rota(work, seen.rota_id, lock=True)
    if rota is None:
        raise NotFound
    return rota, seen


async def _check(work: Work, rota: DutyRota, swap: DutySwap) -> None:
    staff = await repository.staff_of(work, rota.area_code, rota.centre_id, rota.role)
    if swap.to_account_id not in staff:
        raise InvalidInput("cannot be on duty here", field="to_account_id")
    for absent, present, starts_at, ends_at in _stretches(swap):
        if starts_at <= work.now:
            raise DutyIsPast
        spans = (await plan_of_rota(work, rota, starts_at, ends_at)).spans
        if not roster.has_throughout(spans, absent, starts_at, ends_at):
            raise NotOnDuty(account_id=str(absent))
        if roster.has_at_all(spans, present, starts_at, ends_at):
            raise AlreadyOnDuty(account_id=str(present))


def _stretches(swap: DutySwap) -> list[tuple[UUID, UUID, datetime, datetime]]:
    """Who goes, who comes, from when to when: the stretch given, and the one taken in return."""
    found = [(swap.from_account_id, swap.to_account_id, swap.starts_at, swap.ends_at)]
    if swap.return_starts_at is not None and swap.return_ends_at is not None:
        back = (swap.to_account_id, swap.from_account_id, swap.return_starts_at, swap.return_ends_at)
        found.append(back)
    return found


def _tell(work: Work, rota: DutyRota, swap: DutySwap) -> None:
    work.record(
        DutySwapMoved(
            area_code=swap.area_code,
            centre_id=rota.centre_id,
            swap_id=swap.id,
            from_account_id=swap.from_account_id,
            to_account_id=swap.to_account_id,
            status=str(swap.status),
        )
    )
