"""Simulated terminals: many in one process, each with its own connection, credential and last will.

They follow the protocol to the letter (``terminal``): every alarm and every reading is repeated until its
receipt has come, so what they count as receipted can be compared with what is stored.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from devices.address import ConnectionState, MqttAddress
from devices.rhythm import Scenario, VitalsRhythm
from devices.terminal import AlarmNews, Counters, Order
from devices.terminal_driver import Outcome, TerminalCredential, TerminalDriver

CONNECTS_A_SECOND: Final = 200
"""Terminals are switched on at this pace: each connection costs the broker a password hash."""
STORM_AFTER_SECONDS: Final = 3.0
STORM_PRESSES: Final = 3
STORM_RATE: Final = 10.0
HOME: Final = (28.25, 113.08)
"""About here simulated terminals say that they are, in degrees."""
_ALARMS: Final = {Scenario.SOS: "sos", Scenario.FALL: "fall", Scenario.STORM: "sos"}


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """What the terminals do. ``interval_seconds``: between two vitals messages of one terminal.

    ``speed`` makes fever, decline and the rarer readings come that many times faster; the times in the
    messages stay real. ``press_every_seconds`` of ``None`` means one alarm a terminal.
    """

    scenario: Scenario = Scenario.NORMAL
    interval_seconds: float = 5.0
    speed: float = 1.0
    seed: int = 1
    press_every_seconds: float | None = None
    first_press_seconds: float = 10.0
    drain_seconds: float = 10.0


@dataclass(slots=True)
class Totals:
    """Sums over all terminals. ``delays`` are seconds from an alarm's press to its first receipt."""

    terminals: int = 0
    connected: int = 0
    refused_logins: int = 0
    sent: int = 0
    resent: int = 0
    receipted: int = 0
    refused: int = 0
    dropped: int = 0
    pending: int = 0
    alarms: int = 0
    delays: list[float] = field(default_factory=list)


class Simulation:
    """Runs a plan over a list of credentials until it is told to stop."""

    def __init__(
        self, plan: SimulationPlan, credentials: Sequence[TerminalCredential], address: MqttAddress
    ) -> None:
        self._plan = plan
        self._terminals = [
            _SimulatedTerminal(plan, credential, address, index) for index, credential in enumerate(credentials)
        ]

    async def run(self, stop: asyncio.Event) -> Totals:
        """Until ``stop`` is set; then what is under way gets ``drain_seconds`` for its receipts."""
        async with asyncio.TaskGroup() as group:
            for terminal in self._terminals:
                group.create_task(terminal.run(stop), name=f"simulated {terminal.driver.credential.id}")
        return self.totals()

    def totals(self) -> Totals:
        """The sums as they stand."""
        totals = Totals(terminals=len(self._terminals))
        for terminal in self._terminals:
            protocol, counters = terminal.driver.protocol, terminal.driver.protocol.counters
            totals.connected += terminal.driver.client.state is ConnectionState.CONNECTED
            totals.refused_logins += terminal.driver.client.state is ConnectionState.REFUSED
            totals.pending += protocol.pending_vitals + protocol.pending_alarms
            totals.alarms += terminal.alarms
            totals.delays += terminal.delays
            _add(totals, counters)
        return totals


def _add(totals: Totals, counters: Counters) -> None:
    totals.sent += counters.sent
    totals.resent += counters.resent
    totals.receipted += counters.receipted
    totals.refused += counters.refused
    totals.dropped += counters.dropped


class _SimulatedTerminal:
    def __init__(
        self, plan: SimulationPlan, credential: TerminalCredential, address: MqttAddress, index: int
    ) -> None:
        self._plan = plan
        self._index = index
        self._random = random.Random(f"{plan.seed}:{credential.id}")  # noqa: S311 - repeatable
        self._rhythm = VitalsRhythm(f"{plan.seed}:{credential.id}", plan.scenario)
        self._battery = self._random.uniform(40, 100)
        self._pressed: dict[str, float] = {}
        self._began = 0.0
        self.alarms = 0
        self.delays: list[float] = []
        self._interval = plan.interval_seconds
        self.said: list[str] = []
        self.driver = TerminalDriver(
            credential,
            address,
            battery=lambda: round(self._battery),
            on_alarm_news=self._on_news,
            obey=self._obey,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Switch on in turn, measure and press until told to stop, then wait for the last receipts."""
        if await self._stopped(stop, self._index / CONNECTS_A_SECOND):
            return
        self._began = _now()
        async with self.driver:
            work = [asyncio.create_task(w()) for w in (self._measure, self._press, self.driver.watch)]
            ended = asyncio.create_task(stop.wait())
            try:
                # Only `ended` returns; a fault in the others must end the run, not leave an idle terminal.
                done, _ = await asyncio.wait((*work, ended), return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in (*work, ended):
                    task.cancel()
                await asyncio.gather(*work, ended, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._plan.drain_seconds):
                    await self.driver.wait_settled()

    @staticmethod
    async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        return stop.is_set()

    def _minutes(self) -> float:
        return (_now() - self._began) / 60 * self._plan.speed

    async def _measure(self) -> None:
        hurry = STORM_RATE if self._plan.scenario is Scenario.STORM else 1.0
        due = _now() + self._random.uniform(0, self._interval / hurry)
        while True:
            interval = self._interval / hurry
            await asyncio.sleep(max(0.0, due - _now()))
            self.driver.measure(self._rhythm.sample(datetime.now(UTC), self._minutes()))
            self._battery = max(3.0, self._battery - interval / 3600)
            due += interval

    async def _press(self) -> None:
        plan = self._plan
        kind = _ALARMS.get(plan.scenario)
        if kind is None:
            await asyncio.Event().wait()
        if plan.scenario is Scenario.STORM:
            await asyncio.sleep(max(0.0, STORM_AFTER_SECONDS - self._index / CONNECTS_A_SECOND))
            for _ in range(STORM_PRESSES):
                self._raise("sos")
                await asyncio.sleep(self._random.uniform(0.2, 2))
        else:
            await asyncio.sleep(self._random.uniform(0, plan.first_press_seconds))
            self._raise(kind or "sos")
        while plan.press_every_seconds is not None:
            await asyncio.sleep(plan.press_every_seconds * self._random.uniform(0.8, 1.2))
            self._raise(kind or "sos")
        await asyncio.Event().wait()

    def _raise(self, kind: str) -> None:
        if kind == "fall":
            self._rhythm.fall(self._minutes())
        alarm_id = self.driver.press(kind, battery=round(self._battery))
        self._pressed[alarm_id] = _now()
        self.alarms += 1

    def _obey(self, order: Order) -> Outcome | None:
        """Speak, tell where it is, measure in another rhythm; the rest is the driver's."""
        if order.kind == "speak":
            self.said.append(str(order.args.get("text", "")))
            return {"state": "done"}
        if order.kind == "locate":
            lat, lng = HOME[0] + self._random.uniform(-0.05, 0.05), HOME[1] + self._random.uniform(-0.05, 0.05)
            return {"state": "done", "position": {"lat": round(lat, 5), "lng": round(lng, 5), "accuracy_m": 30}}
        seconds = order.args.get("seconds")
        if order.kind == "set_interval" and order.args.get("what") != "heartbeat" and isinstance(seconds, int):
            self._interval = float(max(seconds, 1))
            return {"state": "done"}
        return None

    def _on_news(self, news: AlarmNews) -> None:
        pressed_at = self._pressed.pop(news.id, None)
        if pressed_at is not None and news.state == "received":
            self.delays.append(_now() - pressed_at)


def _now() -> float:
    return asyncio.get_running_loop().time()
