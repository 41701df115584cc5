"""Mutual aid and the county on their screens: told of everything while it concerns them, and of nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Any

import httpx
import pytest

from api.house import House
from services.alerts.models import AlertKind
from services.alerts.policy_models import EscalationPolicy
from services.alerts.service import AlarmFacts, raise_alarm
from services.core.actor import SYSTEM, Role
from services.core.ids import new_id
from services.core.settings import Settings
from tests.alerts import CHECKLIST
from tests.desk import bound_terminal
from tests.people import Place, new_centre, new_people
from tests.sse import Screen, follow, watch
from tests.terminals import connected_pendant
from tests.world import World, build_world

Api = Callable[[], httpx.AsyncClient]

NEIGHBOUR_THEN_COUNTY = {
    "steps": [
        {"after_seconds": 0, "recipients": [{"who": "neighbour", "role": "dispatcher"}], "channels": ["app"]},
        {"after_seconds": 1, "recipients": [{"who": "county", "role": "county_officer"}], "channels": ["app"]},
    ],
    "loop_seconds": 600,
    "acknowledged_lease_seconds": 600,
    "responding_lease_seconds": 2700,
    "on_scene_lease_seconds": 7200,
}


@dataclass
class County:
    """A world whose centre asks its neighbour at once; the third centre of the county is far away."""

    world: World
    third: Place

    async def ring(self, place: Place) -> str:
        """An alert of a place's own, to see that its screen is listening."""
        bound = await bound_terminal(self.world, place)
        async with self.world.database.unit_of_work(SYSTEM) as work:
            raised = await raise_alarm(work, AlarmFacts(bound, str(new_id()), AlertKind.SMOKE, work.now, work.now))
        return str(raised.alert_id)


@pytest.fixture
async def county(house: House) -> County:
    world = await build_world(house.database, house.settings, house.vault)
    async with house.database.unit_of_work(SYSTEM) as work:
        code, centre = new_centre(work, world.here.county, 3)
        centre.latitude += 1
        await work.session.flush()
        third = new_people(work, house.vault, code, centre)
        home = world.here.centre
        work.session.add(
            EscalationPolicy(
                policy_id=new_id(),
                centre_id=home.id,
                area_code=home.area_code,
                name="先邻后县",
                min_severity=4,
                weekdays=[1, 2, 3, 4, 5, 6, 7],
                from_time=time(0),
                until_time=time(0),
                document=NEIGHBOUR_THEN_COUNTY,
                saved_at=work.now,
            )
        )
    return County(world, third)


def of(screen: Screen, alert_id: str) -> list[str]:
    return [event.name for event in screen.events if event.data.get("alert_id") == alert_id]


async def board_alerts(client: httpx.AsyncClient, world: World, role: Role = Role.DISPATCHER) -> list[Any]:
    place = world.neighbour
    answer = await client.get(f"/centres/{place.centre.id}/board", headers=await world.headers(role, place))
    assert answer.status_code == 200, answer.text
    alerts: list[Any] = answer.json()["alerts"]
    return alerts


async def resolve(client: httpx.AsyncClient, headers: dict[str, str], alert_id: str) -> None:
    closing = {"resolution": "needs_care", "checklist": CHECKLIST}
    done = await client.post(f"/alerts/{alert_id}/resolve", headers=headers, json=closing)
    assert done.status_code == 200, done.text


async def test_the_helpers_screen_follows_the_alert_until_it_is_over(
    api: Api, county: County, settings: Settings
) -> None:
    world = county.world
    home, helper = await world.headers(Role.DISPATCHER), await world.headers(Role.DISPATCHER, world.neighbour)
    third = await world.headers(Role.DISPATCHER, county.third)
    async with (
        api() as client,
        connected_pendant(settings, world) as pendant,
        watch(client, world.neighbour.centre.id, helper) as near,
        watch(client, county.third.centre.id, third) as far,
    ):
        await pendant.press("a1")
        asked = await near.see("alert.aid_requested", from_centre_id=str(world.here.centre.id))
        alert_id = asked.data["alert_id"]
        await near.see("alert.escalated", alert_id=alert_id, step=0)
        await pendant.press("a2")
        again = await near.see("alert.repeated", alert_id=alert_id)
        assert again.data["occurrences"] == 2

        for role in (Role.DISPATCHER, Role.CENTRE_MANAGER, Role.COUNTY_OFFICER):
            [shown] = await board_alerts(client, world, role)
            assert (shown["id"], shown["aided"], shown["occurrences"]) == (alert_id, True, 2)
            assert shown["centre_name_zh"] == world.here.centre.name_zh
        [own] = (await client.get(f"/centres/{world.here.centre.id}/board", headers=home)).json()["alerts"]
        assert (own["id"], own["aided"]) == (alert_id, False)

        assert (await client.post(f"/alerts/{alert_id}/acknowledge", headers=home)).status_code == 200
        await near.see("alert.moved", alert_id=alert_id, status="acknowledged")
        await resolve(client, home, alert_id)
        ended = await near.see("alert.aid_ended", alert_id=alert_id)
        assert await board_alerts(client, world) == []

        manager = await world.headers(Role.CENTRE_MANAGER)
        reviewed = await client.post(f"/alerts/{alert_id}/review", headers=manager, json={"note": "已看"})
        assert reviewed.status_code == 200, reviewed.text
        for screen, place in ((near, world.neighbour), (far, county.third)):
            await screen.see("alert.opened", alert_id=await county.ring(place))
        assert of(near, alert_id)[-1] == "alert.aid_ended", "after the end nothing more"
        assert of(near, alert_id).count("alert.repeated") == 1
        assert of(far, alert_id) == []
        async with watch(client, world.neighbour.centre.id, helper, last_event_id=asked.id) as late:
            await late.see("alert.aid_ended", alert_id=alert_id)
            told = [event for event in near.events if asked.id < event.id <= ended.id]
            assert late.events == told, "who was away reads the same from the table"


async def test_the_county_hears_live_that_an_alert_has_climbed_to_it(
    api: Api, county: County, settings: Settings
) -> None:
    world = county.world
    officer = await world.headers(Role.COUNTY_OFFICER)
    async with (
        api() as client,
        connected_pendant(settings, world) as pendant,
        follow(client, "/live", officer) as screen,
    ):
        abroad = await county.ring(world.abroad)
        await pendant.press("c1")
        opened = await screen.see("alert.opened", resident_id=str(pendant.resident_id))
        alert_id = opened.data["alert_id"]
        climbed = await screen.see("alert.escalated", alert_id=alert_id, step=1)
        assert str(world.here.staff[Role.COUNTY_OFFICER].id) in climbed.data["recipients"]
        await pendant.press("c2")
        await screen.see("alert.repeated", alert_id=alert_id)
        assert of(screen, alert_id).count("alert.repeated") == 1, "once, although a helper sees it too"
        assert of(screen, abroad) == []
        ids = [event.id for event in screen.events]
        assert ids == sorted(set(ids))
        async with follow(client, "/live", officer, last_event_id=opened.id) as late:
            await late.see("alert.repeated", alert_id=alert_id)
            assert late.events == [event for event in screen.events if event.id > opened.id]
        refused = await client.get("/live", headers=await world.headers(Role.DISPATCHER))
        assert refused.status_code == 403
