"""A fleet of terminals in a process of its own, asked from here; and its ledger held against the database."""

import asyncio
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from bench.house import BenchTerminal, House

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXPECTED = (
    "CREATE TEMP TABLE expected (terminal_id uuid, kind text, measured_at timestamptz);"
    " CREATE TEMP TABLE pressed (terminal_id uuid, alarm_id text, kind text)"
)
_READINGS = """
    SELECT count(*) FILTER (WHERE stored IS NULL) AS lost, count(*) FILTER (WHERE wanted IS NULL) AS strange,
           count(*) FILTER (WHERE stored > 1) AS doubled, coalesce(sum(stored), 0)::bigint AS rows
    FROM (SELECT terminal_id, kind, measured_at, count(*) AS wanted FROM expected GROUP BY 1, 2, 3) AS expected
    FULL JOIN (SELECT terminal_id, kind::text, measured_at, count(*) AS stored FROM reading
               WHERE terminal_id = ANY ($1::uuid[]) GROUP BY 1, 2, 3) AS found
        USING (terminal_id, kind, measured_at)
"""
_ALARMS = """
    SELECT count(*) FILTER (WHERE stored IS NULL) AS lost, count(*) FILTER (WHERE wanted IS NULL) AS strange,
           count(*) FILTER (WHERE stored > 1) AS doubled, coalesce(sum(stored), 0)::bigint AS rows
    FROM (SELECT terminal_id, alarm_id, count(*) AS wanted FROM pressed GROUP BY 1, 2) AS pressed
    FULL JOIN (SELECT terminal_id, alarm_id, count(*) AS stored FROM alert_occurrence
               WHERE terminal_id = ANY ($1::uuid[]) GROUP BY 1, 2) AS found USING (terminal_id, alarm_id)
"""
_ALERTS = """
    SELECT count(*) AS alerts, count(DISTINCT resident_id) AS residents,
           count(*) FILTER (WHERE NOT EXISTS (SELECT FROM escalation WHERE alert_id = alert.id)) AS silent,
           count(*) FILTER (WHERE (SELECT count(*) FROM outbox WHERE name = 'alert.opened'
               AND payload ->> 'alert_id' = alert.id::text AND relayed_at IS NOT NULL) <> 1) AS unannounced
    FROM alert WHERE id IN (SELECT alert_id FROM alert_occurrence WHERE terminal_id = ANY ($1::uuid[]))
"""


@dataclass(frozen=True, slots=True)
class Pressed:
    """One press: when (``perf_counter``), when it was first sent and when its receipt came, if it did."""

    terminal_id: str
    alarm_id: str
    kind: str
    at: float
    sent_at: float | None
    receipted_at: float | None


@dataclass(frozen=True, slots=True)
class Held:
    """What the terminals remember, held against the tables: lost and doubled are to be 0."""

    rows: int
    lost: int
    strange: int
    doubled: int

    @property
    def is_right(self) -> bool:
        """Everything is there exactly once, and nothing else."""
        return not (self.lost or self.strange or self.doubled)


class Fleet:
    """So many terminals. One request at a time."""

    def __init__(self, house: House, terminals: Sequence[BenchTerminal]) -> None:
        self.terminals = terminals
        self.process = house.helper("bench.fleet_process", [], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._house = house
        self._ids = [terminal.id for terminal in terminals]
        host, port = house.settings.terminal_broker
        logins = [(str(terminal.id), terminal.password) for terminal in terminals]
        self._write({"host": host, "port": port, "terminals": logins})

    async def ask(self, do: str, **values: Any) -> dict[str, Any]:
        """One request and its answer. Raises ``RuntimeError`` when the process has ended."""
        return await asyncio.to_thread(self._ask, {"do": do, **values})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self._write(request)
        assert self.process.stdout is not None  # noqa: S101  a pipe
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the fleet ended with code {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _write(self, value: dict[str, Any]) -> None:
        assert self.process.stdin is not None  # noqa: S101  a pipe
        self.process.stdin.write(json.dumps(value).encode() + b"\n")
        self.process.stdin.flush()

    async def compare(self) -> tuple[Held, Held, dict[str, int], list[Pressed]]:
        """Readings, alarms, alerts (``alerts``, ``residents``, ``silent``, ``unannounced``), and every press."""
        path = Path(self._house.settings.data_dir) / "ledger.json"
        await self.ask("ledger", path=str(path))
        return await self.held(path)

    async def held(self, path: Path) -> tuple[Held, Held, dict[str, int], list[Pressed]]:
        """A ledger against the tables."""
        entries = json.loads(await asyncio.to_thread(path.read_text))
        connection = await self._house.connect()
        try:
            await _load(connection, entries)
            readings = Held(**dict(await connection.fetchrow(_READINGS, self._ids)))
            alarms = Held(**dict(await connection.fetchrow(_ALARMS, self._ids)))
            alerts = dict(await connection.fetchrow(_ALERTS, self._ids))
        finally:
            await connection.close()
        pressed = [Pressed(entry["id"], *press) for entry in entries for press in entry["presses"]]
        return readings, alarms, alerts, pressed


async def _load(connection: asyncpg.Connection, entries: Sequence[dict[str, Any]]) -> None:
    await connection.execute(_EXPECTED)
    measured = [
        (UUID(entry["id"]), kind, _EPOCH + timedelta(milliseconds=at))
        for entry in entries
        for at in entry["measured"]
        for kind in entry["kinds"]
    ]
    pressed = [(UUID(entry["id"]), press[0], press[1]) for entry in entries for press in entry["presses"]]
    await connection.copy_records_to_table("expected", records=measured)
    await connection.copy_records_to_table("pressed", records=pressed)
    await connection.execute("ANALYZE expected; ANALYZE pressed")
