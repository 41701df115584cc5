"""From the button round her neck to the dispatcher's screen, and back to the button."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from ops.stack.embedded import EmbeddedStack
from services.core.actor import Role
from services.core.settings import Settings
from tests.alerts import CHECKLIST
from tests.sse import watch
from tests.terminals import Pendant, connected_pendant
from tests.world import World

Api = Callable[[], httpx.AsyncClient]


@pytest.fixture
async def pendant(settings: Settings, world: World, api: Api) -> AsyncIterator[Pendant]:
    async with connected_pendant(settings, world) as connected:
        yield connected


async def test_an_sos_travels_to_the_screen_and_the_answer_back(api: Api, world: World, pendant: Pendant) -> None:
    headers = await world.headers(Role.DISPATCHER)
    async with api() as client, watch(client, world.here.centre.id, headers) as screen:
        await pendant.press("p1")
        opened = await screen.see("alert.opened", resident_id=str(pendant.resident_id))
        alert_id = opened.data["alert_id"]
        assert (opened.data["kind"], opened.data["severity"]) == ("sos", 4)
        assert (await pendant.hears(id="p1", state="received"))["alert_id"] == alert_id

        paged = await screen.see("alert.escalated", alert_id=alert_id, step=0)
        assert str(world.here.staff[Role.DISPATCHER].id) in paged.data["recipients"]

        taken = await client.post(f"/alerts/{alert_id}/acknowledge", headers=headers)
        assert taken.status_code == 200, taken.text
        assert taken.json()["status"] == "acknowledged"
        assert taken.headers["etag"] == f'"{taken.json()["version"]}"'
        await screen.see("alert.moved", alert_id=alert_id, status="acknowledged")
        await pendant.hears(id="p1", state="acknowledged")

        await pendant.press("p2")
        again = await screen.see("alert.repeated", alert_id=alert_id)
        assert again.data["occurrences"] == 2

        gone = await client.post(f"/alerts/{alert_id}/respond", headers=headers, json={"note": "村医出发"})
        assert gone.json()["responding_at"]
        await pendant.hears(id="p2", state="on_the_way")
        refused = await client.post(
            f"/alerts/{alert_id}/resolve", headers=headers, json={"resolution": "needs_care"}
        )
        assert (refused.status_code, refused.json()["code"]) == (422, "checklist_incomplete")
        closing = {"resolution": "needs_care", "checklist": CHECKLIST}
        done = await client.post(f"/alerts/{alert_id}/resolve", headers=headers, json=closing)
        times = [done.json()[t] for t in ("received_at", "acknowledged_at", "responding_at", "resolved_at")]
        assert times == sorted(times)
        detail = (await client.get(f"/alerts/{alert_id}", headers=headers)).json()
        assert [press["alarm_id"] for press in detail["pressed"]] == ["p1", "p2"]


async def test_a_screen_that_was_away_misses_nothing(api: Api, world: World, pendant: Pendant) -> None:
    headers = await world.headers(Role.DISPATCHER)
    centre = world.here.centre.id
    async with api() as client:
        async with watch(client, centre, headers) as screen:
            await pendant.press("seen")
            last = (await screen.see("alert.opened", resident_id=str(pendant.resident_id))).id
        for number in range(5):
            await pendant.press(f"missed-{number}")
            await pendant.hears(id=f"missed-{number}", state="received")
        async with watch(client, centre, headers, last_event_id=last) as screen:
            await screen.see("alert.repeated", occurrences=6)
            repeats = [e for e in screen.events if e.name == "alert.repeated"]
            assert [e.data["occurrences"] for e in repeats] == [2, 3, 4, 5, 6]
            assert [e.id for e in screen.events] == sorted({e.id for e in screen.events})


async def test_the_screen_goes_on_while_redis_is_away(
    api: Api, world: World, pendant: Pendant, stack: EmbeddedStack
) -> None:
    headers = await world.headers(Role.DISPATCHER)
    async with api() as client, watch(client, world.here.centre.id, headers) as screen:
        stack.redis.kill()
        try:
            await pendant.press("without-redis")
            opened = await screen.see("alert.opened", resident_id=str(pendant.resident_id), seconds=15)
            assert (await client.get("/readyz", headers=headers)).status_code == 404
        finally:
            stack.redis.start()
        await pendant.press("with-redis-again")
        await screen.see("alert.repeated", alert_id=opened.data["alert_id"], seconds=15)
        ids = [event.id for event in screen.events]
        assert ids == sorted(set(ids)), "nothing twice, nothing out of order"


async def test_another_centres_screen_is_refused_and_hears_nothing(api: Api, world: World) -> None:
    async with api() as client:
        answer = await client.get(
            f"/centres/{world.here.centre.id}/live",
            headers=await world.headers(Role.DISPATCHER, world.neighbour),
        )
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.get(f"/centres/{world.here.centre.id}/live")).status_code == 401


async def test_two_screens_of_one_centre_see_the_same(api: Api, world: World, pendant: Pendant) -> None:
    headers = await world.headers(Role.DISPATCHER)
    centre = world.here.centre.id
    async with api() as client, watch(client, centre, headers) as one, watch(client, centre, headers) as two:
        await pendant.press("both")
        first = await one.see("alert.opened", resident_id=str(pendant.resident_id))
        second = await two.see("alert.opened", resident_id=str(pendant.resident_id))
        assert first == second
