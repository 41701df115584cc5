"""Terminals in service under a clock that the test moves, and ingest that listens or does not."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.ids import new_id
from services.core.settings import Settings
from services.supervision.listening import STATUS_LANE, note_listening
from services.supervision.models import TerminalFault
from services.supervision.service import check_terminals, enrol_watches
from services.terminals.models import Terminal, TerminalBinding, TerminalKind
from services.terminals.repository import Bound, Heard
from services.terminals.service import note_status
from services.terminals.states import TerminalStatus
from tests.clock import ManualClock
from tests.world import Place, World, build_world


@dataclass
class Fleet:
    """Terminals of one resident of a world of its own. ``database`` runs on ``clock``."""

    database: Database
    clock: ManualClock
    world: World
    bounds: dict[UUID, Bound] = field(default_factory=dict)

    async def add(
        self, count: int = 1, kind: TerminalKind = TerminalKind.SMOKE_DETECTOR, place: Place | None = None
    ) -> list[UUID]:
        """Bind new ones now. A smoke detector beats every 5 minutes and is silent at 30; a life is at stake."""
        place = place or self.world.here
        resident = place.households[0].resident
        ids = [new_id() for _ in range(count)]
        async with self.database.unit_of_work(SYSTEM) as work:
            for terminal_id in ids:
                work.session.add(
                    Terminal(
                        id=terminal_id,
                        serial=str(terminal_id),
                        kind=kind,
                        status=TerminalStatus.BOUND,
                        area_code=resident.area_code,
                        centre_id=place.centre.id,
                        resident_id=resident.id,
                    )
                )
            await work.session.flush()
            for terminal_id in ids:
                work.session.add(
                    TerminalBinding(
                        terminal_id=terminal_id,
                        resident_id=resident.id,
                        area_code=resident.area_code,
                        centre_id=place.centre.id,
                        bound_at=work.now,
                    )
                )
        self.bounds |= {
            terminal_id: Bound(terminal_id, resident.id, place.centre.id, resident.area_code, 1)
            for terminal_id in ids
        }
        return ids

    async def beat(self, terminal_ids: Sequence[UUID], is_online: bool = True, **said: object) -> None:
        """A status message of each, now."""
        async with self.database.unit_of_work(SYSTEM) as work:
            heard = [
                Heard(self.bounds[i], is_online, work.now, None, None, None, went_away=not is_online)._replace(
                    **said
                )
                for i in terminal_ids
            ]
            await note_status(work, heard)

    async def measure(
        self, terminal_id: UUID, kind: str, times: Sequence[datetime], quality: str = "good"
    ) -> None:
        """Readings, received when measured."""
        bound = self.bounds[terminal_id]
        async with self.database.unit_of_work(SYSTEM) as work:
            await work.sql(
                text(
                    "INSERT INTO reading (terminal_id, kind, measured_at, value, quality, resident_id, area_code,"
                    " received_at, clock_corrected)"
                    " SELECT :id, :kind, at, 70, :quality, :resident, :area, at, false"
                    " FROM unnest(CAST(:times AS timestamptz[])) AS at"
                ),
                {
                    "id": terminal_id,
                    "kind": kind,
                    "quality": quality,
                    "resident": bound.resident_id,
                    "area": bound.area_code,
                    "times": list(times),
                },
            )

    async def listen(self, since: datetime | None) -> None:
        """What ingest says of itself now."""
        async with self.database.unit_of_work(SYSTEM) as work:
            await note_listening(work, STATUS_LANE, "test", since)

    async def check(self) -> None:
        """What the worker does, until nothing is due."""
        async with self.database.unit_of_work(SYSTEM) as work:
            await enrol_watches(work)
        while True:
            async with self.database.unit_of_work(SYSTEM) as work:
                if not await check_terminals(work):
                    return

    async def run(self, duration: timedelta, step: timedelta, beating: Sequence[UUID] = ()) -> None:
        """Let time pass with ingest listening; whoever beats does it at every step, and the worker looks."""
        end = self.clock.now() + duration
        since = await self.since()
        while self.clock.now() < end:
            self.clock.forward(seconds=step.total_seconds())
            await self.listen(since)
            if beating:
                await self.beat(beating)
            await self.check()

    async def since(self) -> datetime | None:
        """Since when ingest says that it listens."""
        async with self.database.unit_of_work(SYSTEM) as work:
            row = await work.sql(text("SELECT since FROM listening WHERE seat = 'test'"))
            return row.scalar_one()  # type: ignore[no-any-return]

    async def faults(self) -> list[TerminalFault]:
        """All of this fleet's, oldest first."""
        async with self.database.unit_of_work(SYSTEM) as work:
            statement = select(TerminalFault).where(col(TerminalFault.terminal_id).in_(self.bounds))
            return list((await work.session.exec(statement.order_by(col(TerminalFault.id)))).all())

    async def shown(self) -> list[tuple[str, str, str]]:
        """(kind, sensor, status) of each."""
        return [(str(f.kind), f.sensor, str(f.status)) for f in await self.faults()]

    async def events(self) -> list[tuple[str, str]]:
        """(kind, status) of each event about its faults, in order."""
        async with self.database.unit_of_work(SYSTEM) as work:
            rows = await work.sql(
                text(
                    "SELECT payload->>'kind', payload->>'status' FROM outbox WHERE name = 'terminal.fault'"
                    " AND payload->>'terminal_id' = ANY (:ids) ORDER BY id"
                ),
                {"ids": [str(i) for i in self.bounds]},
            )
            return [(row[0], row[1]) for row in rows]

    async def notices(self, template: str = "terminal_fault") -> list[tuple[UUID, dict[str, str]]]:
        """(account, parameters) of each notice to this world's centre."""
        async with self.database.unit_of_work(SYSTEM) as work:
            rows = await work.sql(
                text(
                    "SELECT account_id, parameters FROM notification WHERE template = :template"
                    " AND centre_id = :centre ORDER BY id"
                ),
                {"template": template, "centre": self.world.here.centre.id},
            )
            return [(row[0], row[1]) for row in rows]

    def account(self, role: Role) -> UUID:
        """Of this world's centre."""
        return self.world.account(role).id


@pytest.fixture
async def fleet(database: Database, settings: Settings, world: World) -> AsyncIterator[Fleet]:
    """Nothing yet, and ingest has been listening for a day. No other test's ingest is heard."""
    assert settings.database_url is not None
    clock = ManualClock()
    own = Database(settings.database_url, 8, clock)
    async with own.unit_of_work(SYSTEM) as work:
        await work.sql(text("DELETE FROM listening"))
        # What other tests left is not looked at by these.
        await work.sql(
            text("UPDATE terminal_watch SET next_check_at = :later"), {"later": work.now + timedelta(90)}
        )
    fleet = Fleet(own, clock, await build_world(database, settings, world.vault))
    await fleet.check()
    async with own.unit_of_work(SYSTEM) as work:
        await work.sql(
            text("UPDATE terminal_watch SET next_check_at = :later"), {"later": work.now + timedelta(90)}
        )
    await fleet.listen(clock.now() - timedelta(days=1))
    yield fleet
    async with own.unit_of_work(SYSTEM) as work:
        await work.sql(text("DELETE FROM listening"))
    await own.close()
