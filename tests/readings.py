"""Readings for the tests: stored as ingest stores them, computed as the worker computes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.core.actor import SYSTEM
from services.core.database import Database
from services.vitals.aggregates.service import aggregate_due
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.repository import ReadingRow, save_readings
from tests.clock import ManualClock

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@dataclass(slots=True)
class Ward:
    """One resident with one terminal, and the processes that touch her readings."""

    database: Database
    clock: ManualClock
    resident_id: UUID
    area_code: str
    terminal_id: UUID

    def row(
        self, at: datetime, value: float, kind: ReadingKind = ReadingKind.HEART_RATE, good: bool = True
    ) -> ReadingRow:
        """One reading of hers."""
        quality = Quality.GOOD if good else Quality.NO_DATA
        return ReadingRow(
            self.terminal_id, kind, at, value, quality, None, self.resident_id, self.area_code, at, False
        )

    async def store(self, rows: Sequence[ReadingRow]) -> None:
        """One batch of ingest."""
        async with self.database.unit_of_work(SYSTEM) as work:
            await save_readings(await work.session.connection(), rows)

    async def turn(self) -> int:
        """One turn of a worker; gives how many hours it computed."""
        async with self.database.unit_of_work(SYSTEM) as work:
            return await aggregate_due(work)

    async def settle(self) -> None:
        """Turns of a worker until everything that is over is computed."""
        await self.turn()
        self.clock.forward(minutes=1)
        while await self.turn():
            pass
