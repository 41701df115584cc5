"""From the desk to a terminal and back: commands, the word that help is coming, test calls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from devices.address import MqttAddress
from devices.terminal import AlarmNews, Order
from devices.terminal_driver import TerminalCredential, TerminalDriver
from services.core.actor import Role
from services.core.settings import Settings
from tests.sse import watch
from tests.terminals import new_pendant
from tests.world import World

Api = Callable[[], httpx.AsyncClient]


@dataclass
class Wearer:
    """A pendant that follows the protocol, and what it said aloud."""

    id: UUID
    resident_id: UUID
    driver: TerminalDriver = field(init=False, repr=False)
    said: list[str] = field(default_factory=list)
    news: list[AlarmNews] = field(default_factory=list)
    something: asyncio.Event = field(default_factory=asyncio.Event)

    def obey(self, order: Order) -> dict[str, Any] | None:
        """Speak, and tell the place."""
        self.something.set()
        if order.kind == "speak":
            self.said.append(order.args["text"])
            return {"state": "done"}
        if order.kind == "locate":
            return {"state": "done", "position": {"lat": 28.25, "lng": 113.08, "accuracy_m": 25}}
        return None

    def on_news(self, news: AlarmNews) -> None:
        """A receipt for a press."""
        self.news.append(news)
        self.something.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for the terminal to be told something."""
        async with asyncio.timeout(15):
            while not happened():
                self.something.clear()
                await self.something.wait()


@asynccontextmanager
async def wearer(settings: Settings, world: World) -> AsyncIterator[Wearer]:
    """Connected."""
    terminal_id, password, resident_id = await new_pendant(world)
    credential = TerminalCredential(str(terminal_id), str(terminal_id), password)
    address = MqttAddress.parse(settings.mqtt_url or "")
    worn = Wearer(terminal_id, resident_id)
    async with TerminalDriver(credential, address, obey=worn.obey, on_alarm_news=worn.on_news) as driver:
        worn.driver = driver
        await driver.client.wait_connected(10)
        yield worn


async def test_a_command_goes_down_and_its_answer_comes_to_the_screen(
    api: Api, settings: Settings, world: World
) -> None:
    headers = await world.headers(Role.DISPATCHER)
    async with (
        wearer(settings, world) as worn,
        api() as client,
        watch(client, world.here.centre.id, headers) as screen,
    ):
        commands = f"/terminals/{worn.id}/commands"
        once = {**headers, "Idempotency-Key": f"locate-{worn.id}"}
        asked = await client.post(commands, headers=once, json={"kind": "locate"})
        assert asked.status_code == 201, asked.text
        again = await client.post(commands, headers=once, json={"kind": "locate"})
        assert again.json()["id"] == asked.json()["id"]
        await screen.see("terminal.command", command_id=asked.json()["id"], status="done")
        shown = (await client.get(f"{commands}/{asked.json()['id']}", headers=headers)).json()
        assert shown["status"] == "done"
        assert shown["result"]["position"] == {"lat": 28.25, "lng": 113.08, "accuracy_m": 25}
        assert shown["created_at"] <= shown["received_at"] <= shown["ended_at"]

        await client.post(commands, headers=headers, json={"kind": "speak", "text": "您好，村医十分钟后到。"})
        await worn.until(lambda: worn.said == ["您好，村医十分钟后到。"])

        refused = await client.post(commands, headers=headers, json={"kind": "speak", "text": "长" * 201})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
        listed = (await client.get(commands, headers=headers)).json()["items"]
        assert [command["kind"] for command in listed] == ["speak", "locate"]


async def test_a_test_call_is_a_test_and_no_alert(api: Api, settings: Settings, world: World) -> None:
    headers = await world.headers(Role.DISPATCHER)
    async with (
        wearer(settings, world) as worn,
        api() as client,
        watch(client, world.here.centre.id, headers) as screen,
    ):
        asked = await client.post(f"/terminals/{worn.id}/commands", headers=headers, json={"kind": "test_call"})
        await screen.see("terminal.command", command_id=asked.json()["id"], status="done")
        await worn.until(lambda: any(news.state == "received" for news in worn.news))
        async with world.database.engine.connect() as connection:
            tests = await connection.execute(
                text("SELECT how FROM terminal_test WHERE terminal_id = :id ORDER BY how"), {"id": worn.id}
            )
            assert tests.scalars().all() == ["command", "terminal_kind"]
            alerts = await connection.execute(
                text("SELECT count(*) FROM alert WHERE resident_id = :id"), {"id": worn.resident_id}
            )
            assert alerts.scalar_one() == 0


async def test_when_somebody_sets_out_the_terminal_says_that_help_is_coming(
    api: Api, settings: Settings, world: World
) -> None:
    headers = await world.headers(Role.DISPATCHER)
    async with (
        wearer(settings, world) as worn,
        api() as client,
        watch(client, world.here.centre.id, headers) as screen,
    ):
        worn.driver.press("sos")
        opened = await screen.see("alert.opened", resident_id=str(worn.resident_id))
        alert = f"/alerts/{opened.data['alert_id']}"
        assert (await client.post(f"{alert}/acknowledge", headers=headers)).status_code == 200
        assert worn.said == []
        gone = await client.post(f"{alert}/respond", headers=headers, json={"note": "村医出发"})
        assert gone.status_code == 200, gone.text
        await worn.until(lambda: len(worn.said) == 1)
        assert "正在赶来" in worn.said[0]
