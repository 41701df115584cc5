"""Everything that goes on at once while parts of the platform are killed."""

import asyncio
import contextlib
from typing import Self

import asyncpg
import httpx

from ops.stack.up import api_url
from services.core.actor import Role
from services.core.crypto import vault_from
from services.core.database import Database, asyncpg_url
from tests.faults import ledger
from tests.faults.people import TIMEOUT, Desk, Household, Screen
from tests.faults.platform import LivingPlatform
from tests.faults.waiting import until
from tests.faults.wearers import PRESS_SECONDS, Wearer, make_wearers
from tests.world import World, build_world

WEARERS = 6
FLOW_SECONDS = 40.0
SETTLE_SECONDS = 75.0  # a terminal waits up to 60 s before it sends vitals again


class Load:
    """Six wearers, two households, a screen and a desk; used as ``async with``."""

    def __init__(self, platform: LivingPlatform) -> None:
        self._platform = platform
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._exits = contextlib.AsyncExitStack()
        self.wearers: list[Wearer] = []
        self.households: list[Household] = []
        self.world: World
        self.screen: Screen
        self.desk: Desk

    async def __aenter__(self) -> Self:
        settings = self._platform.settings
        database = Database(str(settings.database_url))
        self.world = await build_world(database, settings, vault_from(settings))
        self.wearers = await make_wearers(self.world, settings, WEARERS)
        orderers = [await self.world.headers(role) for role in (Role.FAMILY, Role.DISPATCHER)]
        watching = await self.world.headers(Role.DISPATCHER)
        await database.close()
        client = httpx.AsyncClient(base_url=f"{api_url(settings)}/api/v1", timeout=TIMEOUT, trust_env=False)
        await self._exits.enter_async_context(client)
        place = self.world.here
        self.households = [
            Household(client, headers, place.households[0].resident.id, self.world.item_code)
            for headers in orderers
        ]
        self.screen = Screen(client, watching, place.centre.id)
        self.desk = Desk(client, watching, self.screen)
        for wearer in self.wearers:
            await self._exits.enter_async_context(wearer.driver)
        self._tasks = [
            *(
                asyncio.create_task(wearer.live(number * PRESS_SECONDS / WEARERS, self._over))
                for number, wearer in enumerate(self.wearers)
            ),
            *(asyncio.create_task(household.live(self._over)) for household in self.households),
            asyncio.create_task(self.screen.watch()),
            asyncio.create_task(self.desk.work()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._exits.aclose()

    async def flows(self, when: str) -> None:
        """Wait until something *begun from now on* has come through on every path."""
        pressed = {wearer.terminal_id: set(wearer.pressed) for wearer in self.wearers}
        first_seq = {wearer.terminal_id: wearer.driver.protocol.next_seq for wearer in self.wearers}
        orders = sum(len(household.placed) for household in self.households)
        shown = self.screen.position

        def missing() -> list[str]:
            self._raise_failures()
            every = {
                "an alarm receipted": any(w.received - pressed[w.terminal_id] for w in self.wearers),
                "vitals receipted": any(
                    w.driver.protocol.next_seq - first_seq[w.terminal_id] > w.driver.protocol.pending_vitals
                    for w in self.wearers
                ),
                "two orders answered": sum(len(h.placed) for h in self.households) >= orders + 2,
                "an event on the screen": self.screen.position > shown,
            }
            return [what for what, happened in every.items() if not happened]

        await until(
            lambda: not missing(),
            FLOW_SECONDS,
            lambda: f"{when}, still missing: {', '.join(missing())}\n{self._platform.logs()}",
        )

    async def next_press(self) -> None:
        """Wait until somebody has pressed once more."""
        pressed = self._presses()
        await until(lambda: self._presses() > pressed, FLOW_SECONDS, lambda: "nobody presses any more")

    def _presses(self) -> int:
        self._raise_failures()
        return sum(len(wearer.pressed) for wearer in self.wearers)

    async def finish(self) -> asyncpg.Connection:
        """Let everybody come to an end, and the platform with them; returns a connection to look with."""
        self._over.set()
        await until(self._all_settled, SETTLE_SECONDS, self._unsettled)
        connection = await asyncpg.connect(asyncpg_url(str(self._platform.settings.database_url)))
        for _ in range(int(SETTLE_SECONDS / 0.2)):
            self._raise_failures()
            last = await ledger.last_position(connection, self.world.here.centre.id)
            left = await ledger.unfinished(connection)
            if not left and self.screen.position >= last and self._desk_is_done():
                return connection
            await asyncio.sleep(0.2)
        raise AssertionError(
            f"{left} things left to send, the screen is at {self.screen.position} of {last}, {self._unsettled()}"
        )

    def _all_settled(self) -> bool:
        self._raise_failures()
        active = self._tasks[: len(self.wearers) + len(self.households)]
        return all(wearer.driver.settled for wearer in self.wearers) and all(task.done() for task in active)

    def _desk_is_done(self) -> bool:
        opened = {event.data["alert_id"] for event in self.screen.seen if event.name == "alert.opened"}
        return opened == self.desk.resolved

    def _unsettled(self) -> str:
        waiting = "; ".join(f"{wearer.terminal_id}: {wearer.waits_for}" for wearer in self.wearers)
        return f"terminals still wait for receipts of {waiting}\n{self._platform.logs()}"

    def _raise_failures(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
