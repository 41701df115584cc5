"""The servers of a benchmark, and what it needs in the database."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import asyncpg

from bench.wire import Wire
from ops.demo.credentials import describe
from ops.demo.load import load
from ops.migrate import migrate
from ops.stack.embedded import EmbeddedStack
from ops.stack.ports import free_port
from ops.stack.process import Part
from ops.stack.runtime import child_environment
from ops.stack.up import answers
from services.core.database import asyncpg_url
from services.core.ids import new_id
from services.core.settings import Settings
from services.terminals.credentials import hash_password, make_password

KNOWN_SECONDS = 20.0
RELAYED_SECONDS = 60.0
_NOT_RELAYED = "SELECT count(*) FROM outbox WHERE position IS NULL OR relayed_at IS NULL"

_RESIDENTS = """
    INSERT INTO resident (id, area_code, name, gender, birth_date, address, latitude, longitude, access_note,
        conditions, allergies, medicines, categories, dialect, created_at, version)
    SELECT id, $2, '王青梅', 'female', '1940-01-01', '', 28.3, 113.2, '', '{}', '{}', '{}', '{}', '', now(), 1
    FROM unnest($1::uuid[]) AS made(id)
"""
_TERMINALS = """
    INSERT INTO terminal
        (id, serial, kind, profile_id, status, area_code, centre_id, resident_id, room, password_hash, version)
    SELECT made.id, made.id::text, kind, profile.id, 'bound', $3, $4, resident, '', $5, 1
    FROM unnest($1::uuid[], $2::uuid[]) AS made(id, resident), terminal_profile AS profile
    WHERE profile.code = 'pendant'
"""


@dataclass(frozen=True, slots=True)
class BenchTerminal:
    """A terminal that a benchmark may log in as."""

    id: UUID
    password: str


class House:
    """Broker, PostgreSQL (durable) and Redis with the demo county; processes of the platform on demand."""

    def __init__(self, directory: Path) -> None:
        # As an installation logs: JSON lines into a file.
        # Tokens that outlive the longest run: signing in again is not what is measured.
        settings = Settings(
            _env_file=None, data_dir=directory, api_port=free_port(), log_json=True, access_token_minutes=60
        )
        self.stack = EmbeddedStack(directory, settings)
        self._helpers: list[subprocess.Popen[bytes]] = []

    @property
    def settings(self) -> Settings:
        """What the processes run with."""
        return self.stack.settings

    @property
    def database_url(self) -> str:
        """For asyncpg."""
        return asyncpg_url(str(self.settings.database_url))

    def __enter__(self) -> Self:
        self.stack.__enter__()
        migrate(self.stack.postgres.url)
        return self

    def __exit__(self, *error: Any) -> None:
        for helper in self._helpers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(helper.pid, signal.SIGTERM)
            helper.wait()
            for pipe in (helper.stdin, helper.stdout):
                if pipe is not None:
                    pipe.close()
        self.stack.__exit__(*error)

    def start_platform(self) -> dict[str, Part]:
        """API, both lanes of ingest, both parts of the worker: processes by name; returns when the API answers."""
        parts: dict[str, Part] = {
            name: self.stack.spawn(*arguments, name=name)
            for name, arguments in {
                "ingest-alarms": ("ingest", "--lane", "alarms"),
                "ingest-vitals": ("ingest", "--lane", "vitals"),
                "worker": ("worker", "--part", "alarms"),
                "chores": ("worker", "--part", "chores"),
            }.items()
        }
        return {"api": self.stack.spawn("api", is_ready=partial(answers, self.settings)), **parts}

    def start_reader(self) -> Part:
        """Only the API: nobody takes in readings but who is measured."""
        return self.stack.spawn("api", is_ready=partial(answers, self.settings))

    @property
    def servers(self) -> dict[str, Part]:
        """Broker, PostgreSQL and Redis by name."""
        return {part.name: part for part in self.stack.parts}

    def helper(self, module: str, arguments: Sequence[str], **pipes: Any) -> subprocess.Popen[bytes]:
        """Start ``python -m module`` beside us; it ends with the benchmark."""
        process = subprocess.Popen(  # noqa: S603  our own modules
            [sys.executable, "-m", module, *arguments],
            env=child_environment(self.settings),
            process_group=0,
            **pipes,
        )
        self._helpers.append(process)
        return process

    async def known_to_the_broker(self, terminal: "BenchTerminal") -> None:
        """Wait until a new terminal is let in: Mosquitto's password file follows the database."""
        name = str(terminal.id)
        deadline = time.monotonic() + KNOWN_SECONDS
        while True:
            try:
                wire = await Wire.open(self.settings.terminal_broker, (name, name, terminal.password))
            except ConnectionError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
            else:
                wire.close()
                return

    async def people(self) -> dict[str, Any]:
        """Load the demo county and sign its people in: the answer of ``guoyuan demo credentials --json``."""
        await load(self.settings)
        return await describe(self.settings)

    async def settle(self) -> None:
        """Let the database do now what it would do in the middle of a measurement of its own accord."""
        connection = await self.connect()
        try:
            await connection.execute("VACUUM (ANALYZE)")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    async def relayed(self) -> None:
        """Wait until every event is relayed. Raises ``TimeoutError``."""
        connection = await self.connect()
        try:
            async with asyncio.timeout(RELAYED_SECONDS):
                while await connection.fetchval(_NOT_RELAYED):  # noqa: ASYNC110  the table rings no bell for us
                    await asyncio.sleep(0.1)
        finally:
            await connection.close()

    async def connect(self) -> asyncpg.Connection:
        """A connection of our own."""
        return await asyncpg.connect(self.database_url)

    async def terminals(self, count: int, centre_id: str, area_code: str) -> list[BenchTerminal]:
        """New terminals, each with a resident of its own, all with one password."""
        password = make_password()
        terminals, residents = [new_id() for _ in range(count)], [new_id() for _ in range(count)]
        connection = await self.connect()
        try:
            async with connection.transaction():
                await connection.execute(_RESIDENTS, residents, area_code)
                values = (terminals, residents, area_code, UUID(centre_id), hash_password(password))
                await connection.execute(_TERMINALS, *values)
        finally:
            await connection.close()
        return [BenchTerminal(terminal, password) for terminal in terminals]


def user(people: dict[str, Any], role: str) -> dict[str, Any]:
    """The first signed-in person of a role."""
    found: dict[str, Any] = next(entry for entry in people["users"] if entry["role"] == role)
    return found
