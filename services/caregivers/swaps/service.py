"""Swaps of shifts: a colleague is asked, agrees, and the manager decides; then both change hands at once.

Locks are taken in one order: the caregivers by id, the swap, the shifts by id.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.caregivers import repository as caregivers
from services.caregivers.errors import (
    AbsentThen,
    HasLeft,
    ShiftChangedHands,
    ShiftIsPast,
    ShiftsOverlap,
    SwapNotYours,
    SwapUnderWay,
)
from services.caregivers.limits import Breach, Stretch
from services.caregivers.log import note
from services.caregivers.models import Caregiver, Shift, ShiftKind, ShiftSwap
from services.caregivers.repository import BookedRow
from services.caregivers.rota import checking
from services.caregivers.rota.models import BookedVisit, BreachPublic, ShiftPublic
from services.caregivers.rota.repository import shifts_touching
from services.caregivers.rota.service import tell
from services.caregivers.states import SHIFT_SWAP, ShiftStatus, ShiftSwapStatus
from services.caregivers.swaps import repository
from services.caregivers.swaps.models import NewShiftSwap, ShiftSwapPublic, ShiftSwapSaved, SwapDecision
from services.core.constraints import violates
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.events import ShiftSwapMoved

_S = ShiftSwapStatus


async def request_swap(work: Work, caregiver_id: UUID, new: NewShiftSwap) -> ShiftSwapSaved:
    """Ask a colleague of the same centre to take a shift, perhaps for one of hers. Nothing changes yet.

    ``NotFound`` for what is not one's own or the colleague's; ``SwapUnderWay``, ``ShiftIsPast``,
    ``ShiftsOverlap``, ``AbsentThen``.
    """
    if new.to_caregiver_id == caregiver_id:
        raise InvalidInput("a swap has two sides", field="to_caregiver_id")
    await caregivers.lock_caregivers(work, [caregiver_id, new.to_caregiver_id])
    people = await repository.caregivers_by_id(work, [caregiver_id, new.to_caregiver_id])
    giver, taker = people.get(caregiver_id), people.get(new.to_caregiver_id)
    if giver is None or taker is None or taker.centre_id != giver.centre_id:
        raise NotFound
    ids = [one for one in (new.shift_id, new.return_shift_id) if one is not None]
    shifts = await repository.shifts_by_id(work, ids)
    mine = shifts.get(new.shift_id)
    theirs = None if new.return_shift_id is None else shifts.get(new.return_shift_id)
    if mine is None or mine.caregiver_id != giver.id or mine.status is not ShiftStatus.PUBLISHED:
        raise NotFound
    if new.return_shift_id is not None and (
        theirs is None or theirs.caregiver_id != taker.id or theirs.status is not ShiftStatus.PUBLISHED
    ):
        raise NotFound
    if await repository.is_under_way(work, ids):
        raise SwapUnderWay
    swap = ShiftSwap(
        centre_id=giver.centre_id,
        area_code=giver.area_code,
        from_caregiver_id=giver.id,
        to_caregiver_id=taker.id,
        shift_id=mine.id,
        return_shift_id=new.return_shift_id,
        status=_S.REQUESTED,
        reason=new.reason,
        requested_at=work.now,
    )
    await _check(work, swap, people, shifts)
    work.session.add(swap)
    SHIFT_SWAP.begin(work, swap)
    _tell(work, swap)
    await work.session.flush()
    return await _saved(work, swap)


async def agree(work: Work, caregiver_id: UUID, swap_id: UUID, if_match: int | None) -> ShiftSwapSaved:
    """The colleague says yes; the manager decides. A repeat changes nothing."""
    return await _answer(work, caregiver_id, swap_id, _S.AGREED, if_match)


async def decline(work: Work, caregiver_id: UUID, swap_id: UUID, if_match: int | None) -> ShiftSwapSaved:
    """The colleague says no. A repeat changes nothing."""
    return await _answer(work, caregiver_id, swap_id, _S.DECLINED, if_match)


async def withdraw(work: Work, caregiver_id: UUID, swap_id: UUID, if_match: int | None) -> ShiftSwapSaved:
    """Whoever asked takes it back before it is decided. A repeat changes nothing."""
    return await _answer(work, caregiver_id, swap_id, _S.WITHDRAWN, if_match)


async def approve(work: Work, swap_id: UUID, decision: SwapDecision, if_match: int | None) -> ShiftSwapSaved:
    """Both shifts change hands, at once or not at all. Checked anew, for much may have changed since.

    ``ShiftChangedHands``, ``ShiftIsPast``, ``ShiftsOverlap``, ``AbsentThen``; without a reason also
    ``VisitsBooked`` and ``WorkingTimeExceeded``. A repeat changes nothing.
    """
    swap = await _held(work, swap_id)
    if swap.status is _S.APPROVED:
        return await _saved(work, swap)
    expect_version(swap, if_match)
    owners = _owners(swap)
    people = await repository.caregivers_by_id(work, [swap.from_caregiver_id, swap.to_caregiver_id])
    shifts = await repository.shifts_by_id(work, list(owners), lock=True)
    await _check(work, swap, people, shifts)
    booked: list[BookedRow] = []
    found: list[Breach] = []
    for one in people.values():
        booked += await checking.booked_in(
            work, one.id, [_span(s) for s in shifts.values() if s.caregiver_id == one.id]
        )
        goes = [shift.id for shift in shifts.values() if shift.caregiver_id == one.id]
        comes = [_span(s) for s in shifts.values() if owners[s.id] == one.id and s.kind is ShiftKind.WORK]
        found += await checking.new_breaches(work, one.id, goes, comes)
    checking.require_moved(booked, decision.override_reason)
    checking.require_reason(found, decision.override_reason)
    SHIFT_SWAP.move(work, swap, _S.APPROVED, decision.override_reason)
    _decide(work, swap, decision)
    await _exchange(work, owners)
    for one in people.values():
        note(work, one, "shifts_swapped", ["caregiver_id"], decision.override_reason or "", swap.id)
        for shift in shifts.values():
            tell(work, one, shift.starts_at, shift.ends_at)
    _tell(work, swap)
    return await _saved(work, swap, found, booked)


async def refuse(work: Work, swap_id: UUID, decision: SwapDecision, if_match: int | None) -> ShiftSwapSaved:
    """The manager says no. A repeat changes nothing."""
    swap = await _held(work, swap_id)
    if swap.status is not _S.REFUSED:
        expect_version(swap, if_match)
        SHIFT_SWAP.move(work, swap, _S.REFUSED, decision.note or None)
        _decide(work, swap, decision)
        _tell(work, swap)
    return await _saved(work, swap)


async def list_swaps(
    work: Work, limit: int, cursor: UUID | None, centre_id: UUID | None, statuses: Sequence[ShiftSwapStatus]
) -> list[ShiftSwapPublic]:
    """Swaps in reach, newest first; a caregiver's are those that she has a side in."""
    rows = await repository.page_of_swaps(work, limit, cursor, centre_id, statuses)
    return await _shown(work, rows)


async def lapse_shift_swaps(work: Work, limit: int = 100) -> int:
    """Open swaps of which a shift has begun or is gone: each keeps what he has. Returns how many."""
    swaps = await repository.begun_swaps(work, limit)
    for swap in swaps:
        SHIFT_SWAP.move(work, swap, _S.LAPSED, "not_decided_in_time")
        _tell(work, swap)
    return len(swaps)


async def _answer(
    work: Work, caregiver_id: UUID, swap_id: UUID, target: ShiftSwapStatus, if_match: int | None
) -> ShiftSwapSaved:
    swap = await repository.find_swap(work, swap_id, lock=True)
    if swap is None:
        raise NotFound
    whose = swap.from_caregiver_id if target is _S.WITHDRAWN else swap.to_caregiver_id
    if whose != caregiver_id:
        raise SwapNotYours
    if swap.status is target:
        return await _saved(work, swap)
    expect_version(swap, if_match)
    SHIFT_SWAP.move(work, swap, target)
    if target is not _S.WITHDRAWN:
        swap.answered_at = work.now
    _tell(work, swap)
    return await _saved(work, swap)


async def _held(work: Work, swap_id: UUID) -> ShiftSwap:
    seen = await repository.find_swap(work, swap_id)
    if seen is None:
        raise NotFound
    await caregivers.lock_caregivers(work, [seen.from_caregiver_id, seen.to_caregiver_id])
    swap = await repository.find_swap(work, swap_id, lock=True)
    if swap is None:
        raise NotFound
    return swap


async def _check(work: Work, swap: ShiftSwap, people: dict[UUID, Caregiver], shifts: dict[UUID, Shift]) -> None:
    """What no reason passes: the shifts are as they were asked for, ahead, and both can take what comes."""
    owners = _owners(swap)
    before = {swap.shift_id: swap.from_caregiver_id}
    if swap.return_shift_id is not None:
        before[swap.return_shift_id] = swap.to_caregiver_id
    for shift_id, owner in before.items():
        shift = shifts.get(shift_id)
        if shift is None or shift.caregiver_id != owner or shift.status is not ShiftStatus.PUBLISHED:
            raise ShiftChangedHands
        if shift.starts_at <= work.now:
            raise ShiftIsPast
        taker = people[owners[shift_id]]
        if taker.left_at is not None and taker.left_at < shift.ends_at:
            raise HasLeft
        near = await shifts_touching(work, [taker.id], shift.starts_at, shift.ends_at)
        if any(other.id not in owners for other in near):
            raise ShiftsOverlap
        if await caregivers.absences_between(work, [taker.id], shift.starts_at, shift.ends_at):
            raise AbsentThen


async def _exchange(work: Work, owners: dict[UUID, UUID]) -> None:
    try:
        await repository.exchange(work, owners)
    except IntegrityError as error:
        if violates(error, "shift_no_overlap"):
            raise ShiftsOverlap from error
        raise


def _owners(swap: ShiftSwap) -> dict[UUID, UUID]:
    """Shift → whose it becomes."""
    found = {swap.shift_id: swap.to_caregiver_id}
    if swap.return_shift_id is not None:
        found[swap.return_shift_id] = swap.from_caregiver_id
    return found


def _decide(work: Work, swap: ShiftSwap, decision: SwapDecision) -> None:
    swap.decided_by, swap.decided_at, swap.decision_note = work.actor.account_id, work.now, decision.note


def _span(row: Shift) -> Stretch:
    return Stretch(row.starts_at, row.ends_at)


def _tell(work: Work, swap: ShiftSwap) -> None:
    work.record(
        ShiftSwapMoved(
            area_code=swap.area_code,
            centre_id=swap.centre_id,
            swap_id=swap.id,
            from_caregiver_id=swap.from_caregiver_id,
            to_caregiver_id=swap.to_caregiver_id,
            status=str(swap.status),
        )
    )


async def _shown(work: Work, rows: Sequence[ShiftSwap]) -> list[ShiftSwapPublic]:
    await work.session.flush()
    ids = {one for row in rows for one in (row.shift_id, row.return_shift_id) if one is not None}
    shifts = await repository.shifts_by_id(work, ids)
    people = await repository.caregivers_by_id(
        work, {one for row in rows for one in (row.from_caregiver_id, row.to_caregiver_id)}
    )
    found = []
    for row in rows:
        giver, taker = people[row.from_caregiver_id], people[row.to_caregiver_id]
        back = None if row.return_shift_id is None else shifts[row.return_shift_id]
        found.append(
            ShiftSwapPublic(
                **row.model_dump(include=set(ShiftSwapPublic.model_fields)),
                from_name=giver.name,
                to_name=taker.name,
                shift=ShiftPublic.model_validate(shifts[row.shift_id]),
                return_shift=None if back is None else ShiftPublic.model_validate(back),
                missing_skills=sorted(set(giver.skills) - set(taker.skills)),
            )
        )
    return found


async def _saved(
    work: Work, swap: ShiftSwap, found: Sequence[Breach] = (), booked: Sequence[BookedRow] = ()
) -> ShiftSwapSaved:
    (shown,) = await _shown(work, [swap])
    return ShiftSwapSaved(
        **shown.model_dump(),
        breaches=[BreachPublic.model_validate(one) for one in found],
        to_move=[BookedVisit.model_validate(one) for one in booked],
    )
