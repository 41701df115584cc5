"""On duty: without a rota, with one, with gaps, replacements, swaps, and people who have left."""

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from services.core.actor import SYSTEM, Role
from services.core.errors import DomainError, IllegalTransition, InvalidInput, NotFound, VersionMismatch
from services.duty.errors import AlreadyOnDuty, DutyIsPast, NotOnDuty, NotYourSwap, OverrideCancelled
from services.duty.models import (
    DutyOverride,
    DutyRotaChange,
    DutySwap,
    NewOverride,
    NewRota,
    NewSwap,
    RotaFields,
    RotaPublic,
)
from services.duty.rotas import add_override, cancel_override, change_rota, create_rota, list_rotas, read_rota
from services.duty.service import duty_now, gaps_ahead, on_duty
from services.duty.swaps import accept_swap, decline_swap, lapse_swaps, request_swap, withdraw_swap
from services.events import DutySwapMoved
from services.handlers import tell_of_swap
from services.identity.models import Account
from services.notifications.models import Notification
from tests.services.duty.conftest import Office, at, shift


async def who(office: Office, moment: str, role: Role = Role.DISPATCHER) -> set[UUID]:
    async with office.database.unit_of_work(SYSTEM) as work:
        return set(await on_duty(work, office.centre_id, role, at(moment)))


async def day_and_night(office: Office) -> RotaPublic:
    return await office.rota(shift("08:00", "20:00", [office.a]), shift("20:00", "08:00", [office.b]))


async def disable(office: Office, account_id: UUID) -> None:
    async with office.database.unit_of_work(SYSTEM) as work:
        (await work.session.get_one(Account, account_id)).disabled_at = work.now


async def test_without_a_rota_everybody_with_the_role_is_on_duty(office: Office) -> None:
    assert await who(office, "2026-11-23 03:00") == {office.a, office.b, office.c}
    assert await who(office, "2026-11-23 03:00", Role.CENTRE_MANAGER) == {
        office.world.account(Role.CENTRE_MANAGER).id
    }
    assert await who(office, "2026-11-23 03:00", Role.COUNTY_OFFICER) == {
        office.world.account(Role.COUNTY_OFFICER, place).id
        for place in (office.world.here, office.world.neighbour)
    }
    async with office.database.unit_of_work(SYSTEM) as work:
        assert await on_duty(work, uuid4(), Role.DISPATCHER, work.now) == []


async def test_a_rota_names_its_people_and_a_gap_is_nobody(office: Office) -> None:
    await office.rota(shift("08:00", "02:00", [office.a], [office.b]))
    assert await who(office, "2026-11-24 01:59") == {office.a}
    assert await who(office, "2026-11-24 02:00") == set()
    assert await who(office, "2026-11-30 09:00") == {office.b}
    # Other roles keep no rota.
    assert await who(office, "2026-11-24 02:00", Role.CENTRE_MANAGER)


async def test_two_rotas_add_up(office: Office) -> None:
    await day_and_night(office)
    await office.rota(shift("18:00", "22:00", [office.c]))
    assert await who(office, "2026-11-23 19:00") == {office.a, office.c}
    assert await who(office, "2026-11-23 21:00") == {office.b, office.c}


async def test_a_rota_that_has_ended_or_not_begun_silences_nobody(office: Office) -> None:
    everybody = {office.a, office.b, office.c}
    await office.rota(shift("08:00", "20:00", [office.a]), since=date(2026, 11, 24), until=date(2026, 11, 25))
    assert await who(office, "2026-11-23 23:59") == everybody
    assert await who(office, "2026-11-24 00:00") == set()
    assert await who(office, "2026-11-25 09:00") == {office.a}
    assert await who(office, "2026-11-26 00:00") == everybody


async def test_disabled_accounts_never_count(office: Office) -> None:
    await day_and_night(office)
    await disable(office, office.a)
    assert await who(office, "2026-11-23 09:00") == set()
    async with office.database.unit_of_work(await office.manager()) as work:
        gaps = await gaps_ahead(work, office.centre_id, Role.DISPATCHER)
    assert len(gaps) == 15
    assert (gaps[1].starts_at, gaps[1].ends_at) == (at("2026-11-24 08:00"), at("2026-11-24 20:00"))


async def test_who_changed_office_is_no_longer_on_duty(office: Office) -> None:
    await day_and_night(office)
    async with office.database.unit_of_work(SYSTEM) as work:
        (await work.session.get_one(Account, office.a)).centre_id = office.world.neighbour.centre.id
    assert await who(office, "2026-11-23 09:00") == set()


async def test_gaps_of_the_next_fortnight(office: Office) -> None:
    """Nobody from 02:00 to 06:00 on Tuesdays; before the rota begins everybody counts."""
    await office.rota(
        shift("06:00", "06:00", [office.a], days=[2, 3, 4, 5, 6, 7]),
        shift("06:00", "02:00", [office.b], days=[1]),
        since=date(2026, 11, 24),
    )
    async with office.database.unit_of_work(await office.manager()) as work:
        gaps = await gaps_ahead(work, office.centre_id, Role.DISPATCHER)
        none = await gaps_ahead(work, office.centre_id, Role.CENTRE_MANAGER)
    assert [(gap.starts_at, gap.ends_at) for gap in gaps] == [
        (at("2026-11-24 00:00"), at("2026-11-24 06:00")),
        (at("2026-12-01 02:00"), at("2026-12-01 06:00")),
    ]
    assert none == []


async def test_now_and_next(office: Office) -> None:
    async with office.database.unit_of_work(await office.manager()) as work:
        before = await duty_now(work, office.centre_id, Role.DISPATCHER)
    assert (before.has_rota, before.next, len(before.now)) == (False, None, 3)
    await day_and_night(office)
    async with office.database.unit_of_work(await office.manager()) as work:
        duty = await duty_now(work, office.centre_id, Role.DISPATCHER)
        with pytest.raises(NotFound):
            await duty_now(work, office.world.neighbour.centre.id, Role.DISPATCHER)
    assert [(p.account_id, p.until) for p in duty.now] == [(office.a, at("2026-11-23 20:00"))]
    assert duty.next is not None
    assert duty.next.at == at("2026-11-23 20:00")
    assert [(p.account_id, p.display_name) for p in duty.next.people] == [(office.b, "乙")]


async def test_what_goes_on_beyond_the_fortnight_has_no_end_and_no_next(office: Office) -> None:
    """One person round the clock, until further notice: the end of what was looked at is no end of duty."""
    await office.rota(shift("08:00", "08:00", [office.a]), since=date(2026, 11, 22))
    async with office.database.unit_of_work(await office.manager()) as work:
        duty = await duty_now(work, office.centre_id, Role.DISPATCHER)
    assert duty.has_rota
    assert [(person.account_id, person.until) for person in duty.now] == [(office.a, None)]
    assert duty.next is None


async def test_after_a_rotas_last_day_everybody_counts(office: Office) -> None:
    last_day = date(2026, 11, 27)
    await office.rota(shift("08:00", "08:00", [office.a]), since=date(2026, 11, 22), until=last_day)
    async with office.database.unit_of_work(await office.manager()) as work:
        duty = await duty_now(work, office.centre_id, Role.DISPATCHER)
    assert [(person.account_id, person.until) for person in duty.now] == [(office.a, at("2026-11-28 08:00"))]
    assert duty.next is not None
    assert duty.next.at == at("2026-11-28 08:00")
    everybody = {(office.a, None), (office.b, None), (office.c, None)}
    assert {(person.account_id, person.until) for person in duty.next.people} == everybody


async def test_the_countys_own_rota(office: Office) -> None:
    officer = office.world.account(Role.COUNTY_OFFICER)
    new = NewRota(
        role=Role.COUNTY_OFFICER,
        name="县级值班",
        shifts=[shift("08:00", "20:00", [officer.id])],
        valid_from=date(2026, 11, 23),
    )
    async with office.database.unit_of_work(await office.world.actor(Role.COUNTY_OFFICER)) as work:
        await create_rota(work, new)
    assert await who(office, "2026-11-23 09:00", Role.COUNTY_OFFICER) == {officer.id}
    assert await who(office, "2026-11-23 21:00", Role.COUNTY_OFFICER) == set()
    with pytest.raises(NotFound):  # a town does not keep it
        async with office.database.unit_of_work(await office.manager()) as work:
            await create_rota(work, new)


@pytest.mark.parametrize("change", ["stranger", "auditor", "county", "centre"])
async def test_rotas_that_make_no_sense_are_refused(office: Office, change: str) -> None:
    new = NewRota(
        centre_id=None if change == "centre" else office.centre_id,
        role={"auditor": Role.AUDITOR, "county": Role.COUNTY_OFFICER}.get(change, Role.DISPATCHER),
        name="x",
        shifts=[
            shift("08:00", "20:00", [office.world.account(Role.DISPATCHER, office.world.neighbour).id])
            if change == "stranger"
            else shift("08:00", "20:00", [])
        ],
        valid_from=date(2026, 11, 23),
    )
    with pytest.raises(InvalidInput):
        async with office.database.unit_of_work(await office.manager()) as work:
            await create_rota(work, new)


async def test_a_rota_is_changed_for_the_version_that_was_seen_and_keeps_its_past(office: Office) -> None:
    rota = await day_and_night(office)
    fields = RotaFields(
        name="新", shifts=[shift("00:00", "00:00", [office.c])], valid_from=date(2026, 11, 23), valid_to=None
    )
    async with office.database.unit_of_work(await office.manager()) as work:
        changed = await change_rota(work, rota.id, fields, rota.version)
    assert changed.version == 2
    assert await who(office, "2026-11-23 09:00") == {office.c}
    with pytest.raises(VersionMismatch):
        async with office.database.unit_of_work(await office.manager()) as work:
            await change_rota(work, rota.id, fields, rota.version)
    async with office.database.unit_of_work(SYSTEM) as work:
        query = (
            select(DutyRotaChange).where(DutyRotaChange.rota_id == rota.id).order_by(col(DutyRotaChange.version))
        )
        kept = (await work.session.exec(query)).all()
    assert [(each.version, len(each.pattern["shifts"])) for each in kept] == [(1, 2), (2, 1)]
    assert {each.account_id for each in kept} == {office.world.account(Role.CENTRE_MANAGER).id}


async def test_the_next_towns_rotas_are_out_of_reach(office: Office) -> None:
    rota = await day_and_night(office)
    stranger = await office.world.actor(Role.CENTRE_MANAGER, office.world.neighbour)
    async with office.database.unit_of_work(stranger) as work:
        assert await list_rotas(work, office.centre_id, 20, None) == []
        with pytest.raises(NotFound):
            await read_rota(work, rota.id)


def stretch(begin: str, end: str) -> dict[str, object]:
    return {"starts_at": at(begin), "ends_at": at(end), "reason": "家里有事"}


async def override(
    office: Office, rota: RotaPublic, begin: str, end: str, absent: UUID | None, present: UUID | None
) -> DutyOverride:
    new = NewOverride(absent_account_id=absent, account_id=present, **stretch(begin, end))
    async with office.database.unit_of_work(await office.manager()) as work:
        return await add_override(work, rota.id, new)


async def test_a_replacement_and_its_cancelling(office: Office) -> None:
    rota = await day_and_night(office)
    made = await override(office, rota, "2026-11-23 12:00", "2026-11-23 14:00", office.a, office.c)
    assert await who(office, "2026-11-23 12:00") == {office.c}
    assert await who(office, "2026-11-23 14:00") == {office.a}
    async with office.database.unit_of_work(await office.manager()) as work:
        await cancel_override(work, made.id, made.version)
    assert await who(office, "2026-11-23 12:00") == {office.a}
    with pytest.raises(OverrideCancelled):
        async with office.database.unit_of_work(await office.manager()) as work:
            await cancel_override(work, made.id, None)


async def test_replacements_for_the_past_or_by_strangers_are_refused(office: Office) -> None:
    rota = await day_and_night(office)
    with pytest.raises(DutyIsPast):
        await override(office, rota, "2026-11-22 12:00", "2026-11-23 08:59", office.a, office.c)
    stranger = office.world.account(Role.DISPATCHER, office.world.neighbour).id
    with pytest.raises(InvalidInput):
        await override(office, rota, "2026-11-23 12:00", "2026-11-23 14:00", office.a, stranger)
    # Somebody who has left may be replaced, and replaces nobody.
    await disable(office, office.a)
    await override(office, rota, "2026-11-23 12:00", "2026-11-23 14:00", office.a, office.c)
    with pytest.raises(InvalidInput):
        await override(office, rota, "2026-11-23 20:00", "2026-11-23 22:00", office.b, office.a)


async def ask(office: Office, rota: RotaPublic, by: UUID, to: UUID, begin: str, end: str, **back: str) -> DutySwap:
    new = NewSwap(
        rota_id=rota.id,
        to_account_id=to,
        **stretch(begin, end),
        **{f"return_{name}": at(value) for name, value in back.items()},
    )
    async with office.database.unit_of_work(office.as_dispatcher(by)) as work:
        return await request_swap(work, new)


async def answer(office: Office, verb: str, by: UUID, swap: DutySwap, if_match: int | None = None) -> DutySwap:
    verbs = {"accept": accept_swap, "decline": decline_swap, "withdraw": withdraw_swap}
    async with office.database.unit_of_work(office.as_dispatcher(by)) as work:
        return await verbs[verb](work, swap.id, if_match)


NIGHT = ("2026-11-24 20:00", "2026-11-25 08:00")


async def test_a_swap_is_in_force_once_the_other_agrees(office: Office) -> None:
    rota = await day_and_night(office)
    swap = await ask(
        office,
        rota,
        office.b,
        office.a,
        *NIGHT,
        starts_at="2026-11-26 08:00",
        ends_at="2026-11-26 20:00",
    )
    assert await who(office, "2026-11-24 23:00") == {office.b}
    accepted = await answer(office, "accept", office.a, swap, swap.version)
    assert (accepted.status, accepted.from_account_id, accepted.to_account_id) == ("accepted", office.b, office.a)
    assert await who(office, "2026-11-24 23:00") == {office.a}
    assert await who(office, "2026-11-26 09:00") == {office.b}
    assert await who(office, "2026-11-25 09:00") == {office.a}
    assert await who(office, "2026-11-25 21:00") == {office.b}


@pytest.mark.parametrize(("verb", "by"), [("decline", "c"), ("withdraw", "b")])
async def test_a_swap_that_comes_to_nothing(office: Office, verb: str, by: str) -> None:
    rota = await day_and_night(office)
    swap = await ask(office, rota, office.b, office.c, *NIGHT)
    ended = await answer(office, verb, getattr(office, by), swap)
    assert ended.answered_at == office.clock.now()
    assert await who(office, "2026-11-24 23:00") == {office.b}
    with pytest.raises(IllegalTransition):
        await answer(office, "accept", office.c, swap)


async def test_only_the_two_sides_have_a_say(office: Office) -> None:
    rota = await day_and_night(office)
    swap = await ask(office, rota, office.b, office.c, *NIGHT)
    for verb, by in (("accept", office.a), ("accept", office.b), ("decline", office.b), ("withdraw", office.c)):
        with pytest.raises(NotYourSwap):
            await answer(office, verb, by, swap)
    with pytest.raises(VersionMismatch):
        await answer(office, "accept", office.c, swap, swap.version + 1)


@pytest.mark.parametrize(
    ("by", "to", "times", "refusal"),
    [
        ("a", "c", NIGHT, NotOnDuty),
        ("b", "c", ("2026-11-24 19:00", "2026-11-25 08:00"), NotOnDuty),
        ("b", "b", NIGHT, InvalidInput),
        ("b", "stranger", NIGHT, InvalidInput),
        ("b", "c", ("2026-11-22 20:00", "2026-11-23 08:00"), DutyIsPast),
    ],
)
async def test_requests_that_are_refused(
    office: Office, by: str, to: str, times: tuple[str, str], refusal: type[DomainError]
) -> None:
    rota = await day_and_night(office)
    stranger = office.world.account(Role.DISPATCHER, office.world.neighbour).id
    other = stranger if to == "stranger" else getattr(office, to)
    with pytest.raises(refusal):
        await ask(office, rota, getattr(office, by), other, *times)


async def test_nobody_takes_two_duties_at_once(office: Office) -> None:
    rota = await office.rota(shift("08:00", "20:00", [office.a, office.c]), shift("20:00", "08:00", [office.b]))
    with pytest.raises(AlreadyOnDuty):
        await ask(office, rota, office.a, office.c, "2026-11-24 08:00", "2026-11-24 20:00")


async def test_a_swap_is_checked_again_when_it_is_accepted(office: Office) -> None:
    rota = await day_and_night(office)
    swap = await ask(office, rota, office.b, office.c, *NIGHT)
    await override(office, rota, *NIGHT, office.b, office.a)
    with pytest.raises(NotOnDuty):
        await answer(office, "accept", office.c, swap)


async def test_of_two_who_are_asked_for_one_night_one_gets_it(office: Office) -> None:
    rota = await day_and_night(office)
    swaps = [await ask(office, rota, office.b, to, *NIGHT) for to in (office.a, office.c)]
    results = await asyncio.gather(
        *(answer(office, "accept", to, swap) for to, swap in zip((office.a, office.c), swaps, strict=True)),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["DutySwap", "NotOnDuty"]
    assert len(await who(office, "2026-11-24 23:00")) == 1


async def test_an_unanswered_request_lapses_when_its_duty_begins(office: Office) -> None:
    rota = await day_and_night(office)
    swap = await ask(office, rota, office.b, office.c, *NIGHT)
    async with office.database.unit_of_work(SYSTEM) as work:
        await lapse_swaps(work)
        assert (await work.session.get_one(DutySwap, swap.id)).status == "requested"
    office.clock.forward(seconds=(at(NIGHT[0]) - at("2026-11-23 09:00")).total_seconds())
    async with office.database.unit_of_work(SYSTEM) as work:
        while await lapse_swaps(work):
            pass  # other people's requests may come first
        assert (await work.session.get_one(DutySwap, swap.id)).status == "lapsed"
    assert await who(office, NIGHT[0]) == {office.b}


async def test_the_other_side_hears_of_it(office: Office) -> None:
    rota = await day_and_night(office)
    swap = await ask(office, rota, office.b, office.c, *NIGHT)
    for status in ("requested", "accepted", "accepted"):
        event = DutySwapMoved(
            area_code=swap.area_code,
            centre_id=office.centre_id,
            swap_id=swap.id,
            from_account_id=swap.from_account_id,
            to_account_id=swap.to_account_id,
            status=status,
        )
        async with office.database.unit_of_work(SYSTEM) as work:
            await tell_of_swap(work, event)
    async with office.database.unit_of_work(SYSTEM) as work:
        query = select(Notification).where(col(Notification.key).contains(str(swap.id)))
        told = [row.account_id for row in (await work.session.exec(query.order_by(col(Notification.id)))).all()]
    assert told == [office.c, office.b]
