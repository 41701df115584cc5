"""A caregiver presses her own alarm, and the dispatcher's screen shows who, where and how to reach her."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from services.core.actor import SYSTEM, Role
from services.orders.repository import lock_order
from services.orders.states import ORDER, OrderStatus
from services.visits.panic.service import PHONE_PURPOSE
from tests.sse import watch
from tests.world import World, open_case

Api = Callable[[], httpx.AsyncClient]
CHECKLIST = {"caregiver_safe": "safe", "police_called": "yes", "visits_covered": "not_needed"}


def press(**more: Any) -> dict[str, Any]:
    """A press of one's own."""
    return {"id": str(uuid4()), "latitude": 28.31, "longitude": 113.21, "accuracy_m": 12, **more}


async def test_from_her_button_to_the_screen_and_back(api: Api, world: World) -> None:
    caregiver = world.here.caregivers[0]
    async with world.database.unit_of_work(SYSTEM) as work:
        stored = await work.session.get_one(type(caregiver), caregiver.id)
        stored.phone_encrypted = world.vault.encrypt("13800005678", PHONE_PURPOSE)
    desk, hers = await world.headers(Role.DISPATCHER), await world.headers(Role.CAREGIVER)
    async with api() as client, watch(client, world.here.centre.id, desk) as screen:
        first = press()
        pressed = (await client.post("/me/panic", json=first, headers=hers)).json()
        opened = await screen.see("alert.opened", kind="caregiver_panic")
        assert (opened.data["severity"], opened.data["resident_id"]) == (4, None)
        assert (pressed["alert_id"], pressed["status"]) == (opened.data["alert_id"], "open")
        paged = await screen.see("alert.escalated", alert_id=pressed["alert_id"], step=0)
        assert str(world.here.staff[Role.DISPATCHER].id) in paged.data["recipients"]

        same = (await client.post("/me/panic", json=first, headers=hers)).json()
        assert (same["alert_id"], same["is_repeat"]) == (pressed["alert_id"], True)
        again = press(latitude=28.35)
        await client.post("/me/panic", json=again, headers=hers)
        repeated = await screen.see("alert.repeated", alert_id=pressed["alert_id"])
        assert repeated.data["occurrences"] == 2, "the same id is one press, another one pages again"

        path = f"/alerts/{pressed['alert_id']}"
        shown = (await client.get(f"{path}/screen", headers=desk)).json()
        caller = shown["caller"]
        assert (caller["name"], caller["phone"], caller["presses"]) == (caregiver.name, "13800005678", 2)
        assert (caller["latitude"], caller["longitude"]) == (28.35, 113.21)
        assert shown["card"] is None
        assert any("110" in line for line in shown["script_120"]["zh"])
        assert "13800005678" in " ".join(shown["script_120"]["zh"])
        assert {item["code"] for item in shown["checklist"]} == set(CHECKLIST)

        await client.post(f"{path}/respond", json={"note": "站长已出发"}, headers=desk)
        told = (await client.get("/me/panic", headers=hers)).json()["press"]
        assert (told["status"], told["words_zh"]) == ("responding", "已派人赶来")
        closing = {"resolution": "needs_care", "checklist": CHECKLIST}
        closed = await client.post(f"{path}/resolve", json=closing, headers=desk)
        assert closed.status_code == 200, closed.text
        fresh = (await client.post("/me/panic", json=press(), headers=hers)).json()
        assert fresh["alert_id"] != pressed["alert_id"], "after it is closed a press is a new alarm"


async def test_with_a_visit_its_address_stands_on_the_screen(api: Api, world: World) -> None:
    case = await open_case(world, number=1)
    desk = await world.headers(Role.DISPATCHER)
    hers = await world.headers(Role.CAREGIVER, number=1)
    async with world.database.unit_of_work(SYSTEM) as work:
        order = await lock_order(work, case.order_id)
        ORDER.move(work, order, OrderStatus.ASSIGNED)
    async with api() as client:
        gone = await client.post(f"/visits/{case.visit_id}/en-route", headers=hers)
        assert gone.status_code == 200, gone.text
        bare = {"id": str(uuid4())}
        pressed = await client.post("/me/panic", json=bare, headers=hers)
        assert pressed.status_code == 200, pressed.text
        shown = (await client.get(f"/alerts/{pressed.json()['alert_id']}/screen", headers=desk)).json()
    assert (shown["caller"]["visit_id"], shown["caller"]["visit_address"]) == (str(case.visit_id), "果园路1号")
    assert shown["caller"]["latitude"] is None, "an alarm is never refused for want of a position"


async def test_thirty_two_presses_at_once_are_one_alert_and_none_is_lost(api: Api, world: World) -> None:
    hers = await world.headers(Role.CAREGIVER, world.neighbour)
    twice = [press() for _ in range(16)] * 2
    async with api() as client:
        answers = await asyncio.gather(*(client.post("/me/panic", json=one, headers=hers) for one in twice))
        assert {answer.status_code for answer in answers} == {200}
        (alert_id,) = {answer.json()["alert_id"] for answer in answers}
        desk = await world.headers(Role.DISPATCHER, world.neighbour)
        alert = (await client.get(f"/alerts/{alert_id}", headers=desk)).json()
    assert alert["occurrences"] == len(alert["pressed"]) == 16
    assert sum(answer.json()["is_repeat"] for answer in answers) == 16
