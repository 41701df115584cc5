"""No data is its own alarm, never "normal": the worker looks whether a kind of reading has stayed away."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from services.alerts.service import raise_alarm
from services.core.database import Work
from services.rules import queries, repository
from services.rules.conditions import MissingData
from services.rules.definitions import load_rules
from services.rules.evaluation import ActiveRule, Raised
from services.rules.layers import ActiveSet, RuleBook
from services.rules.repository import DueWatch, Worn
from services.rules.service import alarm_of, silence
from services.terminals.repository import Bound, one_bound

AT_ONCE = 200
LOOK_AGAIN = timedelta(minutes=15)
"""When there is nothing to judge by yet: never a reading, outside the rule's hours, nobody wears a terminal."""

_DEFAULTS = load_rules()


async def plan_watches(work: Work) -> int:
    """One watch for every resident and missing-data rule in force whose kind a worn terminal measures."""
    book = await repository.read_book(await work.session.connection(), _DEFAULTS)
    wanted: dict[tuple[UUID, str, str], tuple[UUID, str, str, str]] = {}
    for resident_id, worn in _by_resident(await repository.all_worn(work)).items():
        measured = frozenset[str]().union(*(terminal.measures for terminal in worn))
        for rule in _rules_of(book, resident_id, worn).missing:
            if rule.kind in measured:
                code = rule.definition.code
                wanted[(resident_id, rule.kind, code)] = (resident_id, worn[0].area_code, rule.kind, code)
    await repository.set_watches(work, list(wanted.values()))
    return len(wanted)


async def judge_due_watches(work: Work) -> int:
    """Look at the watches that are due; each in one transaction with what it raises. Returns how many."""
    due = await repository.due_watches(work, AT_ONCE)
    if not due:
        return 0
    book = await repository.read_book(await work.session.connection(), _DEFAULTS)
    residents = sorted({watch.resident_id for watch in due})
    worn = _by_resident(await repository.worn_by(work, residents))
    for watch in due:
        await _look(work, watch, _rules_of(book, watch.resident_id, worn.get(watch.resident_id, [])))
    return len(due)


def _by_resident(terminals: Iterable[Worn]) -> dict[UUID, list[Worn]]:
    found: dict[UUID, list[Worn]] = {}
    for terminal in terminals:
        found.setdefault(terminal.resident_id, []).append(terminal)
    return found


def _rules_of(book: RuleBook, resident_id: UUID, worn: list[Worn]) -> ActiveSet:
    if not worn:
        return ActiveSet({}, {}, (), ())
    profiles = {terminal.profile_id for terminal in worn}
    return book.look_up(resident_id, worn[0].centre_id, worn[0].area_code, profiles)[1]


async def _look(work: Work, watch: DueWatch, rules: ActiveSet) -> None:
    """Raise what is due, and say when to look again."""
    rule = next((r for r in rules.missing if r.definition.key == (watch.kind, watch.code)), None)
    last = None if rule is None else await repository.last_good(work, watch.resident_id, watch.kind, work.now)
    if rule is None or last is None or not rule.definition.schedule.covers(work.now):
        await repository.postpone(work, watch.id, work.now + LOOK_AGAIN)
        return
    condition = rule.definition.condition
    assert isinstance(condition, MissingData)  # noqa: S101  the only condition by the clock
    last_at, terminal_id = last
    silence_so_far = work.now - last_at
    level = next((lv for lv in rule.levels if condition.silent(lv.limits, silence_so_far)), None)
    steps = [last_at + timedelta(minutes=lv.limits["minutes"]) for lv in rule.levels]
    ahead = [at for at in steps if at > work.now]
    if level is not None:
        found = Raised(work.now, int(level.severity), "missing")
        await _raise(work, watch, rule, found, terminal_id)
        ahead.append(work.now + rule.definition.rearm)
    await repository.postpone(work, watch.id, min(ahead))


async def _raise(work: Work, watch: DueWatch, rule: ActiveRule, found: Raised, terminal_id: UUID) -> None:
    """The alert of the terminal that measured last, unless maintenance keeps it back."""
    bound = await _bound(work, watch, terminal_id)
    if bound is None:
        return
    windows = await queries.maintained(work, [watch.resident_id], [bound.terminal_id], work.now)
    window = next((w for w in windows if w.covers(watch.resident_id, bound.terminal_id, work.now)), None)
    if window is not None:
        await silence(work, window.id, bound, rule, found)
        return
    await raise_alarm(work, alarm_of(rule, bound, found, work.now, work.now.isoformat()))


async def _bound(work: Work, watch: DueWatch, terminal_id: UUID) -> Bound | None:
    """The terminal that measured last, if the resident still wears it, else another of hers."""
    worn = [terminal.terminal_id for terminal in await repository.worn_by(work, [watch.resident_id])]
    for candidate in (terminal_id, *worn):
        if candidate in worn:
            return await one_bound(await work.session.connection(), candidate)
    return None
