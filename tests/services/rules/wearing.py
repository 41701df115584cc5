"""A resident who wears a terminal, on the tests' database and on a clock that the test moves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.ids import new_id
from services.rules.definitions import RuleDefinition
from services.rules.editing import save_resident_rule, set_attribute
from services.rules.service import Breach, Judge, take_readings
from services.rules.views import AttributeSet, RuleSave
from services.terminals.models import Terminal, TerminalKind, TerminalProfile
from services.terminals.repository import Bound, one_bound
from services.terminals.states import TerminalStatus
from services.vitals.repository import ReadingRow
from tests.clock import ManualClock
from tests.world import World


@dataclass
class Wearer:
    """One resident with one terminal; ``judge`` is the ingest process that hears it."""

    database: Database
    clock: ManualClock
    world: World
    resident_id: UUID
    bound: Bound
    judge: Judge = field(default_factory=Judge)
    seq: int = 0

    def rows(
        self, kind: str, values: Iterable[float], *, until: datetime | None = None, minutes: float = 1
    ) -> tuple[list[ReadingRow], list[Breach]]:
        """Readings so far apart, the last one now, as ingest makes rows of them."""
        values = list(values)
        end = until or self.clock.now()
        rows: list[ReadingRow] = []
        breaches: list[Breach] = []
        for place, value in enumerate(values):
            self.seq += 1
            at = end - timedelta(minutes=minutes * (len(values) - 1 - place))
            row, breach = self.judge.row(self.bound, kind, value, at, None, self.seq, self.clock.now())
            rows.append(row)
            breaches += [] if breach is None else [breach]
        return rows, breaches

    async def measure(self, kind: str, values: Iterable[float], **when: Any) -> None:
        """Readings that come in one batch."""
        rows, breaches = self.rows(kind, values, **when)
        async with self.database.unit_of_work(SYSTEM) as work:
            await take_readings(work, rows, breaches)

    async def one_by_one(self, kind: str, values: Sequence[float], minutes: float = 1) -> None:
        """Readings that come as time passes, each in a batch of its own."""
        for value in values:
            self.clock.forward(minutes=minutes)
            await self.measure(kind, [value])

    async def alerts(self) -> list[dict[str, Any]]:
        """The resident's alerts with what each occurrence says, oldest first."""
        statement = text(
            "SELECT a.kind, a.severity, a.status, a.occurrences, o.alarm_id, o.pressed_at, o.detail"
            " FROM alert a JOIN alert_occurrence o ON o.alert_id = a.id WHERE a.resident_id = :id ORDER BY o.id"
        )
        async with self.database.engine.connect() as connection:
            rows = await connection.execute(statement, {"id": self.resident_id})
            return [dict(row) for row in rows.mappings()]

    async def raised(self) -> list[str]:
        """Kinds of the alerts, an entry for each occurrence."""
        return [row["kind"] for row in await self.alerts()]

    async def stored(self) -> int:
        """How many readings are kept."""
        async with self.database.engine.connect() as connection:
            statement = text("SELECT count(*) FROM reading WHERE resident_id = :id")
            count: int = (await connection.execute(statement, {"id": self.resident_id})).scalar_one()
            return count

    async def save(self, rule: RuleDefinition, *, is_off: bool = False) -> UUID:
        """Her clinician saves a rule for her, and ingest has heard of it."""
        actor = await self.world.actor(Role.CLINICIAN)
        async with self.database.unit_of_work(actor) as work:
            request = RuleSave(definition=rule, is_off=is_off, reason="门诊调整")
            saved = await save_resident_rule(work, self.resident_id, request, None)
        await self.judge.reload(self.database)
        return saved.rule_id

    async def own(self, name: str, value: float | None) -> None:
        """Her clinician sets a figure of hers, and ingest has heard of it."""
        actor = await self.world.actor(Role.CLINICIAN)
        async with self.database.unit_of_work(actor) as work:
            await set_attribute(work, self.resident_id, AttributeSet(name=name, value=value, reason="门诊测得"))
        await self.judge.reload(self.database)


async def make_wearer(database: Database, clock: ManualClock, world: World, kind: TerminalKind) -> Wearer:
    """The first resident of the first town puts a terminal on."""
    resident = world.here.households[0].resident
    terminal_id = new_id()
    async with database.unit_of_work(SYSTEM) as work:
        profile = (await work.session.exec(select(TerminalProfile).where(col(TerminalProfile.code) == kind))).one()
        work.session.add(
            Terminal(
                id=terminal_id,
                serial=str(terminal_id),
                kind=kind,
                profile_id=profile.id,
                status=TerminalStatus.BOUND,
                area_code=resident.area_code,
                centre_id=world.here.centre.id,
                resident_id=resident.id,
            )
        )
    async with database.engine.connect() as connection:
        bound = await one_bound(connection, terminal_id)
    assert bound is not None
    wearer = Wearer(database, clock, world, resident.id, bound)
    await wearer.judge.reload(database)
    return wearer
