"""A broker, or each of the brokers, for the tests of the wire level."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from devices.client import MqttAddress
from services.core.settings import Settings
from services.terminals.broker_policy import SERVICE_USER
from tests.devices.brokers import (
    MOSQUITTO,
    PASSWORD,
    BrokerUnderTest,
    EmbeddedBroker,
    MosquittoBroker,
    free_port,
)
from tests.devices.shelf import Shelf, open_shelf


@pytest.fixture
def terminal_id() -> UUID:
    """A terminal that the broker under test lets in."""
    return uuid4()


@pytest.fixture(params=["embedded", "mosquitto"])
def broker_kind(request: pytest.FixtureRequest) -> str:
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed")
    return str(request.param)


@pytest.fixture
async def broker(broker_kind: str, tmp_path: Path, terminal_id: UUID) -> AsyncIterator[BrokerUnderTest]:
    """A running broker."""
    under_test: BrokerUnderTest
    if broker_kind == "mosquitto":
        under_test = MosquittoBroker(tmp_path, [SERVICE_USER, str(terminal_id)])
    else:
        under_test = EmbeddedBroker()
    await under_test.start()
    yield under_test
    await under_test.stop()


@pytest.fixture
def service_address(broker: BrokerUnderTest) -> MqttAddress:
    """The platform's own account."""
    return MqttAddress("127.0.0.1", broker.port, SERVICE_USER, PASSWORD)


@pytest.fixture
def terminal_address(broker: BrokerUnderTest, terminal_id: UUID) -> MqttAddress:
    """The terminal's account."""
    return MqttAddress("127.0.0.1", broker.port, str(terminal_id), PASSWORD)


@pytest.fixture
async def shelf(settings: Settings) -> AsyncIterator[Shelf]:
    """Both lanes without a broker, and a terminal that nobody wears yet."""
    async with open_shelf(settings) as found:
        yield found


@pytest.fixture
def unused_port() -> int:
    """A port that refuses connections."""
    return free_port()
