"""Whole terminals against a platform in memory: the driver, the simulator, the replay."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from devices.client import MqttAddress
from devices.recording import read_recording
from devices.replay import replay_recording
from devices.rhythm import Scenario
from devices.simulator import Simulation, SimulationPlan
from devices.terminal import AlarmNews
from devices.terminal_driver import TerminalCredential, TerminalDriver
from tests.devices.brokers import PASSWORD, BrokerUnderTest
from tests.devices.platform import FakePlatform

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture
def credential(terminal_id: UUID) -> TerminalCredential:
    return TerminalCredential(str(terminal_id), str(terminal_id), PASSWORD)


def reading(value: float) -> dict[str, object]:
    return {"kind": "heart_rate", "value": value, "at": "2026-11-22T16:00:00+08:00"}


async def test_readings_and_alarms_arrive_and_their_receipts_come_back(
    service_address: MqttAddress, credential: TerminalCredential
) -> None:
    news: list[AlarmNews] = []
    async with FakePlatform(service_address) as platform:
        async with TerminalDriver(credential, service_address, on_alarm_news=news.append) as driver:
            for value in range(50):
                driver.measure([reading(60 + value)])
            alarm_id = driver.press("sos", battery=80)
            async with asyncio.timeout(10):
                await driver.wait_settled()
        await asyncio.sleep(0.3)
        assert len(platform.vitals) == 50
        assert list(platform.alarms) == [alarm_id]
        assert [s.state for s in platform.status[credential.id]] == ["online", "offline"]
        assert driver.protocol.counters.resent == 0
    assert news == [AlarmNews(alarm_id, "received")]


async def test_a_lost_receipt_means_the_same_alarm_again(
    service_address: MqttAddress, credential: TerminalCredential
) -> None:
    async with (
        FakePlatform(service_address, deaf_to=1) as platform,
        TerminalDriver(credential, service_address) as driver,
    ):
        driver.press("sos")
        async with asyncio.timeout(10):
            await driver.wait_settled()
        assert len(platform.alarms) == 1
        assert [count for payload, count in platform.copies.items() if b'"sos"' in payload] == [2]


async def test_what_was_measured_while_the_broker_was_away_arrives_later(
    broker: BrokerUnderTest, service_address: MqttAddress, credential: TerminalCredential
) -> None:
    async with (
        FakePlatform(service_address) as platform,
        TerminalDriver(credential, service_address) as driver,
    ):
        await driver.client.wait_connected(10)
        await broker.stop()
        for value in range(300):  # more than the window
            driver.measure([reading(value)])
        alarm_id = driver.press("fall")
        await asyncio.sleep(0.5)
        assert platform.vitals == {}
        await broker.start()
        async with asyncio.timeout(40):
            await driver.wait_settled()
        assert len(platform.vitals) == 300
        assert alarm_id in platform.alarms
        assert driver.protocol.counters.dropped == 0


async def test_the_simulator_ends_with_every_receipt(
    service_address: MqttAddress, credential: TerminalCredential
) -> None:
    plan = SimulationPlan(Scenario.SOS, interval_seconds=0.05, press_every_seconds=0.3, first_press_seconds=0.1)
    stop = asyncio.Event()
    async with FakePlatform(service_address) as platform:
        simulation = Simulation(plan, [credential], service_address)
        asyncio.get_running_loop().call_later(2, stop.set)
        async with asyncio.timeout(15):
            totals = await simulation.run(stop)
        assert totals.pending == totals.refused == totals.dropped == 0
        assert totals.sent == totals.receipted == len(platform.vitals) + len(platform.alarms)
        assert len(platform.alarms) == totals.alarms >= 3
        assert len(totals.delays) == totals.alarms
        assert len(platform.vitals) >= 20


async def test_a_simulated_terminal_with_a_wrong_password_is_reported(
    service_address: MqttAddress, credential: TerminalCredential
) -> None:
    wrong = TerminalCredential(credential.id, credential.username, "wrong")
    stop = asyncio.Event()
    simulation = Simulation(SimulationPlan(drain_seconds=0.1, interval_seconds=0.1), [wrong], service_address)
    running = asyncio.create_task(simulation.run(stop))
    await asyncio.sleep(1)
    assert simulation.totals().refused_logins == 1
    stop.set()
    async with asyncio.timeout(10):
        totals = await running
    assert totals.pending > 0
    assert totals.receipted == 0


async def test_a_replay_sends_the_recording_with_its_spacing(
    service_address: MqttAddress, credential: TerminalCredential
) -> None:
    recording = read_recording(
        ["minute,HR,SpO2,NBPSys,NBPDias\n", *(f"{m},{60 + m % 9}.5,0.0,,\n" for m in range(120))]
    )
    async with (
        FakePlatform(service_address) as platform,
        TerminalDriver(credential, service_address) as driver,
    ):
        await driver.client.wait_connected(10)
        async with asyncio.timeout(20):
            result = await replay_recording(recording, driver, start=NOW, speed=0, patience_seconds=10)
    assert result.complete
    assert (result.counters.sent, result.counters.receipted) == (120, 120)
    assert result.last_at == NOW + timedelta(minutes=119)
    times = sorted({r.measured_at for message in platform.vitals.values() for r in message.readings})
    assert times == [NOW + timedelta(minutes=m) for m in range(120)]


async def test_a_replay_nobody_receipts_gives_up(
    service_address: MqttAddress, credential: TerminalCredential
) -> None:
    recording = read_recording(["at,kind,value\n", "2026-11-22T08:00:00Z,steps,5\n"])
    async with TerminalDriver(credential, service_address) as driver:
        await driver.client.wait_connected(10)
        result = await replay_recording(recording, driver, start=None, speed=0, patience_seconds=0.3)
    assert not result.complete
    assert result.counters.sent == 1
