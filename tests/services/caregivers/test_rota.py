"""Shifts, weeks and templates on a real database, with real concurrency."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from services.caregivers import repository
from services.caregivers.errors import HasLeft, ShiftIsPast, ShiftsOverlap, VisitsBooked, WorkingTimeExceeded
from services.caregivers.file_models import Departure, LimitFields
from services.caregivers.models import AbsenceKind, Shift, ShiftKind
from services.caregivers.rota import planning, service
from services.caregivers.rota.models import (
    ApplyTemplate,
    CancelShift,
    CopyWeek,
    NewShift,
    NewTemplate,
    PublishWeek,
    ShiftTimes,
    TemplateShift,
)
from services.caregivers.service import record_departure, set_limits
from services.caregivers.states import ShiftStatus
from services.core.actor import Role
from services.core.errors import InvalidInput, NotFound, VersionMismatch
from services.dispatch.errors import NotAssignable
from tests.crowd import all_connected
from tests.ordering import Ordering
from tests.services.caregivers.conftest import Team, at

MONDAY, NEXT = date(2026, 11, 23), date(2026, 11, 30)


async def seen(team: Team, kind: ShiftKind = ShiftKind.WORK) -> list[tuple[object, object]]:
    """What matching sees of the three in these weeks."""
    read = repository.shifts_between if kind is ShiftKind.WORK else repository.on_call_between
    ids = [team.a.id, team.b.id, team.c.id]
    async with team.work() as work:
        rows = await read(work, ids, at("2026-11-23 00:00"), at("2026-12-14 00:00"))
    return [(row.starts_at, row.ends_at) for row in rows]


async def test_a_draft_counts_for_nothing_until_it_is_published(team: Team) -> None:
    draft = await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 16:00", draft=True)
    assert draft.status is ShiftStatus.DRAFT
    assert await seen(team) == []
    async with team.work(team.manager) as work:
        published = await planning.publish_week(work, team.centre_id, PublishWeek(monday=MONDAY))
    assert published.published == 1
    assert await seen(team) == [(at("2026-11-24 08:00"), at("2026-11-24 16:00"))]
    async with team.work(team.manager) as work:
        again = await planning.publish_week(work, team.centre_id, PublishWeek(monday=MONDAY))
    assert again.published == 0


async def test_shifts_of_one_caregiver_never_overlap(team: Team) -> None:
    first = await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 16:00", draft=True)
    await team.shift(team.b, "2026-11-24 08:00", "2026-11-24 16:00")
    await team.shift(team.a, "2026-11-24 16:00", "2026-11-24 17:00")  # half-open: adjoining is no overlap
    with pytest.raises(ShiftsOverlap):
        await team.shift(team.a, "2026-11-24 15:59", "2026-11-24 16:00")
    with pytest.raises(ShiftsOverlap):  # being on call is no way round it
        await team.shift(team.a, "2026-11-24 07:00", "2026-11-24 09:00", kind=ShiftKind.ON_CALL)
    times = ShiftTimes(starts_at=at("2026-11-24 10:00"), ends_at=at("2026-11-24 16:30"))
    with pytest.raises(ShiftsOverlap):
        async with team.work(team.manager) as work:
            await service.change_shift(work, first.id, times, None)
    async with team.work(team.manager) as work:
        await service.cancel_shift(work, first.id, CancelShift(), None)
    await team.shift(team.a, "2026-11-24 09:00", "2026-11-24 12:00")


async def test_of_64_overlapping_shifts_at_once_exactly_one_is_made(team: Team) -> None:
    await all_connected(team.database, 20)

    async def one(number: int) -> bool:
        start = at("2026-11-24 08:00") + timedelta(minutes=number)
        new = NewShift(starts_at=start, ends_at=start + timedelta(hours=2), publish=number % 2 == 0)
        try:
            async with team.work(team.manager) as work:
                await service.plan_shift(work, team.a.id, new)
        except ShiftsOverlap:
            return False
        return True

    made = await asyncio.gather(*(one(number) for number in range(64)))
    assert sum(made) == 1


async def test_the_wall_stands_in_the_database_too(team: Team) -> None:
    """Whoever writes a shift past the service is stopped as well, and the range follows its owner."""
    hours = {"starts_at": at("2026-11-24 08:00"), "ends_at": at("2026-11-24 16:00")}
    async with team.work() as work:
        work.session.add(Shift(caregiver_id=team.a.id, area_code=team.a.area_code, **hours))
    with pytest.raises(IntegrityError, match="shift_no_overlap"):
        async with team.work() as work:
            work.session.add(Shift(caregiver_id=team.a.id, area_code=team.a.area_code, **hours))
    theirs = await team.shift(team.b, "2026-11-24 12:00", "2026-11-24 18:00")
    with pytest.raises(IntegrityError, match="shift_no_overlap"):
        async with team.work() as work:
            (await work.session.get_one(Shift, theirs.id)).caregiver_id = team.a.id


async def test_on_call_is_a_reserve_and_no_shift(team: Team) -> None:
    await team.shift(team.a, "2026-11-24 20:00", "2026-11-25 08:00", kind=ShiftKind.ON_CALL)
    assert await seen(team) == []
    assert len(await seen(team, ShiftKind.ON_CALL)) == 1
    async with team.work(team.person(team.a)) as work:
        week = await service.read_own_week(work, team.a.id, MONDAY)
    assert (week.work_minutes, [one.kind for one in week.shifts]) == (0, [ShiftKind.ON_CALL])


async def test_a_copied_week_skips_days_that_exist_and_tells_conflicts(team: Team) -> None:
    await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 16:00")  # Tuesday
    await team.shift(team.a, "2026-11-25 08:00", "2026-11-25 16:00", draft=True)
    await team.shift(team.a, "2026-11-26 22:00", "2026-11-27 06:00")  # Thursday's night
    await team.shift(team.b, "2026-11-24 08:00", "2026-11-24 16:00")
    await team.shift(team.a, "2026-12-01 18:00", "2026-12-01 20:00")  # that Tuesday is planned already
    await team.shift(team.a, "2026-12-04 05:00", "2026-12-04 09:00")  # in the way of the night
    await team.away(team.b, AbsenceKind.SICK, "2026-12-01 00:00", "2026-12-02 00:00")
    async with team.work(team.manager) as work:
        copied = await planning.copy_week(
            work,
            team.centre_id,
            CopyWeek(from_monday=MONDAY, to_mondays=[NEXT], caregiver_ids=[team.a.id, team.b.id]),
        )
    assert [(one.caregiver_id, one.starts_at, one.status) for one in copied.created] == [
        (team.a.id, at("2026-12-02 08:00"), ShiftStatus.DRAFT)
    ]
    told = {(one.caregiver_id, one.day.isoformat(), one.reason) for one in copied.skipped}
    assert told == {
        (team.a.id, "2026-12-01", "day_taken"),
        (team.a.id, "2026-12-03", "overlaps"),
        (team.b.id, "2026-12-01", "absent"),
    }


async def test_two_planners_who_copy_at_once_make_one_week(team: Team) -> None:
    for day in (24, 25, 26):
        await team.shift(team.a, f"2026-11-{day} 08:00", f"2026-11-{day} 16:00")
    await all_connected(team.database, 20)

    async def copy() -> int:
        async with team.work(team.manager) as work:
            wish = CopyWeek(from_monday=MONDAY, to_mondays=[NEXT], caregiver_ids=[team.a.id])
            return len((await planning.copy_week(work, team.centre_id, wish)).created)

    made = await asyncio.gather(*(copy() for _ in range(16)))
    assert sorted(made) == [0] * 15 + [3]


async def test_a_template_makes_weeks_for_its_team(team: Team) -> None:
    new = NewTemplate(
        centre_id=team.centre_id,
        name="早班组",
        caregiver_ids=[team.a.id, team.b.id],
        pattern=[
            TemplateShift(weekday=1, starts="08:00", ends="16:00"),
            TemplateShift(weekday=6, starts="20:00", ends="08:00", kind=ShiftKind.ON_CALL),
        ],
    )
    async with team.work(team.manager) as work:
        template = await planning.create_template(work, new)
    async with team.work(team.manager) as work:
        made = await planning.apply_template(work, template.id, ApplyTemplate(mondays=[NEXT]))
    assert {(one.caregiver_id, one.starts_at, one.kind) for one in made.created} == {
        (who.id, starts, kind)
        for who in (team.a, team.b)
        for starts, kind in (
            (at("2026-11-30 08:00"), ShiftKind.WORK),
            (at("2026-12-05 20:00"), ShiftKind.ON_CALL),
        )
    }
    async with team.work(team.manager) as work:
        again = await planning.apply_template(work, template.id, ApplyTemplate(mondays=[NEXT]))
    assert (again.created, {one.reason for one in again.skipped}) == ([], {"day_taken"})


async def test_a_template_with_overlaps_or_strangers_is_refused(team: Team) -> None:
    pattern = [TemplateShift(weekday=1, starts="08:00", ends="16:00")]
    twice = [*pattern, TemplateShift(weekday=1, starts="15:00", ends="18:00")]
    with pytest.raises(InvalidInput):
        async with team.work(team.manager) as work:
            await planning.create_template(
                work, NewTemplate(centre_id=team.centre_id, name="x", caregiver_ids=[team.a.id], pattern=twice)
            )
    stranger = team.world.neighbour.caregivers[0].id
    with pytest.raises(NotFound):
        async with team.work(team.officer) as work:
            await planning.create_template(
                work, NewTemplate(centre_id=team.centre_id, name="x", caregiver_ids=[stranger], pattern=pattern)
            )


async def test_limits_are_passed_with_a_reason_only_and_all_or_nothing(team: Team) -> None:
    for day in range(23, 30):
        hour = 10 if day == 23 else 8
        await team.shift(team.a, f"2026-11-{day} {hour:02d}:00", f"2026-11-{day} {hour + 8:02d}:00", draft=True)
    await team.shift(team.b, "2026-11-24 08:00", "2026-11-24 12:00", draft=True)
    with pytest.raises(WorkingTimeExceeded) as refusal:
        async with team.work(team.manager) as work:
            await planning.publish_week(work, team.centre_id, PublishWeek(monday=MONDAY))
    (told,) = refusal.value.extra["breaches"]
    assert told["caregiver_id"] == str(team.a.id)
    assert told["breaches"] == [{"rule": "longest_week", "day": "2026-11-23", "minutes": 3360, "limit": 2880}]
    assert await seen(team) == []
    async with team.work(team.manager) as work:
        wish = PublishWeek(monday=MONDAY, override_reason="同事生病，本人同意")
        assert (await planning.publish_week(work, team.centre_id, wish)).published == 8
    async with team.work(team.manager) as work:
        rows = (await service.read_week(work, team.centre_id, MONDAY)).rows
    reasons = {row.caregiver_id: {one.override_reason for one in row.shifts} for row in rows}
    assert reasons[team.a.id] == {"同事生病，本人同意"}
    assert reasons[team.b.id] == {None}


async def test_somebodys_own_limits_hold_for_her(team: Team) -> None:
    with pytest.raises(WorkingTimeExceeded):
        await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 19:00")
    async with team.work(team.manager) as work:
        fields = LimitFields(day_minutes=720, reason="本人书面同意")
        file = await set_limits(work, team.vault, team.a.id, fields, None)
    assert (file.limits.day_minutes, file.limits.week_minutes, file.limits.own_reason) == (
        720,
        2880,
        "本人书面同意",
    )
    await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 19:00")
    async with team.work() as work:
        limits = await repository.limits_of(work, [team.a.id, team.b.id])
    assert (limits[team.a.id].day_minutes, limits[team.b.id].day_minutes) == (720, 600)


async def test_a_booked_shift_is_not_taken_away_without_a_reason(team: Team) -> None:
    shift = await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 16:00")
    booking = await team.booked(team.a, "2026-11-24 13:00")
    shorter = {"starts_at": at("2026-11-24 08:00"), "ends_at": at("2026-11-24 13:30")}
    with pytest.raises(VisitsBooked) as refusal:
        async with team.work(team.manager) as work:
            await service.change_shift(work, shift.id, ShiftTimes(**shorter), None)
    assert [one["booking_id"] for one in refusal.value.extra["visits"]] == [str(booking)]
    with pytest.raises(VisitsBooked):
        async with team.work(team.manager) as work:
            await service.cancel_shift(work, shift.id, CancelShift(), None)
    on_call = ShiftTimes(starts_at=shift.starts_at, ends_at=shift.ends_at, kind=ShiftKind.ON_CALL)
    with pytest.raises(VisitsBooked):  # to make it on-call takes it away as well
        async with team.work(team.manager) as work:
            await service.change_shift(work, shift.id, on_call, None)
    async with team.work(team.manager) as work:  # what the visit does not need may go
        other = {"starts_at": at("2026-11-24 09:00"), "ends_at": at("2026-11-24 15:00")}
        await service.change_shift(work, shift.id, ShiftTimes(**other), None)
    async with team.work(team.manager) as work:
        wish = CancelShift(override_reason="临时培训，服务改由同事承担")
        gone = await service.cancel_shift(work, shift.id, wish, None)
    assert [one.booking_id for one in gone.to_move] == [booking]
    assert gone.status is ShiftStatus.CANCELLED
    async with team.work(team.manager) as work:
        again = await service.cancel_shift(work, shift.id, CancelShift(), None)
    assert again.version == gone.version


async def test_changes_are_for_the_version_that_was_seen(team: Team) -> None:
    shift = await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 16:00")
    times = ShiftTimes(starts_at=at("2026-11-24 09:00"), ends_at=at("2026-11-24 16:00"))
    async with team.work(team.manager) as work:
        assert (await service.change_shift(work, shift.id, times, 1)).version == 2
    with pytest.raises(VersionMismatch):
        async with team.work(team.manager) as work:
            await service.cancel_shift(work, shift.id, CancelShift(), 1)


async def test_what_is_past_or_beyond_a_departure_is_no_shift(team: Team) -> None:
    with pytest.raises(ShiftIsPast):
        await team.shift(team.a, "2026-11-23 08:00", "2026-11-23 16:00")
    with pytest.raises(InvalidInput):
        await team.shift(team.a, "2026-11-24 08:00", "2026-11-25 08:01")
    async with team.work(team.manager) as work:
        leaves = Departure(left_at=at("2026-11-25 00:00"), reason="合同到期")
        await record_departure(work, team.vault, team.a.id, leaves, None)
    await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 16:00")
    with pytest.raises(HasLeft):
        await team.shift(team.a, "2026-11-24 20:00", "2026-11-25 02:00")


async def test_the_next_towns_rota_is_not_found(team: Team) -> None:
    stranger = team.world.neighbour.caregivers[0]
    with pytest.raises(NotFound):
        await team.shift(stranger, "2026-11-28 08:00", "2026-11-28 16:00")
    with pytest.raises(NotFound):
        async with team.work(team.manager) as work:
            await service.read_week(work, team.world.neighbour.centre.id, MONDAY)
    assert team.manager.role is Role.CENTRE_MANAGER


async def test_nobody_is_booked_on_a_shift_that_goes_at_the_same_moment(ordering: Ordering) -> None:
    """64 dispatchers assign while a manager takes the shift away: never both."""
    order = await ordering.place("cleaning", in_hours=2)
    (one,) = await ordering.add_caregivers(1)
    async with ordering.work() as work:
        found = await repository.shifts_between(
            work, [one.id], ordering.clock.now(), ordering.clock.now() + timedelta(hours=3)
        )
        assert len(found) == 1
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        week = await service.read_own_week(work, one.id)
    (shift,) = week.shifts
    await all_connected(ordering.database, 20)

    async def assign() -> str:
        try:
            await ordering.assign(order.id, [one])
        except NotAssignable:
            return "refused"
        return "booked"

    async def cancel() -> str:
        try:
            async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
                await service.cancel_shift(work, shift.id, CancelShift(), None)
        except VisitsBooked:
            return "kept"
        return "cancelled"

    done = await asyncio.gather(*(cancel() if number == 7 else assign() for number in range(64)))
    booked, cancelled = "booked" in done, "cancelled" in done
    assert booked != cancelled, done
