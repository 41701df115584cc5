"""Leave, sickness and training: when they count, what they emit, and whom they concern."""

import asyncio

import pytest
from sqlmodel import select

from services.caregivers import repository
from services.caregivers.absences import service
from services.caregivers.absences.models import AbsenceChange, Decision
from services.caregivers.errors import AbsenceIsPast, AbsenceOverlaps
from services.caregivers.models import AbsenceKind
from services.caregivers.states import AbsenceStatus
from services.core.errors import IllegalTransition, InvalidInput, NotFound
from services.events import AbsenceMoved
from services.notifications.models import Notification
from services.notifications.staffing.service import tell_of_absence
from tests.crowd import all_connected
from tests.services.caregivers.conftest import Team, at

LEAVE = ("2026-11-25 00:00", "2026-11-27 00:00")


async def absent(team: Team) -> list[tuple[object, object]]:
    """What matching sees of ``a``."""
    async with team.work() as work:
        rows = await repository.absences_between(work, [team.a.id], at("2026-11-20 00:00"), at("2026-12-20 00:00"))
    return [(row.starts_at, row.ends_at) for row in rows]


async def test_leave_counts_once_the_manager_has_approved(team: Team) -> None:
    booking = await team.booked(team.a, "2026-11-25 10:00")
    asked = await team.away(team.a, AbsenceKind.LEAVE, *LEAVE)
    assert (asked.status, await absent(team)) == (AbsenceStatus.REQUESTED, [])
    assert await team.events("caregiver.absent") == []
    async with team.work(team.manager) as work:
        approved = await service.approve(work, asked.id, Decision(note="同意"), asked.version)
    assert await absent(team) == [(at(LEAVE[0]), at(LEAVE[1]))]
    assert [one.booking_id for one in approved.to_move] == [booking]
    (event,) = await team.events("caregiver.absent")
    assert event["caregiver_id"] == str(team.a.id)
    async with team.work(team.manager) as work:  # a double tap
        again = await service.approve(work, asked.id, Decision(), None)
    assert again.version == approved.version
    assert len(await team.events("caregiver.absent")) == 1


async def test_declined_leave_changes_nothing(team: Team) -> None:
    asked = await team.away(team.a, AbsenceKind.LEAVE, *LEAVE)
    async with team.work(team.manager) as work:
        await service.decline(work, asked.id, Decision(note="人手不够"), None)
    assert await absent(team) == []
    with pytest.raises(IllegalTransition):
        async with team.work(team.manager) as work:
            await service.approve(work, asked.id, Decision(), None)
    await team.away(team.a, AbsenceKind.LEAVE, *LEAVE)  # may be asked for again


async def test_sickness_is_in_force_at_once(team: Team) -> None:
    sick = await team.away(team.a, AbsenceKind.SICK, "2026-11-23 06:00", "2026-11-24 00:00")
    assert sick.status is AbsenceStatus.APPROVED
    assert await absent(team) == [(at("2026-11-23 06:00"), at("2026-11-24 00:00"))]
    assert len(await team.events("caregiver.absent")) == 1
    with pytest.raises(IllegalTransition):  # nobody declines it
        async with team.work(team.manager) as work:
            await service.decline(work, sick.id, Decision(), None)


async def test_back_sooner_or_later(team: Team) -> None:
    sick = await team.away(team.a, AbsenceKind.SICK, "2026-11-23 06:00", "2026-11-24 00:00")
    async with team.work(team.person(team.a)) as work:
        await service.change_end(work, sick.id, AbsenceChange(ends_at=at("2026-11-26 00:00")), None)
    events = await team.events("caregiver.absent")
    assert len(events) == 2
    assert str(events[1]["starts_at"]).startswith("2026-11-23T16:00")  # what is new of it only, in UTC
    team.clock.forward(hours=24)
    async with team.work(team.person(team.a)) as work:
        back = await service.withdraw(work, sick.id, None)
    assert (back.status, back.ends_at) == (AbsenceStatus.APPROVED, at("2026-11-24 09:00"))
    assert len(await team.events("caregiver.absent")) == 2
    with pytest.raises(AbsenceIsPast):
        async with team.work(team.person(team.a)) as work:
            await service.change_end(work, sick.id, AbsenceChange(ends_at=at("2026-11-27 00:00")), None)


async def test_approved_leave_is_not_stretched_by_the_caregiver(team: Team) -> None:
    asked = await team.away(team.a, AbsenceKind.LEAVE, *LEAVE)
    async with team.work(team.manager) as work:
        await service.approve(work, asked.id, Decision(), None)
    longer = AbsenceChange(ends_at=at("2026-11-30 00:00"))
    with pytest.raises(InvalidInput):
        async with team.work(team.person(team.a)) as work:
            await service.change_end(work, asked.id, longer, None)
    async with team.work(team.manager) as work:
        await service.change_end(work, asked.id, longer, None)
    assert await absent(team) == [(at(LEAVE[0]), at("2026-11-30 00:00"))]


async def test_of_64_requests_for_the_same_days_one_is_taken(team: Team) -> None:
    await all_connected(team.database, 20)

    async def ask() -> bool:
        try:
            await team.away(team.a, AbsenceKind.LEAVE, *LEAVE)
        except AbsenceOverlaps:
            return False
        return True

    assert sum(await asyncio.gather(*(ask() for _ in range(64)))) == 1


async def test_sickness_may_lie_in_leave(team: Team) -> None:
    await team.away(team.a, AbsenceKind.LEAVE, *LEAVE)
    await team.away(team.a, AbsenceKind.SICK, "2026-11-25 00:00", "2026-11-26 00:00")


async def test_past_times_are_refused(team: Team) -> None:
    with pytest.raises(AbsenceIsPast):
        await team.away(team.a, AbsenceKind.LEAVE, "2026-11-23 08:00", "2026-11-24 00:00")
    with pytest.raises(AbsenceIsPast):
        await team.away(team.a, AbsenceKind.SICK, "2026-11-20 08:00", "2026-11-24 00:00")


async def test_a_colleague_finds_nothing_and_the_dispatcher_no_note(team: Team) -> None:
    asked = await team.away(team.a, AbsenceKind.LEAVE, *LEAVE)
    with pytest.raises(NotFound):
        async with team.work(team.person(team.b)) as work:
            await service.withdraw(work, asked.id, None)
    async with team.work() as work:
        row = await repository.find_caregiver(work, team.a.id)
        assert row is not None
    async with team.work(team.person(team.b)) as work:
        assert await service.list_absences(work, 20, None, None, []) == []
    async with team.work(team.dispatcher) as work:
        (seen,) = await service.list_absences(work, 20, None, team.centre_id, [AbsenceStatus.REQUESTED])
    assert (seen.id, seen.note) == (asked.id, "")


async def test_whoever_must_act_hears_of_it_once(team: Team) -> None:
    asked = await team.away(team.a, AbsenceKind.LEAVE, *LEAVE)
    event = AbsenceMoved(
        area_code=team.a.area_code,
        centre_id=team.centre_id,
        absence_id=asked.id,
        caregiver_id=team.a.id,
        kind="leave",
        status="requested",
        starts_at=asked.starts_at,
        ends_at=asked.ends_at,
    )
    for _ in range(2):  # a handler may run again
        async with team.work() as work:
            await tell_of_absence(work, event)
    async with team.work() as work:
        query = select(Notification.account_id).where(Notification.template == "absence")
        told = [one for one in (await work.session.exec(query)).all() if one == team.manager.account_id]
    assert told == [team.manager.account_id]
