"""The caregiver's file: numbers sealed, everything on its log, people kept apart in secret."""

import asyncio
from datetime import date

import pytest
from pydantic import ValidationError
from sqlmodel import select

from services.audit.models import AccessLog
from services.caregivers import repository, service
from services.caregivers.errors import AlreadyOnFile, HasLeft, NothingOnFile, PairOnFile
from services.caregivers.file_models import (
    CaregiverFields,
    CaregiverPublic,
    Departure,
    LimitFields,
    NewCaregiver,
    NumberField,
    NumberRequest,
    Numbers,
    Travel,
)
from services.caregivers.models import AskedBy, Caregiver, TravelMode
from services.caregivers.pairs import service as pairs
from services.caregivers.pairs.models import LiftPair, NewPair
from services.caregivers.rota.models import CopyWeek
from services.core.actor import Actor, Role
from services.core.errors import InvalidInput, NotFound, VersionMismatch
from tests.crowd import all_connected
from tests.people import new_id_number
from tests.services.caregivers.conftest import Team, at
from tests.staffing import PAIR_REASON, file_of, new_institution

PHONE = "13912345678"


async def take_on(team: Team, actor: Actor | None = None, **facts: object) -> CaregiverPublic:
    new = NewCaregiver(**{"centre_id": team.centre_id, **file_of(), **facts})
    async with team.work(actor or team.manager) as work:
        return await service.take_on(work, team.vault, new)


async def test_numbers_are_sealed_masked_and_opened_with_a_purpose(team: Team) -> None:
    number = new_id_number()
    made = await take_on(team, phone=PHONE, id_number=number)
    assert (made.phone_masked, made.id_number_masked) == ("139****5678", f"{number[:4]}**********{number[-4:]}")
    async with team.work() as work:
        row = await work.session.get_one(Caregiver, made.id)
    assert PHONE not in str(row.model_dump())
    assert number not in str(row.model_dump())
    async with team.work(team.dispatcher) as work:
        wish = NumberRequest(field=NumberField.PHONE, purpose="通知临时调班")
        assert (await service.reveal(work, team.vault, made.id, wish)).value == PHONE
    async with team.work(team.manager) as work:
        lines = await service.list_log(work, made.id, 20, None)
    assert [(line.act, line.reason) for line in lines] == [("revealed", "通知临时调班"), ("taken_on", "")]
    assert PHONE not in str(lines)
    async with team.work(team.manager) as work:  # what is null stays, an empty text goes
        kept = await service.keep_numbers(work, team.vault, made.id, Numbers(id_number=""), None)
    assert (kept.phone_masked, kept.id_number_masked) == ("139****5678", None)
    wish = NumberRequest(field=NumberField.ID_NUMBER, purpose="核对身份")
    with pytest.raises(NothingOnFile):
        async with team.work(team.dispatcher) as work:
            await service.reveal(work, team.vault, made.id, wish)


async def test_one_person_has_one_file_also_when_64_open_it_at_once(team: Team) -> None:
    number = new_id_number()
    await all_connected(team.database, 20)

    async def one() -> bool:
        try:
            await take_on(team, id_number=number)
        except AlreadyOnFile:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(64)))) == 1


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"phone": "123"}, "phone"),
        ({"id_number": "430121199001011234"}, "id_number"),
        ({"skills": ["flying"]}, "skills"),
        ({"profession": "pilot"}, "profession"),
        ({"practice_since": date(2026, 11, 24)}, "practice_since"),
    ],
)
async def test_what_makes_no_sense_is_refused(team: Team, facts: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await take_on(team, **facts)
    assert refusal.value.extra["field"] == field
    async with team.work(team.manager) as work:
        assert not await service.list_caregivers(work, 20, None, team.centre_id, "刘示范", with_left=True)


async def test_an_institution_is_one_of_the_county(team: Team) -> None:
    async with team.work() as work:
        here = new_institution(work, team.world.here.county)
        abroad = new_institution(work, team.world.abroad.county)
        await work.session.flush()
    assert (await take_on(team, institution_id=here.id)).institution_id == here.id
    with pytest.raises(NotFound):
        await take_on(team, institution_id=abroad.id)


async def test_a_change_is_meant_for_the_version_that_was_seen(team: Team) -> None:
    made = await take_on(team)
    fields = CaregiverFields(**file_of(skills=["bathing"]))
    async with team.work(team.officer) as work:
        changed = await service.change(work, team.vault, made.id, fields, 1)
    assert (changed.skills, changed.version) == (["bathing"], 2)
    with pytest.raises(VersionMismatch):
        async with team.work(team.officer) as work:
            await service.change(work, team.vault, made.id, fields, 1)
    async with team.work(team.officer) as work:  # nothing new: nothing written
        assert (await service.change(work, team.vault, made.id, fields, 2)).version == 2


async def test_a_caregiver_says_herself_how_she_gets_about(team: Team) -> None:
    travel = Travel(travel_mode=TravelMode.CAR, home_latitude=28.4, home_longitude=113.3)
    async with team.work(team.person(team.a)) as work:
        mine = await service.change_own_travel(work, team.vault, travel, None)
    assert (mine.id, mine.travel_mode, mine.home_latitude) == (team.a.id, TravelMode.CAR, 28.4)


async def test_who_has_left_has_left(team: Team) -> None:
    await team.booked(team.a, "2026-11-26 09:00")
    leaves = Departure(left_at=at("2026-11-24 18:00"), reason="合同到期")
    async with team.work(team.manager) as work:
        await service.record_departure(work, team.vault, team.a.id, leaves, None)
    (event,) = await team.events("caregiver.absent")
    assert event["caregiver_id"] == str(team.a.id)
    async with team.work(team.manager) as work:  # a double tap
        await service.record_departure(work, team.vault, team.a.id, leaves, None)
    assert len(await team.events("caregiver.absent")) == 1
    team.clock.forward(days=2)
    later = Departure(left_at=at("2026-12-24 18:00"), reason="又回来")
    with pytest.raises(HasLeft):
        async with team.work(team.manager) as work:
            await service.record_departure(work, team.vault, team.a.id, later, None)
    async with team.work(team.manager) as work:
        there = await service.list_caregivers(work, 50, None, team.centre_id, None, with_left=False)
    assert team.a.id not in {one.id for one in there}


async def test_the_next_town_finds_nobody(team: Team) -> None:
    neighbour = await team.world.actor(Role.CENTRE_MANAGER, team.world.neighbour)
    async with team.work(neighbour) as work:
        with pytest.raises(NotFound):
            await service.read_caregiver(work, team.vault, team.a.id)
        with pytest.raises(NotFound):
            await service.set_limits(work, team.vault, team.a.id, LimitFields(reason="无权"), None)


async def block(team: Team, who: Caregiver, actor: Actor | None = None, until: date | None = None) -> object:
    resident = team.world.here.households[0].resident
    new = NewPair(
        resident_id=resident.id, caregiver_id=who.id, asked_by=AskedBy.FAMILY, reason=PAIR_REASON, until=until
    )
    async with team.work(actor or team.manager) as work:
        return await pairs.block(work, new)


async def kept_apart(team: Team) -> set[object]:
    resident = team.world.here.households[0].resident
    async with team.work() as work:
        found = (await repository.blocked_pairs(work, [resident.id]))[resident.id]
    return set(found) & {team.a.id, team.b.id, team.c.id}


async def test_two_are_kept_apart_until_it_is_lifted(team: Team) -> None:
    booking = await team.booked(team.a, "2026-11-24 09:00")
    made = await block(team, team.a)
    assert [one.booking_id for one in made.to_move] == [booking]  # type: ignore[attr-defined]
    assert await kept_apart(team) == {team.a.id}
    with pytest.raises(PairOnFile):
        await block(team, team.a)
    async with team.work(team.manager) as work:
        await pairs.lift(work, made.id, LiftPair(reason="双方同意"), 1)  # type: ignore[attr-defined]
    assert await kept_apart(team) == set()
    await block(team, team.a)


async def test_a_last_day_is_the_last_day(team: Team) -> None:
    await block(team, team.a, until=date(2026, 11, 23))
    assert await kept_apart(team) == {team.a.id}
    team.clock.forward(hours=14, minutes=59)
    assert await kept_apart(team) == {team.a.id}
    team.clock.forward(minutes=1)
    assert await kept_apart(team) == set()
    await block(team, team.a)  # anew, where the old one has run out
    with pytest.raises(InvalidInput):
        await block(team, team.b, until=date(2026, 11, 23))


async def test_the_reason_is_for_managers_and_nobody_tells_the_caregiver(team: Team) -> None:
    made = await block(team, team.a, team.dispatcher)
    assert made.reason is None  # type: ignore[attr-defined]
    resident = team.world.here.households[0].resident
    for actor, expected in ((team.dispatcher, None), (team.manager, PAIR_REASON)):
        async with team.work(actor) as work:
            shown = await pairs.list_pairs(work, 20, None, resident.id, None)
        assert {one.reason for one in shown} == {expected}
    async with team.work(team.person(team.a)) as work:
        mine = await service.read_own(work, team.vault)
    async with team.work(team.manager) as work:
        log = await service.list_log(work, team.a.id, 50, None)
    assert PAIR_REASON not in f"{mine} {log}"
    assert "pair" not in str([line.act for line in log])
    async with team.work() as work:
        query = select(AccessLog.resource).where(AccessLog.resident_id == resident.id)
        assert "blocked_pair" in (await work.session.exec(query)).all()


def test_a_week_is_named_by_its_monday() -> None:
    with pytest.raises(ValidationError, match="Monday"):
        CopyWeek(from_monday=date(2026, 11, 24), to_mondays=[date(2026, 11, 30)])
