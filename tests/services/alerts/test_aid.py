"""Mutual aid: what a neighbouring centre is shown of one alert, that it is nothing else, and that it ends."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from services.alerts import service
from services.alerts.models import AlertKind
from services.alerts.resolutions import Resolution
from services.alerts.states import Severity
from services.core.actor import Actor, Role
from services.core.errors import NotFound
from services.core.ids import new_id
from services.identity.service import authenticate
from services.notifications.reading import list_notifications
from services.residents.service import list_residents, read_emergency_card, read_resident
from services.terminals.models import Downlink
from services.vitals.service import latest_vitals
from tests.alerts import CHECKLIST
from tests.desk import Scene

HELPERS = (Role.DISPATCHER, Role.CENTRE_MANAGER)
CARD_TABLES = ("resident", "emergency_contact")
ALERT_TABLES = ("alert", "alert_occurrence", "alert_log", "escalation", "alert_page", "alert_aid")
CLOSED_TABLES = (
    "terminal", "terminal_binding", "care_relationship", "service_order", "visit", "account", "caregiver",
    "access_log", "reading", "emergency_call",
)  # fmt: skip


async def helped(scene: Scene) -> UUID:
    """An alert whose ladder has reached the neighbours."""
    raised = await scene.press()
    for seconds in (0, 30, 30, 120):
        await scene.climb(seconds=seconds)
    assert (await scene.ladder(raised.alert_id)).step == 2
    return raised.alert_id


async def helper(scene: Scene, role: Role = Role.DISPATCHER) -> Actor:
    """Signed in anew: what is open to an account is looked up at every request."""
    return await scene.actor(role, scene.world.neighbour)


async def seen(scene: Scene, actor: Actor, table: str) -> set[str]:
    """Areas of all rows that a query without any condition finds."""
    async with scene.desk.unit_of_work(actor) as work:
        rows = await work.sql(text(f"SELECT DISTINCT area_code FROM {table}"))  # noqa: S608  from a list above
        return set(rows.scalars())


def ours(scene: Scene, areas: set[str]) -> bool:
    return any(area.startswith(scene.world.here.town) for area in areas)


async def test_the_helpers_see_the_pages_of_this_alert_and_of_no_other(scene: Scene) -> None:
    alert_id = await helped(scene)
    other = await scene.press(AlertKind.FALL)
    await scene.climb(seconds=0)
    async with scene.desk.unit_of_work(await scene.actor(Role.DISPATCHER)) as work:
        everything = await list_notifications(work, None, 100, None)
    assert {alert_id, other.alert_id} <= {row.alert_id for row in everything}
    async with scene.desk.unit_of_work(await helper(scene)) as work:
        of_this = await list_notifications(work, alert_id, 100, None)
        assert await list_notifications(work, other.alert_id, 100, None) == []
        pages = await list_notifications(work, None, 100, None)
    assert {row.id for row in of_this} == {row.id for row in everything if row.alert_id == alert_id}
    assert {row.id for row in of_this} <= {row.id for row in pages}
    assert all(row.attempts for row in of_this)


@pytest.mark.parametrize("role", HELPERS)
async def test_the_helpers_see_the_alert_and_the_card_and_take_it(scene: Scene, role: Role) -> None:
    alert_id = await helped(scene)
    actor = await helper(scene, role)
    household = scene.world.here.households[0]
    async with scene.desk.unit_of_work(actor) as work:
        detail = await service.alert_detail(work, alert_id)
        assert (detail.id, detail.resident_id) == (alert_id, household.resident.id)
        assert [a.id for a in await service.list_alerts(work, [], None, 10, None)] == [alert_id]
        card = await read_emergency_card(work, scene.world.vault, household.resident.id)
        assert (card.name, card.contacts[0].phone) == (household.resident.name, household.family_phone)
    async with scene.desk.unit_of_work(actor) as work:
        taken = await service.acknowledge(work, alert_id)
    assert taken.responder_account_id == actor.account_id
    for verb, more in ((service.respond, ("",)), (service.arrive, ())):
        async with scene.desk.unit_of_work(await helper(scene, role)) as work:
            await verb(work, alert_id, *more)
    async with scene.desk.unit_of_work(await scene.actor(Role.DISPATCHER)) as work:
        rows = await work.session.exec(select(Downlink).where(Downlink.terminal_id == scene.bound.terminal_id))
        assert [row.payload["state"] for row in rows] == ["acknowledged", "on_the_way"], "the terminal is told"


async def test_every_read_of_a_helper_is_on_record(scene: Scene) -> None:
    alert_id = await helped(scene)
    resident = scene.world.here.households[0].resident.id
    actor = await helper(scene)
    async with scene.desk.unit_of_work(actor) as work:
        await service.alert_detail(work, alert_id)
        await read_emergency_card(work, scene.world.vault, resident)
    async with scene.desk.unit_of_work(await scene.actor(Role.CENTRE_MANAGER)) as work:
        rows = await work.sql(
            text("SELECT resource FROM access_log WHERE resident_id = :resident AND account_id = :account"),
            {"resident": resident, "account": actor.account_id},
        )
        assert set(rows.scalars()) == {"alert", "emergency_card"}


async def test_nothing_is_open_before_the_ladder_reaches_them(scene: Scene) -> None:
    raised = await scene.press()
    await scene.climb()
    with pytest.raises(NotFound):
        await scene.do(Role.DISPATCHER, service.alert_detail, raised.alert_id, place=scene.world.neighbour)
    for table in (*CARD_TABLES, *ALERT_TABLES):
        assert not ours(scene, await seen(scene, await helper(scene), table)), table


async def test_aid_opens_this_alert_and_this_card_and_nothing_else(scene: Scene) -> None:
    other = await scene.press(AlertKind.SMOKE)
    alert_id = await helped(scene)
    await scene.do(Role.DISPATCHER, service.resolve, other.alert_id, Resolution.NEEDS_CARE, SMOKE, "")
    actor = await helper(scene)
    world, resident = scene.world, scene.world.here.households[0].resident.id
    async with scene.desk.unit_of_work(actor) as work:
        for refused in (
            read_resident(work, world.vault, resident),
            latest_vitals(work, resident),
            service.alert_detail(work, other.alert_id),
            read_emergency_card(work, world.vault, world.here.households[1].resident.id),
        ):
            with pytest.raises(NotFound):
                await refused
        listed = await list_residents(work, world.vault, 50, None, None, None)
        assert not ours(scene, {row.area_code for row in listed})
    for table in CLOSED_TABLES:
        assert not ours(scene, await seen(scene, actor, table)), table
    async with scene.desk.unit_of_work(actor) as work:
        for table, column in (("resident", "id"), ("emergency_contact", "resident_id"), ("alert", "resident_id")):
            rows = await work.sql(
                text(f"SELECT DISTINCT {column} FROM {table} WHERE area_code LIKE :town"),  # noqa: S608  from above
                {"town": f"{world.here.town}%"},
            )
            assert set(rows.scalars()) == {resident}, table
        rows = await work.sql(text("SELECT id FROM alert WHERE area_code LIKE :t"), {"t": f"{world.here.town}%"})
        assert set(rows.scalars()) == {alert_id}


SMOKE = CHECKLIST | {"place_safe": "yes"}


async def test_a_helper_writes_nothing_of_another_alert_and_grants_no_aid(scene: Scene) -> None:
    alert_id = await helped(scene)
    other = await scene.press(AlertKind.SMOKE)
    area = scene.bound.area_code
    line = (
        "INSERT INTO alert_log (id, alert_id, area_code, at, what, detail)"
        " VALUES (:id, :alert, :area, now(), 'x', '{}')"
    )
    grant = (
        "INSERT INTO alert_aid (id, alert_id, centre_id, area_code, granted_at)"
        " VALUES (:id, :alert, :id, :area, now())"
    )
    cases = ((line, other.alert_id, "row-level security"), (grant, alert_id, "permission denied"))
    for statement, of, refusal in cases:
        with pytest.raises(DBAPIError, match=refusal):
            async with scene.desk.unit_of_work(await helper(scene)) as work:
                await work.sql(text(statement), {"id": new_id(), "alert": of, "area": area})
    async with scene.desk.unit_of_work(await helper(scene)) as work:
        resident = scene.world.here.households[0].resident.id
        result: Any = await work.sql(text("UPDATE resident SET address = 'x' WHERE id = :id"), {"id": resident})
        assert result.rowcount == 0, "the card is there to be read"


async def test_with_the_alert_the_aid_is_over_from_the_next_request_on(scene: Scene) -> None:
    alert_id = await helped(scene)
    world = scene.world
    token = await world.token(Role.DISPATCHER, world.neighbour)
    before = await authenticate(world.database, world.settings, token, world.database.clock)
    assert before.aided_alerts == {alert_id}
    await scene.do(Role.DISPATCHER, service.resolve, alert_id, Resolution.NEEDS_CARE, CHECKLIST, "")
    after = await authenticate(world.database, world.settings, token, world.database.clock)
    assert (after.aided_alerts, after.aided_residents) == (frozenset(), frozenset())
    async with scene.desk.unit_of_work(after) as work:
        with pytest.raises(NotFound):
            await service.alert_detail(work, alert_id)
        with pytest.raises(NotFound):
            await read_emergency_card(work, world.vault, world.here.households[0].resident.id)
    for table in (*CARD_TABLES, *ALERT_TABLES):
        assert not ours(scene, await seen(scene, after, table)), table
    names = [event.name for event in await scene.events(alert_id)]
    assert names[-2:] == ["alert.aid_ended", "alert.moved"]


async def test_their_screens_are_told_and_no_one_elses(scene: Scene) -> None:
    alert_id = await helped(scene)
    [asked] = [event for event in await scene.events(alert_id) if event.name == "alert.aid_requested"]
    assert asked.centre_id == scene.world.neighbour.centre.id
    assert asked.payload["from_centre_id"] == str(scene.world.here.centre.id)
    for place, role in ((scene.world.abroad, Role.DISPATCHER), (scene.world.neighbour, Role.CLINICIAN)):
        assert (await scene.actor(role, place)).aided_alerts == frozenset()


async def test_every_event_while_they_help_is_for_both_centres_and_is_one_event(scene: Scene) -> None:
    alert_id = await helped(scene)
    home, near = scene.world.here.centre.id, scene.world.neighbour.centre.id
    await scene.press()
    await scene.do(Role.DISPATCHER, service.acknowledge, alert_id, place=scene.world.neighbour)
    await scene.do(Role.DISPATCHER, service.set_severity, alert_id, Severity.HIGH, "已核实")
    await scene.do(Role.DISPATCHER, service.resolve, alert_id, Resolution.NEEDS_CARE, CHECKLIST, "")
    events = await scene.events(alert_id)
    names = [event.name for event in events]
    asked, ended = names.index("alert.aid_requested"), names.index("alert.aid_ended")
    between = events[asked + 1 : ended]
    assert [event.name for event in between][-3:] == ["alert.repeated", "alert.moved", "alert.classified"]
    assert {(event.centre_id, tuple(event.also_centre_ids)) for event in between} == {(home, (near,))}
    apart = [event for event in (*events[:asked], *events[ended + 1 :]) if event.also_centre_ids]
    assert apart == [], "neither before they were asked nor after the end"
    keys = [(event.name, event.payload.get("status"), event.payload.get("step")) for event in between]
    assert len(set(keys)) == len(keys), "nothing is recorded once for each"


async def test_the_next_round_asks_the_same_centre_once(scene: Scene) -> None:
    alert_id = await helped(scene)
    for _ in range(12):
        await scene.climb(seconds=121)
    names = [event.name for event in await scene.events(alert_id)]
    assert names.count("alert.aid_requested") == 1
    assert (await scene.log(alert_id)).count("aid_requested") == 1
