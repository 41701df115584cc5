"""Both embedded brokers against the `terminal` table: who gets in, what passes, what a change does."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ops.stack import mosquitto
from ops.stack.embedded import EmbeddedStack, StackPorts
from ops.stack.mqtt import probe
from services.core.settings import Settings
from services.terminals.credentials import hash_password

DATABASE = "broker_accounts"
TABLE = (
    "CREATE TABLE terminal"
    " (id uuid PRIMARY KEY, status text NOT NULL, password_hash text, version int NOT NULL DEFAULT 1)"
)
PATIENCE = 10.0
ONE, TWO, RETIRED = (str(uuid4()) for _ in range(3))


def execute(url: str, *statements: tuple[str, *tuple[object, ...]]) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for query, *arguments in statements:
                await connection.execute(query, *arguments)
        finally:
            await connection.close()

    asyncio.run(run())


@dataclass
class Broker:
    """One kind of broker on the accounts of one database."""

    settings: Settings
    clients: list["Client"] = field(default_factory=list)

    @property
    def database(self) -> str:
        assert self.settings.database_url is not None
        return self.settings.database_url

    def connect(self, client_id: str, username: str, password: str) -> "Client":
        client = Client(self.settings.terminal_broker, client_id, username, password)
        self.clients.append(client)
        return client

    def service(self) -> "Client":
        host_port, password = self._door()
        client = Client(host_port, "guoyuan-test", "guoyuan-service", password)
        self.clients.append(client)
        return client

    def login(self, username: str, password: str) -> int | None:
        """The CONNACK code of a terminal's login with its own client id."""
        client = self.connect(username, username, password)
        return client.code

    def _door(self) -> tuple[tuple[str, int], str]:
        assert self.settings.mqtt_url is not None
        login, _, place = self.settings.mqtt_url.removeprefix("mqtt://").rpartition("@")
        host, port = place.split(":")
        return (host, int(port)), login.split(":", 1)[1]


class Client:
    """A paho client that waits for answers."""

    def __init__(self, address: tuple[str, int], client_id: str, username: str, password: str) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.granted: list[int] = []
        self.code: int | None = None
        self.up = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
        self._client.username_pw_set(username, password)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = lambda _c, _u, message: self.received.append(
            (message.topic, bytes(message.payload))
        )
        self._client.on_subscribe = self._subscribed
        self._client.connect(*address)
        self._client.loop_start()
        wait(lambda: self.code is not None)

    def _connected(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        self.code, self.up = reason.value, not reason.is_failure

    def _disconnected(self, *_arguments: object) -> None:
        self.up = False

    def _subscribed(self, _c: object, _u: object, _m: object, reasons: list[ReasonCode], _p: object) -> None:
        self.granted = [reason.value for reason in reasons]

    def subscribe(self, topic_filter: str) -> int:
        self.granted = []
        self._client.subscribe(topic_filter, 1)
        wait(lambda: bool(self.granted))
        return self.granted[0]

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1).wait_for_publish(PATIENCE)

    def try_to_publish(self, topic: str, payload: bytes) -> None:
        """Publish and see it acknowledged, or the connection ended: Mosquitto 2.0.11 does that to QoS 1."""
        sent = self._client.publish(topic, payload, 1)
        wait(lambda: sent.is_published() or not self.up)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def wait(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module", params=["builtin", "mosquitto"])
def broker(
    request: pytest.FixtureRequest, stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    kind = request.param
    if kind == "mosquitto" and mosquitto.find() is None:
        pytest.skip("mosquitto is not installed")
    directory: Path = tmp_path_factory.mktemp(kind)
    url = stack.postgres.create_database(f"{DATABASE}_{kind}")
    ports = StackPorts.free()
    service_port = ports.mqtt if kind == "builtin" else ports.mqtt_service
    settings = Settings(
        _env_file=None,
        data_dir=directory,
        database_url=url,
        mqtt_url=f"mqtt://guoyuan-service:secret@127.0.0.1:{service_port}",
        mqtt_terminal_url=f"mqtt://127.0.0.1:{ports.mqtt}",
        embedded_broker=kind,
    )
    execute(
        url,
        (TABLE,),
        ("INSERT INTO terminal VALUES ($1, 'bound', $2)", ONE, hash_password("one")),
        ("INSERT INTO terminal VALUES ($1, 'provisioned', $2)", TWO, hash_password("two")),
        ("INSERT INTO terminal VALUES ($1, 'retired', $2)", RETIRED, hash_password("three")),
    )
    process = stack.spawn(
        "broker", name=f"broker-{kind}", settings=settings, is_ready=lambda: probe(settings.mqtt_url or "") == 0
    )
    made = Broker(settings)
    yield made
    for client in made.clients:
        client.close()
    process.stop()
    stack.postgres.drop_database(f"{DATABASE}_{kind}")


def test_logins(broker: Broker) -> None:
    assert broker.login(ONE, "one") == 0
    assert broker.login(TWO, "two") == 0
    assert broker.login(ONE, "two") != 0
    assert broker.login(RETIRED, "three") != 0
    assert broker.login(str(uuid4()), "one") != 0
    assert broker.login("guoyuan-service", "wrong") != 0
    assert broker.connect("x", "", "").code != 0


def test_a_terminal_keeps_to_its_own_topics(broker: Broker) -> None:
    platform = broker.service()
    assert platform.subscribe("gy/v1/+/up/#") == 1
    for topic in (f"gy/v1/{TWO}/up/alarm", f"gy/v1/{ONE}/down/receipt", f"gy/v1/{ONE}/up/other"):
        broker.connect(ONE, ONE, "one").try_to_publish(topic, b"forbidden")
    one = broker.connect(ONE, ONE, "one")
    assert one.subscribe(f"gy/v1/{ONE}/down/#") == 1
    one.publish(f"gy/v1/{ONE}/up/alarm", b"own")
    platform.publish(f"gy/v1/{TWO}/down/receipt", b"for another")
    platform.publish(f"gy/v1/{ONE}/down/receipt", b"received")
    wait(lambda: bool(platform.received) and bool(one.received))
    assert platform.received == [(f"gy/v1/{ONE}/up/alarm", b"own")]
    assert one.received == [(f"gy/v1/{ONE}/down/receipt", b"received")]


def test_reading_what_others_send_yields_nothing(broker: Broker) -> None:
    one, two = broker.connect(ONE, ONE, "one"), broker.connect(TWO, TWO, "two")
    for topic_filter in ("#", "gy/v1/+/up/#", f"gy/v1/{TWO}/#", f"gy/v1/{TWO}/up/alarm"):
        one.subscribe(topic_filter)  # refused, or granted and empty: Mosquitto 2.0 checks when it delivers
    two.publish(f"gy/v1/{TWO}/up/alarm", b"private")
    time.sleep(0.3)
    assert one.received == []


def test_a_terminal_cannot_take_over_another_session(broker: Broker) -> None:
    platform, two = broker.service(), broker.connect(TWO, TWO, "two")
    assert platform.subscribe("gy/v1/+/up/alarm") == 1
    broker.connect(TWO, ONE, "one")  # refused, or connected under its own name
    broker.connect(TWO, ONE, "wrong")
    broker.connect("guoyuan-test", ONE, "one")
    two.publish(f"gy/v1/{TWO}/up/alarm", b"still me")
    wait(lambda: (f"gy/v1/{TWO}/up/alarm", b"still me") in platform.received)
    assert two.up
    assert platform.up


def test_a_new_terminal_gets_in_and_a_retired_one_does_not(broker: Broker) -> None:
    new = str(uuid4())
    assert broker.login(new, "new") != 0
    execute(broker.database, ("INSERT INTO terminal VALUES ($1, 'bound', $2)", new, hash_password("new")))
    wait(lambda: broker.login(new, "new") == 0)
    connected = broker.connect(new, new, "new")
    execute(broker.database, ("UPDATE terminal SET status = 'retired', version = version + 1 WHERE id = $1", new))
    wait(lambda: not connected.up, 20.0)
    wait(lambda: broker.login(new, "new") != 0)
