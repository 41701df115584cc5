"""Swaps: asked, agreed, approved; both shifts change hands at once or not at all."""

import asyncio
from uuid import UUID

import pytest

from services.caregivers.errors import (
    AbsentThen,
    ShiftChangedHands,
    ShiftIsPast,
    ShiftsOverlap,
    SwapNotYours,
    SwapUnderWay,
    VisitsBooked,
    WorkingTimeExceeded,
)
from services.caregivers.models import AbsenceKind, Caregiver, ShiftSwap
from services.caregivers.rota import service as rota
from services.caregivers.rota.models import CancelShift
from services.caregivers.states import ShiftSwapStatus
from services.caregivers.swaps import service
from services.caregivers.swaps.models import NewShiftSwap, ShiftSwapSaved, SwapDecision
from services.core.actor import SYSTEM
from services.core.errors import DomainError, IllegalTransition, NotFound
from tests.crowd import all_connected
from tests.services.caregivers.conftest import Team

MINE = ("2026-11-24 08:00", "2026-11-24 16:00")
THEIRS = ("2026-11-25 08:00", "2026-11-25 16:00")


async def ask(
    team: Team, shift_id: UUID, to: Caregiver, back: UUID | None = None, by: Caregiver | None = None
) -> ShiftSwapSaved:
    by = by or team.a
    new = NewShiftSwap(shift_id=shift_id, to_caregiver_id=to.id, return_shift_id=back, reason="家里有事")
    async with team.work(team.person(by)) as work:
        return await service.request_swap(work, by.id, new)


async def agree(team: Team, swap_id: UUID, by: Caregiver) -> ShiftSwapSaved:
    async with team.work(team.person(by)) as work:
        return await service.agree(work, by.id, swap_id, None)


async def approve(team: Team, swap_id: UUID, reason: str | None = None) -> ShiftSwapSaved:
    async with team.work(team.manager) as work:
        return await service.approve(work, swap_id, SwapDecision(override_reason=reason), None)


async def lapsed(team: Team, swap_id: UUID) -> bool:
    """Whether a swap has lapsed once the worker has looked."""
    async with team.work(SYSTEM) as work:
        await service.lapse_shift_swaps(work, limit=1000)
    async with team.work(SYSTEM) as work:
        return (await work.session.get_one(ShiftSwap, swap_id)).status is ShiftSwapStatus.LAPSED


async def owner(team: Team, shift_id: UUID) -> UUID:
    return (await team.stored(shift_id)).caregiver_id


async def test_from_asking_to_approval(team: Team) -> None:
    mine, theirs = await team.shift(team.a, *MINE), await team.shift(team.b, *THEIRS)
    swap = await ask(team, mine.id, team.b, theirs.id)
    assert (swap.status, swap.from_name, swap.to_name) == (ShiftSwapStatus.REQUESTED, "甲示范", "乙示范")
    with pytest.raises(IllegalTransition):  # the colleague comes first
        await approve(team, swap.id)
    with pytest.raises(SwapNotYours):
        await agree(team, swap.id, team.a)
    with pytest.raises(NotFound):
        await agree(team, swap.id, team.c)
    assert (await agree(team, swap.id, team.b)).status is ShiftSwapStatus.AGREED
    assert await owner(team, mine.id) == team.a.id
    done = await approve(team, swap.id)
    assert (done.status, done.to_move, done.breaches) == (ShiftSwapStatus.APPROVED, [], [])
    assert (await owner(team, mine.id), await owner(team, theirs.id)) == (team.b.id, team.a.id)
    # The time is hers no more, and his no less.
    await team.shift(team.a, *MINE)
    with pytest.raises(ShiftsOverlap):
        await team.shift(team.b, *MINE, draft=True)


async def test_shifts_at_the_same_hours_change_hands(team: Team) -> None:
    mine, theirs = (
        await team.shift(team.a, *MINE),
        await team.shift(team.b, "2026-11-24 10:00", "2026-11-24 18:00"),
    )
    swap = await ask(team, mine.id, team.b, theirs.id)
    await agree(team, swap.id, team.b)
    await approve(team, swap.id)
    assert (await owner(team, mine.id), await owner(team, theirs.id)) == (team.b.id, team.a.id)


async def test_a_shift_may_be_given_without_one_in_return(team: Team) -> None:
    mine = await team.shift(team.a, *MINE)
    swap = await ask(team, mine.id, team.b)
    await agree(team, swap.id, team.b)
    await approve(team, swap.id)
    assert await owner(team, mine.id) == team.b.id


async def test_of_64_approvals_at_once_the_shifts_change_hands_once(team: Team) -> None:
    """Exchanged twice, they would be back where they were."""
    mine, theirs = await team.shift(team.a, *MINE), await team.shift(team.b, *THEIRS)
    swap = await ask(team, mine.id, team.b, theirs.id)
    await agree(team, swap.id, team.b)
    await all_connected(team.database, 20)
    done = await asyncio.gather(*(approve(team, swap.id) for _ in range(64)))
    assert {one.status for one in done} == {ShiftSwapStatus.APPROVED}
    assert {one.version for one in done} == {3}
    assert (await owner(team, mine.id), await owner(team, theirs.id)) == (team.b.id, team.a.id)
    assert (await team.stored(mine.id)).version == 2
    assert len([e for e in await team.events("caregiver.swap") if e["status"] == "approved"]) == 1


async def test_one_shift_is_asked_of_two_colleagues_64_times_and_goes_to_one(team: Team) -> None:
    mine = await team.shift(team.a, *MINE)
    await all_connected(team.database, 20)

    async def request(number: int) -> UUID | None:
        try:
            return (await ask(team, mine.id, team.b if number % 2 else team.c)).id
        except SwapUnderWay:
            return None

    made = [one for one in await asyncio.gather(*(request(number) for number in range(64))) if one]
    assert len(made) == 1


async def test_agreed_and_withdrawn_at_the_same_moment_is_one_of_the_two(team: Team) -> None:
    mine = await team.shift(team.a, *MINE)
    swap = await ask(team, mine.id, team.b)
    await agree(team, swap.id, team.b)
    await all_connected(team.database, 20)

    async def withdraw() -> str:
        async with team.work(team.person(team.a)) as work:
            return str((await service.withdraw(work, team.a.id, swap.id, None)).status)

    async def decide() -> str:
        return str((await approve(team, swap.id)).status)

    done = await asyncio.gather(
        *(withdraw() if number % 2 else decide() for number in range(64)), return_exceptions=True
    )
    assert all(isinstance(one, str | IllegalTransition) for one in done), done
    (outcome,) = {one for one in done if isinstance(one, str)}
    expected = team.b.id if outcome == "approved" else team.a.id
    assert await owner(team, mine.id) == expected


async def test_what_has_changed_meanwhile_is_not_swapped(team: Team) -> None:
    mine, theirs = await team.shift(team.a, *MINE), await team.shift(team.b, *THEIRS)
    swap = await ask(team, mine.id, team.b, theirs.id)
    await agree(team, swap.id, team.b)
    async with team.work(team.manager) as work:
        await rota.cancel_shift(work, theirs.id, CancelShift(), None)
    with pytest.raises(ShiftChangedHands):
        await approve(team, swap.id)
    assert await owner(team, mine.id) == team.a.id
    assert await lapsed(team, swap.id)


@pytest.mark.parametrize("what", ["shift", "absence"])
async def test_who_cannot_come_does_not_take_over(team: Team, what: str) -> None:
    mine = await team.shift(team.a, *MINE)
    swap = await ask(team, mine.id, team.b)
    await agree(team, swap.id, team.b)
    expected: type[DomainError]
    if what == "shift":
        await team.shift(team.b, "2026-11-24 15:00", "2026-11-24 20:00", draft=True)
        expected = ShiftsOverlap
    else:
        await team.away(team.b, AbsenceKind.SICK, "2026-11-24 00:00", "2026-11-25 00:00")
        expected = AbsentThen
    with pytest.raises(expected):
        await approve(team, swap.id, "无论如何")
    assert await owner(team, mine.id) == team.a.id


async def test_booked_visits_and_limits_need_a_reason(team: Team) -> None:
    mine = await team.shift(team.a, *MINE)
    await team.shift(team.b, "2026-11-24 16:00", "2026-11-24 20:00")
    booking = await team.booked(team.a, "2026-11-24 09:00")
    swap = await ask(team, mine.id, team.b)
    await agree(team, swap.id, team.b)
    with pytest.raises(VisitsBooked) as refusal:
        await approve(team, swap.id)
    assert [one["booking_id"] for one in refusal.value.extra["visits"]] == [str(booking)]
    done = await approve(team, swap.id, "服务已另行安排")
    assert [one.booking_id for one in done.to_move] == [booking]
    assert [(one.rule, one.minutes) for one in done.breaches] == [("longest_day", 720)]


async def test_limits_alone_need_a_reason_too(team: Team) -> None:
    mine = await team.shift(team.a, *MINE)
    await team.shift(team.b, "2026-11-24 16:00", "2026-11-24 20:00")
    swap = await ask(team, mine.id, team.b)
    await agree(team, swap.id, team.b)
    with pytest.raises(WorkingTimeExceeded):
        await approve(team, swap.id)


async def test_missing_skills_are_shown_and_no_bar(team: Team) -> None:
    skilled = team.world.here.caregivers[0]
    mine = await team.shift(team.a, *MINE)
    swap = await ask(team, mine.id, team.b)
    assert swap.missing_skills == []
    new = await team.shift(skilled, "2026-11-26 08:00", "2026-11-26 12:00")
    async with team.work(SYSTEM) as work:
        wish = NewShiftSwap(shift_id=new.id, to_caregiver_id=team.c.id, reason="家里有事")
        shown = await service.request_swap(work, skilled.id, wish)
    assert "nursing" in shown.missing_skills
    assert "bathing" not in shown.missing_skills


async def test_only_ones_own_published_shifts_ahead_are_swapped(team: Team) -> None:
    draft = await team.shift(team.a, *MINE, draft=True)
    foreign = await team.shift(team.b, *THEIRS)
    stranger = team.world.neighbour.caregivers[0]
    for shift_id in (draft.id, foreign.id):
        with pytest.raises(NotFound):
            await ask(team, shift_id, team.c)
    ahead = await team.shift(team.a, "2026-11-26 08:00", "2026-11-26 16:00")
    with pytest.raises(NotFound):
        await ask(team, ahead.id, stranger)
    team.clock.forward(days=3, hours=1)
    with pytest.raises(ShiftIsPast):
        await ask(team, ahead.id, team.c)


async def test_a_swap_whose_shift_has_begun_lapses(team: Team) -> None:
    mine = await team.shift(team.a, *MINE)
    swap = await ask(team, mine.id, team.b)
    assert not await lapsed(team, swap.id)
    team.clock.forward(days=1)
    assert await lapsed(team, swap.id)
    with pytest.raises(IllegalTransition):
        await agree(team, swap.id, team.b)
