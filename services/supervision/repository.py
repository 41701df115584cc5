"""SQL about faults of terminals and about when to look for them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, RowMapping, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select

from services.core.database import Work
from services.core.scope import within
from services.identity.models import Account
from services.supervision.faults import Memory, Stream
from services.supervision.models import FaultKind, TerminalFault
from services.supervision.states import LIVE, FaultStatus
from services.terminals.models import TerminalWatch
from services.vitals.kinds import Quality, ReadingKind

_ENROL: Final = text(
    "INSERT INTO terminal_watch (terminal_id, area_code, next_check_at, memory)"
    " SELECT t.id, t.area_code, :now, '{}' FROM terminal t"
    " WHERE t.status = 'bound' AND NOT EXISTS (SELECT FROM terminal_watch w WHERE w.terminal_id = t.id)"
    " ORDER BY t.id LIMIT :limit ON CONFLICT DO NOTHING"
)
# Rows are held while they are judged, so that two workers never open the same fault.
_DUE: Final = text(
    """
    SELECT w.terminal_id, w.went_away_at, w.memory, t.status, t.resident_id, t.centre_id, t.area_code,
        p.heartbeat_seconds, p.inactivity_seconds, p.battery_low_percent, p.signal_weak_dbm, p.is_life_safety,
        s.is_online, s.seen_at, s.greeted_at, s.battery_percent, s.signal_dbm, s.tamper, s.sensors,
        (SELECT max(b.bound_at) FROM terminal_binding b
            WHERE b.terminal_id = w.terminal_id AND b.unbound_at IS NULL) AS bound_at,
        (SELECT max(o.received_at) FROM alert_occurrence o
            WHERE o.terminal_id = w.terminal_id AND o.alarm_id NOT LIKE 'breach:%') AS alarm_at
    FROM terminal_watch w
    JOIN terminal t ON t.id = w.terminal_id
    JOIN terminal_profile p ON p.id = t.profile_id
    LEFT JOIN terminal_state s ON s.terminal_id = w.terminal_id
    WHERE w.next_check_at <= :now
    ORDER BY w.next_check_at LIMIT :limit FOR UPDATE OF w SKIP LOCKED
    """
).columns(memory=JSONB, sensors=JSONB)
# Two short looks into the key of the readings for each terminal and kind, whatever the length of the history.
_STREAMS: Final = text(
    """
    SELECT t.id, k.kind, newest.received_at, good.received_at
    FROM unnest(CAST(:ids AS uuid[])) AS t(id) CROSS JOIN unnest(CAST(:kinds AS text[])) AS k(kind)
    CROSS JOIN LATERAL (
        SELECT r.received_at FROM reading r
        WHERE r.terminal_id = t.id AND r.kind = k.kind AND r.measured_at > :look_back
        ORDER BY r.measured_at DESC LIMIT 1
    ) newest
    LEFT JOIN LATERAL (
        SELECT r.received_at FROM reading r
        WHERE r.terminal_id = t.id AND r.kind = k.kind AND r.measured_at > :good_since AND r.quality = :good
        ORDER BY r.measured_at DESC LIMIT 1
    ) good ON true
    """
)
_TIMES: Final = text(
    """
    SELECT w.id, w.kind, array_agg(r.measured_at), array_agg(r.received_at)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[])) AS w(id, kind)
    CROSS JOIN LATERAL (
        SELECT measured_at, received_at FROM reading
        WHERE terminal_id = w.id AND kind = w.kind AND measured_at > :look_back
        ORDER BY measured_at DESC LIMIT :limit
    ) r
    GROUP BY w.id, w.kind
    """
)
# The watches are locked in the order of their keys, so that two workers never wait for each other.
_TAKE_HINTS: Final = text(
    """
    WITH taken AS (
        DELETE FROM terminal_hint WHERE id IN
            (SELECT id FROM terminal_hint ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
        RETURNING terminal_id, at, went_away
    ), said AS (
        SELECT terminal_id, max(at) FILTER (WHERE went_away) AS away_at FROM taken GROUP BY terminal_id
    ), held AS (
        SELECT w.terminal_id FROM terminal_watch w WHERE w.terminal_id IN (SELECT terminal_id FROM said)
        ORDER BY w.terminal_id FOR UPDATE
    )
    UPDATE terminal_watch w SET next_check_at = least(w.next_check_at, CAST(:now AS timestamptz)),
        went_away_at = greatest(w.went_away_at, said.away_at)
    FROM said JOIN held USING (terminal_id) WHERE w.terminal_id = said.terminal_id
    """
)
_LOOKED: Final = text(
    """
    UPDATE terminal_watch w
    SET next_check_at = looked.next_check_at, memory = CAST(looked.memory AS jsonb), area_code = looked.area_code
    FROM unnest(CAST(:ids AS uuid[]), CAST(:next AS timestamptz[]), CAST(:memories AS text[]),
        CAST(:areas AS text[])) AS looked(terminal_id, next_check_at, memory, area_code)
    WHERE w.terminal_id = looked.terminal_id
    """
)
_FORGET: Final = text("DELETE FROM terminal_watch WHERE terminal_id = ANY (CAST(:ids AS uuid[]))")
_LISTENING: Final = text(
    "INSERT INTO listening (lane, seat, since, beaten_at) VALUES (:lane, :seat, :since, :now)"
    " ON CONFLICT (lane, seat) DO UPDATE SET since = excluded.since, beaten_at = excluded.beaten_at"
)
# Each seat hears a part of the terminals: whoever is heard by the one that came last was not heard before it came.
_LISTENING_SINCE: Final = text(
    "SELECT CASE WHEN bool_and(since IS NOT NULL AND beaten_at >= :alive) THEN max(since) END"
    " FROM listening WHERE lane = :lane"
)
_OLD_LISTENERS: Final = text("DELETE FROM listening WHERE lane = :lane AND beaten_at < :before")


class Due(NamedTuple):
    """A terminal to be looked at now, its watch locked."""

    row: RowMapping
    memory: Memory


async def enrol(work: Work, limit: int) -> int:
    """Begin to watch terminals that have come into service; gives how many."""
    result: Any = await work.sql(_ENROL, {"now": work.now, "limit": limit})
    return int(result.rowcount)


async def take_hints(work: Work, limit: int) -> None:
    """Bring forward the look at terminals of which something notable was heard."""
    await work.sql(_TAKE_HINTS, {"now": work.now, "limit": limit})


async def due_watches(work: Work, limit: int) -> Sequence[Due]:
    """Terminals whose time has come, with all that one row says about them."""
    rows = (await work.sql(_DUE, {"now": work.now, "limit": limit})).mappings().all()
    return [Due(row, msgspec.convert(row["memory"], Memory)) for row in rows]


async def streams(
    work: Work, terminal_ids: Sequence[UUID], look_back: timedelta, good_since: timedelta
) -> Mapping[UUID, dict[str, Stream]]:
    """When each kind of reading last arrived from these terminals."""
    values = {
        "ids": list(terminal_ids),
        "kinds": [kind.value for kind in ReadingKind],
        "look_back": work.now - look_back,
        "good_since": work.now - good_since,
        "good": Quality.GOOD.value,
    }
    found: dict[UUID, dict[str, Stream]] = {}
    for terminal_id, kind, any_at, good_at in await work.sql(_STREAMS, values):
        found.setdefault(terminal_id, {})[kind] = Stream(any_at, good_at)
    return found


async def last_times(
    work: Work, wanted: Sequence[tuple[UUID, str]], look_back: timedelta, limit: int
) -> Mapping[tuple[UUID, str], tuple[list[datetime], list[datetime]]]:
    """When the last readings of these kinds of these terminals were measured, and when they arrived."""
    values = {
        "ids": [terminal_id for terminal_id, _ in wanted],
        "kinds": [kind for _, kind in wanted],
        "look_back": work.now - look_back,
        "limit": limit,
    }
    return {(row[0], row[1]): (row[2], row[3]) for row in await work.sql(_TIMES, values)}


async def save_looks(work: Work, looks: Sequence[tuple[UUID, datetime, Memory, str]]) -> None:
    """Store when each is looked at next, and what is remembered until then."""
    await work.sql(
        _LOOKED,
        {
            "ids": [look[0] for look in looks],
            "next": [look[1] for look in looks],
            "memories": [msgspec.json.encode(look[2]).decode() for look in looks],
            "areas": [look[3] for look in looks],
        },
    )


async def forget_watches(work: Work, terminal_ids: Sequence[UUID]) -> None:
    """Stop watching."""
    await work.sql(_FORGET, {"ids": list(terminal_ids)})


async def lock_watch(work: Work, terminal_id: UUID) -> TerminalWatch | None:
    """A terminal's watch, locked: before its faults, as the worker does it."""
    statement = select(TerminalWatch).where(TerminalWatch.terminal_id == terminal_id).with_for_update()
    return (await work.session.exec(statement)).one_or_none()


async def live_faults(work: Work, terminal_ids: Sequence[UUID]) -> Sequence[TerminalFault]:
    """Live faults of these terminals, locked."""
    statement = (
        select(TerminalFault)
        .where(col(TerminalFault.terminal_id).in_(terminal_ids), col(TerminalFault.status).in_(LIVE))
        .order_by(col(TerminalFault.id))
        .with_for_update()
    )
    return (await work.session.exec(statement)).all()


def _scoped(work: Work) -> Any:
    walls = within(work.actor, TerminalFault.area_code, TerminalFault.resident_id)
    return select(TerminalFault).where(*walls)


async def find_fault(work: Work, fault_id: UUID) -> TerminalFault | None:
    """One fault in scope."""
    found: TerminalFault | None = (
        await work.session.exec(_scoped(work).where(TerminalFault.id == fault_id))
    ).one_or_none()
    return found


async def lock_fault(work: Work, fault_id: UUID) -> TerminalFault | None:
    """One fault in scope, locked and as it stands now."""
    statement = (
        _scoped(work)
        .where(TerminalFault.id == fault_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found: TerminalFault | None = (await work.session.exec(statement)).one_or_none()
    return found


async def list_faults(
    work: Work, centre_id: UUID, statuses: Sequence[FaultStatus], limit: int, cursor: UUID | None
) -> Sequence[TerminalFault]:
    """Faults of a centre in scope, newest first."""
    statement = (
        _scoped(work)
        .where(TerminalFault.centre_id == centre_id, col(TerminalFault.status).in_(statuses))
        .order_by(col(TerminalFault.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(TerminalFault.id < cursor)
    faults: Sequence[TerminalFault] = (await work.session.exec(statement)).all()
    return faults


async def untold(work: Work, kinds: Sequence[FaultKind], of_a_centre: int) -> Sequence[TerminalFault]:
    """Open life-safety faults of which nobody has been told yet, locked; so many of each centre, oldest first."""
    return await _open_life_safety(work, kinds, of_a_centre, col(TerminalFault.told_at).is_(None))


async def untaken(
    work: Work, kinds: Sequence[FaultKind], before: datetime, of_a_centre: int
) -> Sequence[TerminalFault]:
    """Open life-safety faults that were told before a moment and that nobody has taken, in the same way."""
    return await _open_life_safety(work, kinds, of_a_centre, col(TerminalFault.told_at) < before)


async def _open_life_safety(
    work: Work, kinds: Sequence[FaultKind], of_a_centre: int, condition: ColumnElement[bool]
) -> Sequence[TerminalFault]:
    wanted = (
        TerminalFault.status == FaultStatus.OPEN,
        col(TerminalFault.is_life_safety),
        col(TerminalFault.escalated_at).is_(None),
        col(TerminalFault.kind).in_(kinds),
        condition,
    )
    # Counted by centre: one where nobody is on duty keeps its faults, and must not stand before the others'.
    place = func.row_number().over(
        partition_by=col(TerminalFault.centre_id), order_by=col(TerminalFault.opened_at)
    )
    first = select(TerminalFault.id, place.label("place")).where(*wanted).subquery()
    statement = (
        select(TerminalFault)
        .join(first, col(TerminalFault.id) == first.c.id)
        .where(first.c.place <= of_a_centre, *wanted)  # asked again of a row that was locked meanwhile
        .order_by(col(TerminalFault.opened_at))
        .with_for_update(of=TerminalFault, skip_locked=True)
    )
    return (await work.session.exec(statement)).all()


async def colleague(work: Work, account_id: UUID, centre_id: UUID) -> Account | None:
    """An account of the centre's own staff that is in use."""
    statement = select(Account).where(
        Account.id == account_id, Account.centre_id == centre_id, col(Account.disabled_at).is_(None)
    )
    return (await work.session.exec(statement)).one_or_none()


async def save_listening(work: Work, lane: str, seat: str, since: datetime | None) -> None:
    """A session's word on whether it listens, and since when."""
    await work.sql(_LISTENING, {"lane": lane, "seat": seat, "since": since, "now": work.now})


async def listening_since(work: Work, lane: str, alive: datetime) -> datetime | None:
    """Since when every seat of a lane has been listening without interruption; ``None`` while one is not."""
    found: datetime | None = (await work.sql(_LISTENING_SINCE, {"lane": lane, "alive": alive})).scalar_one()
    return found


async def forget_listeners(work: Work, lane: str, before: datetime) -> None:
    """Drop seats that are long gone."""
    await work.sql(_OLD_LISTENERS, {"lane": lane, "before": before})
