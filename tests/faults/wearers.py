"""Terminals that follow the protocol, and a record of everything they pressed and measured."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from uuid import UUID

from devices.address import MqttAddress
from devices.terminal import AlarmNews, wire_time
from devices.terminal_driver import TerminalCredential, TerminalDriver
from services.core.actor import SYSTEM
from services.core.ids import new_id
from services.core.settings import Settings
from services.residents.models import Gender, Resident
from services.terminals.credentials import hash_password, make_password
from services.terminals.models import Terminal, TerminalKind
from services.terminals.states import TerminalStatus
from tests.world import World

KINDS = ("sos", "fall", "help_cord", "smoke", "gas", "water")
MEASURE_SECONDS = 0.1
PRESS_SECONDS = 1.0
READINGS = {"heart_rate": 72.0, "spo2": 97.0, "temperature": 36.5}  # within every limit: they raise nothing

Measured = tuple[UUID, str, datetime]


class Wearer:
    """One older person with one terminal: what she pressed, what was measured, what the terminal was told."""

    def __init__(self, credential: TerminalCredential, address: MqttAddress, resident_id: UUID) -> None:
        self.terminal_id = UUID(credential.id)
        self.resident_id = resident_id
        self.pressed: dict[str, str] = {}
        self.measured: dict[Measured, float] = {}
        self.received: set[str] = set()
        self.driver = TerminalDriver(credential, address, first_seq=1, on_alarm_news=self._hear)
        self._kinds = cycle(KINDS)
        self._last = datetime.now(UTC)

    def press(self) -> str:
        """Call for help."""
        kind = next(self._kinds)
        alarm_id = self.driver.press(kind)
        self.pressed[alarm_id] = kind
        return alarm_id

    def measure(self) -> None:
        """One message with one reading of each kind, at a moment of its own."""
        # Milliseconds travel: two messages of the same one would be the same readings.
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last = max(now, self._last + timedelta(milliseconds=1))
        self._last = self._last.replace(microsecond=self._last.microsecond // 1000 * 1000)
        at = wire_time(self._last)
        self.driver.measure([{"kind": kind, "value": value, "at": at} for kind, value in READINGS.items()])
        self.measured |= {(self.terminal_id, kind, self._last): value for kind, value in READINGS.items()}

    async def live(self, delay: float, over: asyncio.Event) -> None:
        """Measure and press at a steady pace until it is over."""
        loop = asyncio.get_running_loop()
        press_at = loop.time() + delay
        while not over.is_set():
            self.measure()
            if loop.time() >= press_at:
                self.press()
                press_at += PRESS_SECONDS
            await asyncio.sleep(MEASURE_SECONDS)

    def _hear(self, news: AlarmNews) -> None:
        self.received.add(news.id)

    @property
    def waits_for(self) -> str:
        """What has no receipt yet."""
        protocol = self.driver.protocol
        return f"{protocol.pending_alarms} alarms, {protocol.pending_vitals} vitals"


async def make_wearers(world: World, settings: Settings, number: int) -> list[Wearer]:
    """Residents of the world's first town, each with a bound terminal; commits."""
    host, port = settings.terminal_broker
    address = MqttAddress(host, port)
    made: list[Wearer] = []
    async with world.database.unit_of_work(SYSTEM) as work:
        for _ in range(number):
            password, terminal_id, resident_id = make_password(), new_id(), new_id()
            area_code = f"{world.here.town}201"
            work.session.add(
                Resident(
                    id=resident_id,
                    area_code=area_code,
                    name="王青梅",
                    gender=Gender.FEMALE,
                    birth_date=date(1940, 1, 1),
                    address="果园路2号",
                    latitude=28.3,
                    longitude=113.2,
                    created_at=work.now,
                )
            )
            await work.session.flush()
            work.session.add(
                Terminal(
                    id=terminal_id,
                    serial=str(terminal_id),
                    kind=TerminalKind.PENDANT,
                    status=TerminalStatus.BOUND,
                    area_code=area_code,
                    centre_id=world.here.centre.id,
                    resident_id=resident_id,
                    password_hash=hash_password(password),
                )
            )
            credential = TerminalCredential(str(terminal_id), str(terminal_id), password)
            made.append(Wearer(credential, address, resident_id))
    return made


def all_pressed(wearers: Sequence[Wearer]) -> dict[tuple[UUID, str], str]:
    """Kind by terminal and alarm id."""
    return {(w.terminal_id, alarm_id): kind for w in wearers for alarm_id, kind in w.pressed.items()}
