"""The rules as ingest applies them to readings, and the alerts that follow."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from services.alerts.models import AlertKind
from services.alerts.service import BREACH_PREFIX, AlarmFacts, raise_alarm
from services.alerts.states import Severity
from services.core.database import DATABASE_AWAY, Database, Work
from services.core.doorbell import Doorbell
from services.rules import queries, repository
from services.rules.definitions import load_rules
from services.rules.evaluation import SCORED, ActiveRule, Raised, decide, decide_score
from services.rules.layers import ActiveSet, RuleBook
from services.rules.models import RULES_CHANNEL
from services.rules.news2 import CHART, KINDS, Measured
from services.rules.queries import Ask, Known, Window
from services.terminals.repository import Bound
from services.vitals.kinds import Quality
from services.vitals.plausibility import quality_of
from services.vitals.repository import ReadingRow
from services.vitals.service import NO_SHIFTS, store_readings

DEFAULTS = load_rules()
REFRESH_SECONDS = 10.0
_STALE = timedelta(minutes=DEFAULTS.stale_after_minutes)


class Breach(NamedTuple):
    """A reading that a rule may have to do with: whose, of which kind, when measured and received, which rules."""

    bound: Bound
    kind: str
    value: float
    at: datetime
    received_at: datetime
    rules: ActiveSet


class Judge:
    """The rules as ingest applies them: cheap for a reading in its limits, thorough for one beyond.

    Holds a copy of every rule, refreshed by ``reload``. It remembers no readings: a decision looks them up, so
    that restarts and several processes agree.
    """

    def __init__(self) -> None:
        self.book = RuleBook(DEFAULTS)
        self._profiles: dict[UUID, UUID] = {}
        self._found: dict[UUID, tuple[Bound, ActiveSet]] = {}

    async def reload(self, database: Database) -> None:
        """Read all rules and the residents' attributes."""
        async with database.engine.connect() as connection:
            book = await repository.read_book(connection, DEFAULTS)
            profiles = await queries.terminals_with_profiles(connection, book.by_profile)
        self.book, self._profiles, self._found = book, dict(profiles), {}

    def rules_for(self, bound: Bound) -> ActiveSet:
        """What counts for the resident who wears a terminal; ``row`` asks again when the terminal has changed."""
        assert bound.resident_id is not None  # noqa: S101  asked only for terminals that somebody wears
        profile = self._profiles.get(bound.terminal_id)
        near = () if profile is None else (profile,)
        _, rules = self.book.look_up(bound.resident_id, bound.centre_id, bound.area_code, near)
        self._found[bound.terminal_id] = (bound, rules)
        return rules

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
        """The row to store for one value, and the breach to look into, if it may be one."""
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
        known = self._found.get(bound.terminal_id)
        rules = known[1] if known is not None and known[0] is bound else self.rules_for(bound)
        gate = rules.gates.get(kind)
        if gate is None or gate[0] < value < gate[1] or at < received_at - _STALE:
            return row, None
        return row, Breach(bound, kind, value, at, received_at, rules)


async def keep_fresh(database: Database, judge: Judge) -> None:
    """Reload the rules when one is changed, and now and then; while the database is away the old copy serves."""
    doorbell = Doorbell(database.url, RULES_CHANNEL)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(doorbell.listen_forever())
        while True:
            await doorbell.wait(REFRESH_SECONDS)
            with contextlib.suppress(*DATABASE_AWAY):
                await judge.reload(database)


async def take_readings(
    work: Work,
    rows: Sequence[ReadingRow],
    breaches: Sequence[Breach],
    shifts: Mapping[tuple[UUID, int], timedelta] = NO_SHIFTS,
) -> None:
    """Store a batch and raise what its breaches call for, in one transaction; ``shifts`` as ``store_readings``."""
    if await store_readings(work, rows, shifts) and breaches:
        await judge_breaches(work, breaches)


@dataclass(slots=True)
class _Question:
    """What is to be decided about one resident by one rule, with the first and the last reading in question."""

    rule: ActiveRule
    bound: Bound
    first: datetime
    last: datetime
    received_at: datetime


async def judge_breaches(work: Work, breaches: Sequence[Breach]) -> None:
    """Decide by what is stored, one process at a time for a resident; late readings are judged in their place."""
    questions = _questions(breaches)
    if not questions:
        return
    residents = {resident_id for resident_id, _, _ in questions}
    await queries.lock_residents(work, residents)
    oldest = min(q.first - max(q.rule.definition.rearm, timedelta(hours=1)) for q in questions.values())
    alerts = {q.rule.definition.alert.value for q in questions.values()}
    known = await queries.raised_since(work, residents, alerts, oldest)
    windows = await queries.maintained(work, residents, {q.bound.terminal_id for q in questions.values()}, oldest)
    silenced = await queries.silenced_since(work, [w.id for w in windows], oldest) if windows else {}
    for question, found in await _decide(work, questions.values(), known, windows, silenced):
        await _tell(work, question, found, windows)


def _questions(breaches: Sequence[Breach]) -> dict[tuple[UUID, str, str], _Question]:
    """One question a resident and rule, the widest stretch of time of the batch."""
    found: dict[tuple[UUID, str, str], _Question] = {}
    for breach in breaches:
        resident_id = breach.bound.resident_id
        assert resident_id is not None  # noqa: S101  Judge.row makes no breach without a resident
        for rule in _concerned(breach):
            key = (resident_id, *rule.definition.key)
            question = found.get(key)
            if question is None:
                found[key] = _Question(rule, breach.bound, breach.at, breach.at, breach.received_at)
            else:
                question.first = min(question.first, breach.at)
                if breach.at >= question.last:
                    question.last, question.bound = breach.at, breach.bound
    return found


def _concerned(breach: Breach) -> Iterator[ActiveRule]:
    """The rules that this very value may have to do with; what scores in NEWS2 is mostly within every limit."""
    for rule in breach.rules.by_kind.get(breach.kind, ()):
        low, high = rule.gate()
        if not low < breach.value < high:
            yield rule
    if breach.kind not in SCORED:
        return
    for rule in breach.rules.scores:
        low, high = CHART.parameter(breach.kind, scale_2=rule.scale_2).calm()
        if not low < breach.value < high:
            yield rule


async def _decide(
    work: Work,
    questions: Iterable[_Question],
    known: Known,
    windows: Sequence[Window],
    silenced: Known,
) -> list[tuple[_Question, Raised]]:
    """Every new alarm. What maintenance swallowed counts as told while it lasts, and no longer."""
    asked = [question for question in questions if not _is_told(question, known)]
    asks = [ask for question in asked for ask in _asks(question)]
    answers = iter(await queries.series(work, asks))
    found: list[tuple[_Question, Raised]] = []
    for question in asked:
        rule, resident_id = question.rule, question.bound.resident_id
        assert resident_id is not None  # noqa: S101  see _questions
        key = (resident_id, rule.definition.alert.value)
        earlier = known.setdefault(key, [])
        told = list(earlier)
        if any(window.covers(resident_id, question.bound.terminal_id, question.last) for window in windows):
            told += silenced.setdefault(key, [])
        if rule.definition.condition.several_kinds:
            readings = {kind: next(answers) for kind in KINDS}
            new = decide_score(rule, readings, told, question.first)
        else:
            new = decide(rule, next(answers), told, question.first)
        earlier += new
        found += [(question, one) for one in new]
    return found


def _is_told(question: _Question, known: Known) -> bool:
    """Whether a score can bring nothing new: its gravest level was raised less than the re-arm time ago.

    A score has no recovery, and its parts hover about the limits of the chart: worth not looking them up.
    """
    rule, resident_id = question.rule, question.bound.resident_id
    if resident_id is None or not rule.definition.condition.several_kinds:
        return False
    return any(
        one.severity >= rule.levels[0].severity
        and one.at <= question.first
        and question.last < one.at + rule.definition.rearm
        for one in known.get((resident_id, rule.definition.alert.value), ())
    )


def _asks(question: _Question) -> list[Ask]:
    """The readings that a decision needs: its past, and what was measured later but came before."""
    rule, resident_id = question.rule, question.bound.resident_id
    assert resident_id is not None  # noqa: S101  see _questions
    if rule.definition.condition.several_kinds:
        fresh = CHART.fresh
        first, last = question.first, question.last
        return [Ask(resident_id, kind, first - fresh[kind], last + fresh[kind], first) for kind in KINDS]
    start = question.first - max(rule.look_back, rule.definition.rearm)
    return [Ask(resident_id, rule.kind, start, question.last + rule.look_back)]


async def _tell(work: Work, question: _Question, found: Raised, windows: Sequence[Window]) -> None:
    """Raise the alert; during maintenance only write down that it would have been raised."""
    rule, bound = question.rule, question.bound
    window = next((w for w in windows if w.covers(bound.resident_id, bound.terminal_id, found.at)), None)
    if window is not None:
        await silence(work, window.id, bound, rule, found)
        return
    await raise_alarm(work, alarm_of(rule, bound, found, question.received_at, found.at.isoformat()))


def alarm_of(rule: ActiveRule, bound: Bound, found: Raised, received_at: datetime, mark: str) -> AlarmFacts:
    """What the desk is shown: which rule, of which layer and version, how grave, and what to do first.

    A home reading is a reason to ask: confirm, then call, then send somebody. It is never a diagnosis.
    """
    definition = rule.definition
    detail: dict[str, Any] = {
        "rule": definition.code,
        "kind": definition.kind,
        "condition": definition.condition.type,
        "layer": rule.layer.value,
        "version": rule.version,
        "severity": found.severity,
        "side": found.side,
        "source": definition.source,
        "protocol": list(DEFAULTS.protocol),
    }
    if found.score is not None:
        detail |= {
            "score": "NEWS2",
            "complete": found.score.complete,
            "lower_bound": found.score.total,
            "parts": dict(found.score.parts),
            "missing": list(found.score.missing),
        }
    return AlarmFacts(
        bound=bound,
        alarm_id=f"{BREACH_PREFIX}{definition.kind}:{definition.code}:{mark}",
        kind=AlertKind(definition.alert),
        pressed_at=found.at,
        received_at=received_at,
        detail=detail,
        severity=Severity(found.severity),
    )


async def silence(work: Work, maintenance_id: UUID, bound: Bound, rule: ActiveRule, found: Raised) -> None:
    """Write down an alarm that maintenance keeps back."""
    values = {
        "maintenance_id": maintenance_id,
        "resident_id": bound.resident_id,
        "area_code": bound.area_code,
        "alert": rule.definition.alert.value,
        "kind": rule.definition.kind,
        "code": rule.definition.code,
        "severity": found.severity,
        "side": found.side,
        "at": found.at,
    }
    await queries.silence(work, values)


def only_good(kind: str, points: Iterable[tuple[datetime, float]]) -> list[Measured]:
    """Readings that are measurements, for whoever judges a recording and not the table."""
    return [Measured(at, value) for at, value in points if quality_of(kind, value) is Quality.GOOD]
