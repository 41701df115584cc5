"""SQL about terminals."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from services.core.actor import Actor
from services.core.database import Work
from services.terminals.models import Terminal, TerminalState
from services.terminals.states import TerminalStatus


class Bound(NamedTuple):
    """What ingest must know of a terminal: whose it is and where its alarms go."""

    terminal_id: UUID
    resident_id: UUID | None
    centre_id: UUID
    area_code: str
    version: int
    codec: str = "native_json"
    bound_since: datetime | None = None


_AT_ONCE = 500
_HEARD = (TerminalStatus.PROVISIONED.value, TerminalStatus.BOUND.value)
_ALL_BOUND = text(
    "SELECT id, resident_id, centre_id, area_code, version FROM terminal WHERE status = ANY (:heard)"
)
_ONE_BOUND = text(
    "SELECT id, resident_id, centre_id, area_code, version FROM terminal WHERE status = ANY (:heard) AND id = :id"
)
_STATES = text(
    """
    INSERT INTO terminal_state
        (terminal_id, area_code, is_online, seen_at, battery_percent, signal_dbm, firmware)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:areas AS text[]), CAST(:online AS bool[]),
        CAST(:seen AS timestamptz[]), CAST(:battery AS int[]), CAST(:signal AS int[]),
        CAST(:firmware AS text[]))
    ON CONFLICT (terminal_id) DO UPDATE SET
        is_online = excluded.is_online, seen_at = excluded.seen_at, area_code = excluded.area_code,
        battery_percent = coalesce(excluded.battery_percent, terminal_state.battery_percent),
        signal_dbm = coalesce(excluded.signal_dbm, terminal_state.signal_dbm),
        firmware = coalesce(excluded.firmware, terminal_state.firmware)
    """
)
_STATES_WAS = text(
    "SELECT terminal_id, is_online FROM terminal_state WHERE terminal_id = ANY (CAST(:ids AS uuid[]))"
)


async def all_bound(connection: AsyncConnection) -> AsyncIterator[Sequence[Bound]]:
    """Every terminal that may send, some hundred at a time: an alarm must not wait for a long list."""
    rows = await connection.stream(_ALL_BOUND, {"heard": list(_HEARD)})
    async for part in rows.partitions(_AT_ONCE):
        yield [Bound(*row) for row in part]


async def one_bound(connection: AsyncConnection, terminal_id: UUID) -> Bound | None:
    """One terminal, if it may send."""
    row = (await connection.execute(_ONE_BOUND, {"heard": list(_HEARD), "id": terminal_id})).one_or_none()
    return None if row is None else Bound(*row)


def _scoped(actor: Actor) -> Any:
    statement = select(Terminal).where(col(Terminal.area_code).startswith(actor.area_code))
    if actor.resident_ids is not None:
        statement = statement.where(col(Terminal.resident_id).in_(actor.resident_ids))
    return statement


async def find_terminal(work: Work, terminal_id: UUID) -> tuple[Terminal, TerminalState | None] | None:
    """One terminal in scope with the last word heard of it."""
    terminal = (await work.session.exec(_scoped(work.actor).where(Terminal.id == terminal_id))).one_or_none()
    if terminal is None:
        return None
    return terminal, await work.session.get(TerminalState, terminal_id)


async def list_terminals(
    work: Work, limit: int, cursor: UUID | None
) -> Sequence[tuple[Terminal, TerminalState | None]]:
    """Terminals in scope, newest key first."""
    statement = _scoped(work.actor).order_by(col(Terminal.id).desc()).limit(limit)
    if cursor is not None:
        statement = statement.where(Terminal.id < cursor)
    terminals = (await work.session.exec(statement)).all()
    ids = [terminal.id for terminal in terminals]
    states = await work.session.exec(select(TerminalState).where(col(TerminalState.terminal_id).in_(ids)))
    by_id = {state.terminal_id: state for state in states}
    return [(terminal, by_id.get(terminal.id)) for terminal in terminals]


class Heard(NamedTuple):
    """The newest status of one terminal in a batch."""

    bound: Bound
    is_online: bool
    seen_at: datetime
    battery_percent: int | None
    signal_dbm: int | None
    firmware: str | None


async def save_states(work: Work, heard: Sequence[Heard]) -> set[UUID]:
    """Store what was heard, one row a terminal; gives those that went on- or offline by it."""
    ids = [h.bound.terminal_id for h in heard]
    known = {row[0]: row[1] for row in await work.sql(_STATES_WAS, {"ids": ids})}
    await work.sql(
        _STATES,
        {
            "ids": ids,
            "areas": [h.bound.area_code for h in heard],
            "online": [h.is_online for h in heard],
            "seen": [h.seen_at for h in heard],
            "battery": [h.battery_percent for h in heard],
            "signal": [h.signal_dbm for h in heard],
            "firmware": [h.firmware for h in heard],
        },
    )
    return {h.bound.terminal_id for h in heard if known.get(h.bound.terminal_id) != h.is_online}
