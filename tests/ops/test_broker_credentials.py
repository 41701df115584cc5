"""Rotating, revoking, suspending and retiring end the live connection within seconds, on both embedded brokers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import UUID

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from api.house import House, open_house
from ops.stack import mosquitto
from ops.stack.embedded import EmbeddedStack, StackPorts
from ops.stack.mqtt import probe
from services.core.actor import SYSTEM
from services.core.ids import new_id
from services.core.settings import Settings
from services.terminals import lifecycle
from services.terminals.models import TerminalKind, default_profile_id
from services.terminals.registry_models import TerminalCreate
from tests.world import World, build_world

SECONDS = 3.0
"""Within which an ended credential ends its connection: far less than any poll and pause together would need."""


class Terminal:
    """A connection with a password that does not come back by itself."""

    def __init__(self, address: tuple[str, int], terminal_id: UUID, password: str) -> None:
        self.code: int | None = None
        self.up = False
        name = str(terminal_id)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, reconnect_on_failure=False)
        self._client.username_pw_set(name, password)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.connect(*address)
        self._client.loop_start()

    def _connected(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        self.code, self.up = reason.value, not reason.is_failure

    def _disconnected(self, *_arguments: object) -> None:
        self.up = False

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> float:
    """Wait for it; gives how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture(scope="module", params=["builtin", "mosquitto"])
def broker(
    request: pytest.FixtureRequest, stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A broker of its own on the accounts of the migrated database."""
    kind = request.param
    if kind == "mosquitto" and mosquitto.find() is None:
        pytest.skip("mosquitto is not installed")
    ports = StackPorts.free()
    service_port = ports.mqtt if kind == "builtin" else ports.mqtt_service
    settings = stack.settings.model_copy(
        update={
            "data_dir": tmp_path_factory.mktemp(kind),
            "mqtt_url": f"mqtt://guoyuan-service:secret@127.0.0.1:{service_port}",
            "mqtt_terminal_url": f"mqtt://127.0.0.1:{ports.mqtt}",
            "embedded_broker": kind,
        }
    )
    process = stack.spawn(
        "broker",
        name=f"broker-credentials-{kind}",
        settings=settings,
        is_ready=lambda: probe(settings.mqtt_url or "") == 0,
    )
    yield settings
    process.stop()


class Bench:
    """New terminals, their connections, and what staff do to them."""

    def __init__(self, house: House, world: World, settings: Settings) -> None:
        self.house, self.world, self.settings = house, world, settings
        self.open: list[Terminal] = []

    async def provisioned(self) -> tuple[UUID, str]:
        new = TerminalCreate(
            serial=f"B-{new_id()}",
            profile_id=default_profile_id(TerminalKind.PENDANT),
            centre_id=self.world.here.centre.id,
        )
        async with self.house.database.unit_of_work(SYSTEM) as work:
            terminal = await lifecycle.register(work, new)
            _, password = await lifecycle.provision(work, terminal.id)
        return terminal.id, password

    async def connected(self, terminal_id: UUID, password: str) -> Terminal:
        """A new account reaches Mosquitto's file first: until then it tries again."""

        async def once() -> Terminal:
            terminal = Terminal(self.settings.terminal_broker, terminal_id, password)
            self.open.append(terminal)
            await until(lambda: terminal.code is not None)
            return terminal

        async with asyncio.timeout(10):
            while not (terminal := await once()).up:  # noqa: ASYNC110  the broker tells nobody of a new account
                await asyncio.sleep(0.1)
        return terminal

    async def refused(self, terminal_id: UUID, password: str) -> bool:
        terminal = Terminal(self.settings.terminal_broker, terminal_id, password)
        self.open.append(terminal)
        await until(lambda: terminal.code is not None)
        return not terminal.up

    async def do(self, what: str, terminal_id: UUID) -> str:
        """One verb, committed; gives the new password of a rotation."""
        async with self.house.database.unit_of_work(SYSTEM) as work:
            if what == "rotate":
                return (await lifecycle.rotate(work, terminal_id))[1]
            await getattr(lifecycle, what)(work, terminal_id, "test")
        return ""


@pytest.fixture
async def bench(broker: Settings, settings: Settings) -> AsyncIterator[Bench]:
    house = open_house(settings)
    bench = Bench(house, await build_world(house.database, settings, house.vault), broker)
    yield bench
    for terminal in bench.open:
        await asyncio.to_thread(terminal.close)
    await house.close()


@pytest.mark.parametrize("what", ["rotate", "revoke", "suspend", "retire", "restock"])
async def test_it_ends_this_connection_and_no_other(bench: Bench, what: str) -> None:
    terminal_id, password = await bench.provisioned()
    other_id, other_password = await bench.provisioned()
    terminal = await bench.connected(terminal_id, password)
    other = await bench.connected(other_id, other_password)
    await bench.do(what, terminal_id)
    assert await until(lambda: not terminal.up) < SECONDS
    assert await bench.refused(terminal_id, password)
    assert other.up


async def test_after_a_rotation_the_new_password_is_let_in_and_stays(bench: Bench) -> None:
    terminal_id, old = await bench.provisioned()
    first = await bench.connected(terminal_id, old)
    new = await bench.do("rotate", terminal_id)
    await until(lambda: not first.up)
    second = await bench.connected(terminal_id, new)
    assert await bench.refused(terminal_id, old)
    # The next rotation of another terminal makes the broker look at everybody again.
    other_id, other_password = await bench.provisioned()
    other = await bench.connected(other_id, other_password)
    await bench.do("rotate", other_id)
    await until(lambda: not other.up)
    assert second.up


async def test_a_resumed_terminal_comes_back_with_the_password_it_had(bench: Bench) -> None:
    terminal_id, password = await bench.provisioned()
    first = await bench.connected(terminal_id, password)
    await bench.do("suspend", terminal_id)
    await until(lambda: not first.up)
    async with bench.house.database.unit_of_work(SYSTEM) as work:
        await lifecycle.resume(work, terminal_id)
    assert (await bench.connected(terminal_id, password)).up
