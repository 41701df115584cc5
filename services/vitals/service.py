"""What happens to readings: kept as evidence, judged by the rules, shown to whom they concern."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from services.alerts import repository as alerts_repository
from services.alerts.models import AlertKind
from services.alerts.service import BREACH_PREFIX, AlarmFacts, raise_alarm
from services.audit.service import record_read
from services.core.clock import Clock
from services.core.database import Database, Work
from services.core.errors import Forbidden
from services.residents.service import may_read_health
from services.terminals.repository import Bound
from services.vitals import repository
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.models import Reading
from services.vitals.plausibility import quality_of
from services.vitals.repository import ReadingRow
from services.vitals.rules import Rule, load_rules, should_raise

CLOCK_AHEAD = timedelta(minutes=5)
CLOCK_BEHIND = timedelta(days=400)
"""A terminal's time outside this window around ours is wrong; see ``clock_shift``."""


def clock_shift(newest: datetime, received_at: datetime) -> timedelta | None:
    """By how much a message's times must be moved because its terminal's clock is far off; ``None``: not.

    All readings of a message move together, the newest to its arrival, so that their spacing stays.
    """
    if received_at - CLOCK_BEHIND <= newest <= received_at + CLOCK_AHEAD:
        return None
    return received_at - newest


Breach = tuple[Bound, Rule, datetime, datetime]
"""Whose, which rule, measured when, received when."""


class Judge:
    """The rules as ingest applies them: cheap for a reading in its limits, thorough for one beyond.

    Holds each resident's own limits, refreshed by ``reload``. It remembers no readings: a decision looks
    them up, so that restarts and several processes agree.
    """

    def __init__(self) -> None:
        self.rules, self.stale_after = load_rules()
        self._own: dict[tuple[UUID, str], Rule] = {}

    async def reload(self, database: Database) -> None:
        """Read the residents' own limits."""
        async with database.engine.connect() as connection:
            own = await repository.thresholds(connection)
        self._own = {
            key: self.rules[key[1]].with_limits(low, high)
            for key, (low, high) in own.items()
            if key[1] in self.rules
        }

    def rule_for(self, resident_id: UUID, kind: str) -> Rule | None:
        """The nearest rule: the resident's own, else the default; steps have none."""
        return self._own.get((resident_id, kind)) or self.rules.get(kind)

    def row(
        self,
        bound: Bound,
        kind: str,
        value: float,
        measured_at: datetime,
        shift: timedelta | None,
        seq: int,
        received_at: datetime,
    ) -> tuple[ReadingRow, Breach | None]:
        """The row to store for one value, and the breach to look into, if it is one."""
        at = measured_at if shift is None else measured_at + shift
        quality = quality_of(kind, value)
        row = ReadingRow(
            bound.terminal_id,
            kind,
            at,
            value,
            quality.value,
            seq,
            bound.resident_id,
            bound.area_code,
            received_at,
            shift is not None,
        )
        if bound.resident_id is None or quality is Quality.NO_DATA:
            return row, None
        rule = self.rule_for(bound.resident_id, kind)
        if rule is None or not rule.breaches(value) or at < received_at - self.stale_after:
            return row, None
        return row, (bound, rule, at, received_at)


async def take_readings(work: Work, rows: Sequence[ReadingRow], breaches: Sequence[Breach]) -> None:
    """Store a batch and raise what its breaches call for, in one transaction."""
    rows = await _without_repeats(work, rows)
    if not rows:
        return
    await repository.save_readings(await work.session.connection(), rows)
    newest: dict[tuple[UUID, str], Breach] = {}
    for breach in breaches:
        bound, rule, at, _ = breach
        assert bound.resident_id is not None  # noqa: S101  Judge.row makes no breach without a resident
        key = (bound.resident_id, rule.kind.value)
        if key not in newest or newest[key][2] < at:
            newest[key] = breach
    for (resident_id, kind), (bound, rule, at, received_at) in newest.items():
        readings = await repository.last_readings(work, resident_id, kind, at)
        last_raised = await alerts_repository.last_raised_at(work, resident_id, rule.alert)
        if should_raise(rule, readings, last_raised):
            alarm = AlarmFacts(
                bound=bound,
                alarm_id=f"{BREACH_PREFIX}{kind}:{at.isoformat()}",
                kind=AlertKind(rule.alert),
                pressed_at=at,
                received_at=received_at,
                detail={"rule": kind, "needed": rule.needed, "of": rule.of, "source": rule.source},
            )
            await raise_alarm(work, alarm)


async def _without_repeats(work: Work, rows: Sequence[ReadingRow]) -> Sequence[ReadingRow]:
    """Leave out repeated messages of terminals with a wrong clock.

    The table's key, (terminal, kind, time), tells any other repeat; these got another time when they came first.
    """
    corrected = {(row.terminal_id, row.seq) for row in rows if row.clock_corrected and row.seq is not None}
    if not corrected:
        return rows
    known = await repository.corrected_before(work, corrected)
    return [row for row in rows if (row.terminal_id, row.seq) not in known]


async def make_partitions_ahead(database: Database, clock: Clock) -> None:
    """Partitions of this month and the three after it."""
    today = clock.now().date()
    async with database.engine.begin() as connection:
        for offset in range(4):
            months = today.year * 12 + today.month - 1 + offset
            await repository.make_partition(connection, date(months // 12, months % 12 + 1, 1))


async def latest_vitals(work: Work, resident_id: UUID) -> Sequence[Reading]:
    """The newest measurement of each kind; ``NotFound`` outside the actor's reach. Audited."""
    await _may_read(work, resident_id)
    await record_read(work, [resident_id], "vitals.latest", ["vitals"])
    return await repository.latest(work, resident_id)


async def vitals_between(
    work: Work, resident_id: UUID, kind: ReadingKind, start: datetime, end: datetime, limit: int
) -> Sequence[Reading]:
    """Readings of a kind in [start, end), newest first; ``NotFound`` outside the actor's reach. Audited."""
    await _may_read(work, resident_id)
    await record_read(work, [resident_id], "vitals", [kind.value])
    return await repository.between(work, resident_id, kind, start, end, limit)


async def _may_read(work: Work, resident_id: UUID) -> None:
    """``NotFound`` out of reach, ``Forbidden`` without a reason (or consent) to see health data."""
    if not await may_read_health(work, resident_id):
        raise Forbidden
