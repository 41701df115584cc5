"""Institutions: who takes work on which day, who is warned, what must be moved."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from services.caregivers.models import Caregiver
from services.caregivers.repository import lock_caregivers
from services.core.actor import SYSTEM, Actor, Role
from services.core.errors import IllegalTransition, NotFound, VersionMismatch
from services.core.outbox import OutboxEvent
from services.institutions import service
from services.institutions.errors import LicenceOnFile
from services.institutions.models import (
    Due,
    Institution,
    InstitutionFields,
    InstitutionKind,
    InstitutionPublic,
    NewInstitution,
    NewReview,
    ReviewResult,
)
from services.institutions.repository import closed_institutions, hold_caregivers
from services.institutions.standing import closed_because, due_dates, has_run_out
from services.institutions.states import InstitutionStatus
from services.reports.staffing.service import work_of_centre, work_of_institution
from tests.crowd import all_connected
from tests.services.caregivers.conftest import Team
from tests.services.caregivers.conftest import team as team
from tests.staffing import institution_of

TODAY = date(2026, 11, 23)


def plain(**facts: object) -> Institution:
    return Institution(
        **{
            "area_code": "430121",
            "name": "示范（虚构）",
            "kind": InstitutionKind.CLINIC,
            "licence_number": "SF-1",
            "licence_issuer": "示范",
            "licence_from": date(2026, 1, 1),
            "licence_until": date(2027, 12, 31),
            "agreement_from": date(2026, 1, 1),
            "agreement_until": date(2027, 12, 31),
            "review_due": date(2027, 6, 30),
            "status": InstitutionStatus.ACTIVE,
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
            **facts,
        }
    )


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []),
        ({"status": InstitutionStatus.SUSPENDED}, ["suspended"]),
        ({"status": InstitutionStatus.EXITED}, ["exited"]),
        ({"licence_until": TODAY}, []),
        ({"licence_until": TODAY - timedelta(days=1)}, ["licence_not_valid"]),
        ({"licence_from": TODAY + timedelta(days=1)}, ["licence_not_valid"]),
        ({"agreement_until": TODAY - timedelta(days=1)}, ["agreement_not_valid"]),
        ({"agreement_from": TODAY}, []),
        ({"review_due": date(2026, 1, 1)}, []),  # a late review is warned of and closes nothing
    ],
)
def test_who_takes_work_on_a_day(facts: dict[str, object], expected: list[str]) -> None:
    assert closed_because(plain(**facts), TODAY) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 7), (-1, None)],
)
def test_when_a_licence_is_warned_of(left: int, expected: int | None) -> None:
    found = due_dates(plain(licence_until=TODAY + timedelta(days=left)), TODAY)
    assert [one.days for one in found if one.what is Due.LICENCE] == ([] if expected is None else [expected])


def test_what_has_run_out_closes_the_active_only() -> None:
    over = {"agreement_until": TODAY - timedelta(days=1)}
    assert [one.what for one in has_run_out(plain(**over), TODAY)] == [Due.AGREEMENT]
    assert has_run_out(plain(status=InstitutionStatus.SUSPENDED, **over), TODAY) == []


async def admit(team: Team, **facts: object) -> InstitutionPublic:
    async with team.work(team.officer) as work:
        return await service.admit(work, NewInstitution(**institution_of(**facts)))


async def closed(team: Team, institution_id: UUID, day: date = TODAY, actor: Actor = SYSTEM) -> bool:
    async with team.work(actor) as work:
        return institution_id in await closed_institutions(work, [institution_id], day)


async def join(team: Team, institution_id: UUID, who: Caregiver) -> None:
    async with team.work() as work:
        (await work.session.get_one(Caregiver, who.id)).institution_id = institution_id


async def suspended_events(team: Team, institution_id: UUID) -> list[object]:
    async with team.work() as work:
        rows = (
            await work.session.exec(select(OutboxEvent).where(OutboxEvent.name == "institution.suspended"))
        ).all()
    return [row.payload["why"] for row in rows if row.payload["institution_id"] == str(institution_id)]


async def test_suspended_means_no_new_work_from_that_minute(team: Team) -> None:
    made = await admit(team)
    assert (made.takes_work, await closed(team, made.id)) == (True, False)
    async with team.work(team.officer) as work:
        gone = await service.suspend(work, made.id, "台账造假", made.version)
    assert (gone.takes_work, gone.closed_because) == (False, ["suspended"])
    # Everybody of the county must see it, whatever the narrower area: caregivers and dispatchers who book.
    for actor in (SYSTEM, team.dispatcher, team.person(team.a)):
        assert await closed(team, made.id, actor=actor)
    async with team.work(team.officer) as work:  # a double tap
        assert (await service.suspend(work, made.id, "台账造假", None)).version == gone.version
    assert await suspended_events(team, made.id) == ["suspended"]
    async with team.work(team.officer) as work:
        await service.resume(work, made.id, "整改完成", None)
    assert not await closed(team, made.id)
    async with team.work(team.officer) as work:
        await service.let_go(work, made.id, "协议终止", None)
    with pytest.raises(IllegalTransition):
        async with team.work(team.officer) as work:
            await service.resume(work, made.id, "反悔", None)


async def test_licence_and_agreement_are_asked_for_the_day_of_service(team: Team) -> None:
    made = await admit(team, licence_until="2026-12-31")
    assert not await closed(team, made.id, date(2026, 12, 31))
    assert await closed(team, made.id, date(2027, 1, 1))


async def test_nobody_is_booked_while_a_suspension_is_under_way(team: Team) -> None:
    """Who books holds the caregiver's row: that waits, and then sees the suspension."""
    made = await admit(team)
    await join(team, made.id, team.a)
    await all_connected(team.database, 20)

    async def book() -> bool:
        async with team.work(team.dispatcher) as work:
            await lock_caregivers(work, [team.a.id])
            return made.id not in await closed_institutions(work, [made.id], TODAY)

    async with team.work(team.officer) as work:
        await service.suspend(work, made.id, "台账造假", None)
        booking = [asyncio.create_task(book()) for _ in range(64)]
        done, _ = await asyncio.wait(booking, timeout=0.5)
        assert not done, "somebody went on without waiting"
    assert not any(await asyncio.gather(*booking))


async def test_a_failed_review_suspends_and_a_passed_one_moves_the_date(team: Team) -> None:
    made = await admit(team)
    passed = NewReview(held_on=TODAY, result=ReviewResult.PASSED, next_due=date(2027, 11, 30))
    async with team.work(team.officer) as work:
        after = await service.record_review(work, made.id, passed)
    assert (after.review_due, after.takes_work) == (date(2027, 11, 30), True)
    failed = NewReview(held_on=TODAY, result=ReviewResult.FAILED, findings="x", next_due=date(2027, 11, 30))
    async with team.work(team.officer) as work:
        assert (await service.record_review(work, made.id, failed)).status is InstitutionStatus.SUSPENDED
    async with team.work(team.officer) as work:
        reviews = await service.list_reviews(work, made.id, 20, None)
    assert [one.result for one in reviews] == [ReviewResult.FAILED, ReviewResult.PASSED]


async def test_a_change_that_ends_the_licence_closes_at_once(team: Team) -> None:
    made = await admit(team)
    facts = institution_of(licence_number=made.licence_number, licence_until="2026-11-22")
    async with team.work(team.officer) as work:
        after = await service.change(work, made.id, InstitutionFields(**facts), made.version)
    assert (after.takes_work, after.closed_because) == (False, ["licence_not_valid"])
    assert await suspended_events(team, made.id) == ["licence_not_valid"]
    with pytest.raises(VersionMismatch):
        async with team.work(team.officer) as work:
            await service.change(work, made.id, InstitutionFields(**facts), made.version)


async def test_one_licence_is_one_institution(team: Team) -> None:
    made = await admit(team)
    with pytest.raises(LicenceOnFile):
        await admit(team, licence_number=made.licence_number)
    async with team.work(team.officer) as work:
        await service.let_go(work, made.id, "协议终止", None)
    await admit(team, licence_number=made.licence_number)


async def test_the_county_is_warned_once_before_a_date_and_told_when_it_has_passed(team: Team) -> None:
    made = await admit(team, licence_until=str(TODAY + timedelta(days=31)))

    async def warned() -> list[int]:
        for _ in range(2):
            async with team.work() as work:
                await service.warn_of_dates(work)
        events = await team.events("institution.due")
        return [int(str(one["days"])) for one in events if one["institution_id"] == str(made.id)]

    assert await warned() == [60]
    team.clock.forward(days=1)
    assert await warned() == [60, 30]
    team.clock.forward(days=25)
    assert await warned() == [60, 30, 7]
    assert await suspended_events(team, made.id) == []
    team.clock.forward(days=6)
    assert await warned() == [60, 30, 7]
    assert await suspended_events(team, made.id) == ["licence_not_valid"]


async def test_another_county_finds_nothing(team: Team) -> None:
    made = await admit(team)
    abroad = await team.world.actor(Role.COUNTY_OFFICER, team.world.abroad)
    async with team.work(abroad) as work:
        assert made.id not in {one.id for one in await service.list_institutions(work, 100, None)}
        with pytest.raises(NotFound):
            await service.suspend(work, made.id, "无权", None)
    async with team.work(abroad) as work:
        await hold_caregivers(work, made.id)  # holds nobody
        assert await closed_institutions(work, [made.id], TODAY) == {made.id}


async def test_what_must_be_moved_is_listed(team: Team) -> None:
    made = await admit(team)
    await join(team, made.id, team.a)
    await team.shift(team.a, "2026-11-24 08:00", "2026-11-24 16:00")
    await team.shift(team.b, "2026-11-24 08:00", "2026-11-24 16:00")
    theirs = await team.booked(team.a, "2026-11-24 09:00")
    own = await team.booked(team.b, "2026-11-24 09:00")
    async with team.work(team.officer) as work:
        assert (await work_of_institution(work, made.id)).items == []
    async with team.work(team.officer) as work:
        await service.suspend(work, made.id, "台账造假", None)
    async with team.work(team.officer) as work:
        (item,) = (await work_of_institution(work, made.id)).items
    assert (item.id, item.caregiver_id, item.reasons) == (theirs, team.a.id, ["institution_closed"])
    async with team.work(team.dispatcher) as work:
        of_centre = {one.id: one.reasons for one in (await work_of_centre(work, team.centre_id)).items}
    assert of_centre[theirs] == ["institution_closed"]
    assert own not in of_centre
