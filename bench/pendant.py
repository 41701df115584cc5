"""A terminal that costs little: the protocol of ``devices/terminal.py`` on a bare wire, thousands in a process.

It does what ``docs/mqtt.md`` asks: a persistent session, a last will, keep-alive, heartbeats, repeats until the
receipt, reconnecting with the jittered back-off. One heap of due times serves all of them.
"""

import asyncio
import heapq
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any, Final

from bench.wire import Wire, connect_packet
from devices.mqtt_packets import PINGREQ, PUBACK, packet
from devices.terminal import TerminalProtocol, encode_message, wire_time
from devices.topics import DownChannel, UpChannel, down_topic, up_topic

KEEP_ALIVE: Final = 300
HEARTBEAT: Final = 300.0
BACKOFF: Final = (0.2, 15.0)
CONNECT_SECONDS: Final = 10.0
STEADY_SECONDS: Final = 5.0
_PING: Final = packet(PINGREQ << 4, b"")
_OFFLINE: Final = '{"state":"offline"}'

Reading = dict[str, Any]


@dataclass(slots=True)
class Style:
    """What a kind of terminal measures, and how often (seconds)."""

    name: str
    every: float
    read: Callable[[random.Random], list[Reading]]


@dataclass(slots=True)
class Press:
    """One alarm as its terminal knows it: ``perf_counter`` of the press, the first sending, the first receipt."""

    alarm_id: str
    kind: str
    pressed: float
    sent: float | None = None
    received: float | None = None


class Timers:
    """One heap of what is due for everybody."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._sooner = asyncio.Event()

    def at(self, when: float, work: Callable[[], None]) -> None:
        """Call `work` at a moment of the loop's clock."""
        if not self._heap or when < self._heap[0][0]:
            self._sooner.set()
        heapq.heappush(self._heap, (when, next(self._numbers), work))

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._sooner.clear()
            while self._heap and self._heap[0][0] <= loop.time():
                heapq.heappop(self._heap)[2]()
            wait = self._heap[0][0] - loop.time() if self._heap else None
            try:
                async with asyncio.timeout(wait):
                    await self._sooner.wait()
            except TimeoutError:
                continue


@dataclass(slots=True)
class Pendant:
    """One terminal."""

    id: str
    password: str
    door: tuple[str, int]
    style: Style
    timers: Timers
    rng: random.Random
    protocol: TerminalProtocol = field(default_factory=lambda: TerminalProtocol(1))
    measured: list[int] = field(default_factory=list)
    """Milliseconds since 1970 of each message's readings."""
    presses: dict[str, Press] = field(default_factory=dict)
    reconnects: list[float] = field(default_factory=list)
    """Seconds from each loss to the next granted subscription."""
    statuses: int = 0
    wire: Wire | None = None
    is_online: bool = False
    is_leaving: bool = False
    _lost_at: float | None = None
    _online_at: float = 0.0
    _life: int = 0
    """Counts starts and rests: timers of an earlier life are void."""
    _attempt: int = 0
    _is_pinging: bool = False
    _wakes_at: float = float("inf")
    _task: asyncio.Task[None] | None = None

    # Connection

    def start(self) -> None:
        """Connect, and stay connected."""
        self._task = asyncio.create_task(self._connect())

    def cut(self) -> None:
        """Lose the connection, without a goodbye."""
        if self.wire is not None:
            self.wire.transport.abort()

    async def leave(self) -> None:
        """Say goodbye."""
        self.is_leaving = True
        if self._task is not None:
            self._task.cancel()
        if self.wire is not None:
            self.wire.close()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        while not self.is_leaving:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    self.wire = await self._open()
                    await self.wire.subscribe(*(down_topic(self.id, channel) for channel in DownChannel))
                if self.wire.transport.is_closing():
                    raise ConnectionError("lost at once")
            except OSError:  # a refusal and a timeout too
                self.cut()
                self._attempt += 1
                await asyncio.sleep(self._pause())
            else:
                break
        if self._lost_at is not None:
            self.reconnects.append(loop.time() - self._lost_at)
            self._lost_at = None
        self.is_online, self._online_at = True, loop.time()
        self._status("online")
        if not self._is_pinging:
            self._is_pinging = True
            self.timers.at(loop.time() + KEEP_ALIVE / 2, self._ping)
        self.protocol.on_connected(loop.time())
        self._send_due()

    async def _open(self) -> Wire:
        made: list[Wire] = []
        _, wire = await asyncio.get_running_loop().create_connection(
            lambda: Wire(self._on_publish, lambda: self._on_lost(made)), *self.door
        )
        made.append(wire)
        will = (up_topic(self.id, UpChannel.STATUS), _OFFLINE)
        login = (self.id, self.id, self.password)
        self.wire = wire  # what waits in the session may come right behind the greeting
        wire.transport.write(connect_packet(*login, clean=False, keep_alive=KEEP_ALIVE, will=will))
        await wire.greeted()
        return wire

    def _pause(self) -> float:
        first, longest = BACKOFF
        pause: float = min(longest, first * 2.0 ** min(self._attempt, 10))
        return pause * self.rng.uniform(0.5, 1.0)

    def _on_lost(self, made: list[Wire]) -> None:
        if not made or made[0] is not self.wire or not self.is_online:
            return
        now = asyncio.get_running_loop().time()
        self.is_online, self._lost_at = False, now
        self._attempt = 0 if now - self._online_at > STEADY_SECONDS else self._attempt + 1
        if not self.is_leaving:
            self.timers.at(now + self._pause(), self.start)

    def _ping(self) -> None:
        if self.is_online and self.wire is not None:
            self.wire.transport.write(_PING)
        self.timers.at(asyncio.get_running_loop().time() + KEEP_ALIVE / 2, self._ping)

    # Life

    def live(self) -> None:
        """Measure and beat from now on, beginning at a random moment of the interval."""
        self._life += 1
        now = asyncio.get_running_loop().time()
        self.timers.at(now + self.rng.uniform(0, self.style.every), partial(self._measure, self._life))
        self.timers.at(now + self.rng.uniform(0, HEARTBEAT), partial(self._beat, self._life))

    def rest(self) -> None:
        """Measure no more; what has no receipt is still repeated."""
        self._life += 1

    def press(self, kind: str = "sos") -> None:
        """Call for help now."""
        now = asyncio.get_running_loop().time()
        alarm_id = self.protocol.press(kind, datetime.now(UTC), now, battery=80)
        self.presses[alarm_id] = Press(alarm_id, kind, time.perf_counter())
        self._send_due()

    def _measure(self, life: int) -> None:
        if life != self._life:
            return
        now = datetime.now(UTC)
        # Milliseconds travel: two messages of the same one would be the same readings.
        at = max(int(now.timestamp() * 1000), self.measured[-1] + 1 if self.measured else 0)
        self.measured.append(at)
        text = wire_time(datetime.fromtimestamp(at / 1000, UTC))
        readings = [{**reading, "at": text} for reading in self.style.read(self.rng)]
        loop_now = asyncio.get_running_loop().time()
        self.protocol.measure(readings, loop_now)
        self._send_due()
        self.timers.at(loop_now + self.style.every, partial(self._measure, life))

    def _beat(self, life: int) -> None:
        if life == self._life:
            if self.is_online:
                self._status("heartbeat")
            self.timers.at(asyncio.get_running_loop().time() + HEARTBEAT, partial(self._beat, life))

    def _status(self, state: str) -> None:
        assert self.wire is not None  # noqa: S101  online
        self.statuses += 1
        message = {"state": state, "at": wire_time(datetime.now(UTC)), "battery": 80, "firmware": "bench"}
        self.wire.publish(up_topic(self.id, UpChannel.STATUS).encode(), encode_message(message))

    def _send_due(self) -> None:
        if not self.is_online or self.wire is None:
            return
        now = asyncio.get_running_loop().time()
        for message in self.protocol.due(now):
            self.wire.publish(up_topic(self.id, message.channel).encode(), message.payload)
            if message.channel is UpChannel.ALARM and message.attempt == 1:
                self._note_sending()
        due = self.protocol.next_due()
        if due is not None and (due < self._wakes_at or self._wakes_at <= now):
            self._wakes_at = due
            self.timers.at(due, self._send_due)

    def _note_sending(self) -> None:
        """Every alarm goes out at once when there is a connection: whichever was not sent before is now."""
        for press in self.presses.values():
            press.sent = press.sent or time.perf_counter()

    def _on_publish(self, topic: bytes, identifier: bytes, payload: bytes) -> None:
        assert self.wire is not None  # noqa: S101  something came
        if identifier:
            self.wire.transport.write(bytes((PUBACK << 4, 2)) + identifier)
        if topic.endswith(b"/receipt"):
            for news in self.protocol.on_receipt(payload):
                press = self.presses.get(news.id)
                if press is not None and press.received is None:
                    press.received = time.perf_counter()
            self._send_due()
