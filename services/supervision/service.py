"""The verbs of supervision: look at terminals that would be late, take a fault, clear it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping

from services.audit.service import record_read
from services.centres.service import centre_in_reach
from services.core.database import Work
from services.core.errors import NotFound
from services.core.versions import expect_version
from services.events import TerminalFaultMoved
from services.supervision import repository
from services.supervision.errors import FaultEnded
from services.supervision.faults import Facts, FaultKey, Memory, Stream, examine
from services.supervision.figures import FIGURES, Figures
from services.supervision.listening import listening_since
from services.supervision.models import ClearedBy, FaultKind, TerminalFault
from services.supervision.repository import Due
from services.supervision.rhythm import rhythm_of
from services.supervision.states import FAULT, LIVE, FaultStatus
from services.terminals.states import TerminalStatus

_ENROL_AT_ONCE = 2_000
_HINTS_AT_ONCE = 2_000

Faults = dict[UUID, list[TerminalFault]]
"""Live ones, by terminal."""


async def enrol_watches(work: Work) -> int:
    """Begin to watch terminals that have come into service."""
    return await repository.enrol(work, _ENROL_AT_ONCE)


async def check_terminals(work: Work, limit: int = 200) -> int:
    """Look at terminals that would be late by now; gives how many.

    While nobody listens nobody is judged: they stay due, and are looked at when somebody does.
    """
    since = await listening_since(work)
    if since is None:
        return 0
    await repository.take_hints(work, _HINTS_AT_ONCE)
    due = await repository.due_watches(work, limit)
    if not due:
        return 0
    ids = [one.row["terminal_id"] for one in due]
    streams = await repository.streams(work, ids, FIGURES.look_back, FIGURES.silence_at_most * 1.5)
    faults: Faults = {}
    for fault in await repository.live_faults(work, ids):
        faults.setdefault(fault.terminal_id, []).append(fault)
    await _learn(work, due, streams, faults, FIGURES)
    looks, gone = [], []
    for row, memory in due:
        terminal_id = row["terminal_id"]
        live = _still_theirs(work, row, faults.get(terminal_id, []))
        if row["status"] != TerminalStatus.BOUND:
            gone.append(terminal_id)
            continue
        facts = _facts(row, streams.get(terminal_id, {}), since, work.now)
        keys = {FaultKey(fault.kind, fault.sensor): fault for fault in live}
        found = examine(facts, memory, frozenset(keys), work.now, FIGURES)
        for key in found.opened:
            _open(work, row, key, facts)
        for key in found.cleared:
            _clear(work, keys[key], ClearedBy.RECOVERED, "")
        looks.append((terminal_id, found.next_check_at, found.memory, row["area_code"]))
    if looks:
        await repository.save_looks(work, looks)
    if gone:
        await repository.forget_watches(work, gone)
    return len(due)


def _still_theirs(work: Work, row: RowMapping, faults: Sequence[TerminalFault]) -> list[TerminalFault]:
    """The live faults that still concern the terminal where it now is; the others end."""
    is_here = row["status"] == TerminalStatus.BOUND
    kept = []
    for fault in faults:
        if is_here and fault.resident_id == row["resident_id"]:
            kept.append(fault)
        else:
            _clear(work, fault, ClearedBy.OUT_OF_SERVICE, "")
    return kept


def _facts(row: RowMapping, streams: dict[str, Stream], since: datetime, now: datetime) -> Facts:
    return Facts(
        # A terminal whose binding was never written down is watched from now on.
        bound_at=row["bound_at"] or row["seen_at"] or now,
        listening_since=since,
        heartbeat=_seconds(row["heartbeat_seconds"]),
        inactivity=_seconds(row["inactivity_seconds"]),
        battery_low=row["battery_low_percent"],
        signal_weak=row["signal_weak_dbm"],
        is_online=row["is_online"],
        state_at=row["seen_at"],
        greeted_at=row["greeted_at"],
        went_away_at=row["went_away_at"],
        alarm_at=row["alarm_at"],
        battery=row["battery_percent"],
        signal=row["signal_dbm"],
        tamper=row["tamper"],
        sensors=row["sensors"] or {},
        streams=streams,
    )


def _seconds(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


async def _learn(
    work: Work, due: Sequence[Due], streams: Mapping[UUID, dict[str, Stream]], faults: Faults, figures: Figures
) -> None:
    """Read the rhythm of each kind of reading now and then; a kind with a live fault keeps the one it had.

    What whoever wore the terminal before was used to is forgotten.
    """
    wanted: list[tuple[UUID, str]] = []
    for row, memory in due:
        learnt_at, bound_at = memory.learnt_at, row["bound_at"]
        is_new = learnt_at is None or (bound_at is not None and learnt_at < bound_at)
        if not is_new and learnt_at is not None and work.now < learnt_at + figures.relearn:
            continue
        terminal_id = row["terminal_id"]
        faulty = {f.sensor for f in faults.get(terminal_id, []) if f.kind is FaultKind.SENSOR_OFF and not is_new}
        memory.rhythms = {kind: rhythm for kind, rhythm in memory.rhythms.items() if kind in faulty}
        memory.learnt_at = work.now
        wanted += [(terminal_id, kind) for kind in streams.get(terminal_id, {}).keys() - faulty]
    if not wanted:
        return
    times = await repository.last_times(work, wanted, figures.look_back, figures.rhythm_readings)
    for row, memory in due:
        for kind in streams.get(row["terminal_id"], {}):
            measured, received = times.get((row["terminal_id"], kind), ([], []))
            since = row["bound_at"] or datetime.min.replace(tzinfo=UTC)
            rhythm = rhythm_of(
                [at for at in measured if at >= since], [at for at in received if at >= since], figures.rhythm
            )
            if rhythm is not None:
                memory.rhythms[kind] = rhythm


def _open(work: Work, row: RowMapping, key: FaultKey, facts: Facts) -> None:
    fault = TerminalFault(
        terminal_id=row["terminal_id"],
        resident_id=row["resident_id"],
        centre_id=row["centre_id"],
        area_code=row["area_code"],
        kind=key.kind,
        sensor=key.sensor,
        is_life_safety=row["is_life_safety"],
        opened_at=work.now,
        last_heard_at=facts.heard_at,
        status=FaultStatus.OPEN,
    )
    work.session.add(fault)
    FAULT.begin(work, fault)
    _announce(work, fault)


def _clear(work: Work, fault: TerminalFault, by: ClearedBy, note: str) -> None:
    fault.cleared_at, fault.cleared_by = work.now, by
    fault.note = note or fault.note
    FAULT.move(work, fault, FaultStatus.CLEARED, str(by))
    _announce(work, fault)


def _announce(work: Work, fault: TerminalFault) -> None:
    work.record(
        TerminalFaultMoved(
            area_code=fault.area_code,
            centre_id=fault.centre_id,
            fault_id=fault.id,
            terminal_id=fault.terminal_id,
            kind=str(fault.kind),
            sensor=fault.sensor or None,
            is_life_safety=fault.is_life_safety,
            status=str(fault.status),
        )
    )


async def list_faults(
    work: Work, centre_id: UUID, statuses: Sequence[FaultStatus], limit: int, cursor: UUID | None
) -> Sequence[TerminalFault]:
    """A centre's faults, newest first, the live ones unless others are asked for; ``NotFound`` out of reach."""
    centre = await centre_in_reach(work, centre_id)
    faults = await repository.list_faults(work, centre.id, statuses or LIVE, limit, cursor)
    await record_read(
        work, {f.resident_id for f in faults if f.resident_id}, "terminal.faults", ["kind", "status"]
    )
    return faults


async def assign_fault(work: Work, fault_id: UUID, account_id: UUID | None, if_match: int | None) -> TerminalFault:
    """Take a fault, or give it to a colleague of its centre.

    Raises ``NotFound`` (also for a colleague who is not one), ``FaultEnded``, ``VersionMismatch``.
    """
    fault = await _locked(work, fault_id, if_match)
    taker = account_id or work.actor.account_id
    if taker is None or (
        taker != work.actor.account_id and await repository.colleague(work, taker, fault.centre_id) is None
    ):
        raise NotFound
    if fault.assigned_account_id == taker:
        return fault
    fault.assigned_account_id, fault.assigned_at = taker, work.now
    FAULT.move(work, fault, FaultStatus.ASSIGNED)
    _announce(work, fault)
    return fault


async def clear_fault(work: Work, fault_id: UUID, note: str, if_match: int | None) -> TerminalFault:
    """End a fault by hand, with the reason.

    If it still is so, it is not opened again before it has been right in between, or for some days (``excused``
    in ``data/supervision.json``). Raises ``NotFound``, ``FaultEnded``, ``VersionMismatch``.
    """
    found = await repository.find_fault(work, fault_id)
    if found is None:
        raise NotFound
    watch = await repository.lock_watch(work, found.terminal_id)
    fault = await _locked(work, fault_id, if_match)
    _clear(work, fault, ClearedBy.PERSON, note)
    if watch is not None:
        memory = msgspec.convert(watch.memory, Memory)
        memory.excused[FaultKey(fault.kind, fault.sensor).name] = work.now
        watch.memory = msgspec.to_builtins(memory)
    return fault


async def _locked(work: Work, fault_id: UUID, if_match: int | None) -> TerminalFault:
    fault = await repository.lock_fault(work, fault_id)
    if fault is None:
        raise NotFound
    expect_version(fault, if_match)
    if fault.status not in LIVE:
        raise FaultEnded(current=str(fault.status))
    return fault
