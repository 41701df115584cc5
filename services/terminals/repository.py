"""SQL about terminals."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.centres.models import Centre
from services.core.actor import Actor
from services.core.database import Work
from services.core.scope import within
from services.terminals.clocks import ClockOffset
from services.terminals.commands.models import CommandAnswer
from services.terminals.models import Terminal, TerminalKind, TerminalProfile, TerminalState
from services.terminals.states import ACTIVE, TerminalStatus


class Bound(NamedTuple):
    """What ingest must know of a terminal: whose it is and where its alarms go.

    It is so since ``bound_since`` (bound to this resident, or to nobody); what is older may be another's, and
    ``None`` means that it never was anybody else's. ``by_hand``: there is no terminal; ``terminal_id`` is what the
    message came from otherwise, a measurement at a visit or the caregiver who pressed.
    """

    terminal_id: UUID
    resident_id: UUID | None
    centre_id: UUID
    area_code: str
    version: int
    codec: str = "native_json"
    bound_since: datetime | None = None
    heartbeat_seconds: int | None = None
    clock_offset_seconds: float | None = None
    clock_measured_at: datetime | None = None
    by_hand: bool = False

    @property
    def clock(self) -> ClockOffset | None:
        """How wrong its clock was when that was last measured; ``None``: it never said a time."""
        if self.clock_offset_seconds is None or self.clock_measured_at is None:
            return None
        return ClockOffset(self.clock_offset_seconds, self.clock_measured_at)

    def with_clock(self, clock: ClockOffset | None) -> "Bound":
        """The same with what was measured meanwhile."""
        if clock is None:
            return self
        return self._replace(clock_offset_seconds=clock.seconds, clock_measured_at=clock.measured_at)


_AT_ONCE = 500
_HEARD = tuple(status.value for status in ACTIVE)
_ALL_BOUND = text(
    """
    SELECT t.id, t.resident_id, t.centre_id, t.area_code, t.version, p.codec, b.since, p.heartbeat_seconds,
        s.clock_offset_seconds, s.clock_measured_at
    FROM terminal t
    JOIN terminal_profile p ON p.id = t.profile_id
    LEFT JOIN terminal_state s ON s.terminal_id = t.id
    LEFT JOIN (
        SELECT terminal_id, max(coalesce(unbound_at, bound_at)) AS since FROM terminal_binding GROUP BY terminal_id
    ) b ON b.terminal_id = t.id
    WHERE t.status = ANY (:heard)
    """
)
_SOME_BOUND = text(
    """
    SELECT t.id, t.resident_id, t.centre_id, t.area_code, t.version, p.codec,
        (SELECT max(coalesce(unbound_at, bound_at)) FROM terminal_binding WHERE terminal_id = t.id),
        p.heartbeat_seconds, s.clock_offset_seconds, s.clock_measured_at
    FROM terminal t
    JOIN terminal_profile p ON p.id = t.profile_id
    LEFT JOIN terminal_state s ON s.terminal_id = t.id
    WHERE t.status = ANY (:heard) AND t.id = ANY (CAST(:ids AS uuid[]))
    """
)
_STATES = text(
    """
    INSERT INTO terminal_state
        (terminal_id, area_code, is_online, seen_at, battery_percent, signal_dbm, firmware, tamper, sensors,
            greeted_at, clock_offset_seconds, clock_measured_at)
    SELECT *, CASE WHEN heard.clock_offset IS NOT NULL THEN heard.seen_at END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:areas AS text[]), CAST(:online AS bool[]),
        CAST(:seen AS timestamptz[]), CAST(:battery AS int[]), CAST(:signal AS int[]),
        CAST(:firmware AS text[]), CAST(:tamper AS bool[]), CAST(CAST(:sensors AS text[]) AS jsonb[]),
        CAST(:greeted AS timestamptz[]), CAST(:clock_offsets AS float8[]))
        AS heard(terminal_id, area_code, is_online, seen_at, battery, signal, firmware, tamper, sensors,
            greeted_at, clock_offset)
    ON CONFLICT (terminal_id) DO UPDATE SET
        is_online = excluded.is_online, seen_at = excluded.seen_at, area_code = excluded.area_code,
        battery_percent = coalesce(excluded.battery_percent, terminal_state.battery_percent),
        signal_dbm = coalesce(excluded.signal_dbm, terminal_state.signal_dbm),
        firmware = coalesce(excluded.firmware, terminal_state.firmware),
        tamper = coalesce(excluded.tamper, terminal_state.tamper),
        sensors = coalesce(excluded.sensors, terminal_state.sensors),
        greeted_at = coalesce(excluded.greeted_at, terminal_state.greeted_at),
        clock_offset_seconds = coalesce(excluded.clock_offset_seconds, terminal_state.clock_offset_seconds),
        clock_measured_at = coalesce(excluded.clock_measured_at, terminal_state.clock_measured_at)
    """
)
_STATES_WAS = text(
    "SELECT terminal_id, is_online, tamper, sensors FROM terminal_state"
    " WHERE terminal_id = ANY (CAST(:ids AS uuid[]))"
).columns(sensors=JSONB)
# Only ever added here: the worker holds the watches while it looks, and no message waits for that.
_LEAVE_HINTS = text(
    "INSERT INTO terminal_hint (terminal_id, at, went_away)"
    " SELECT id, :now, id = ANY (CAST(:away AS uuid[])) FROM unnest(CAST(:notable AS uuid[])) AS id"
)


async def all_bound(connection: AsyncConnection) -> AsyncIterator[Sequence[Bound]]:
    """Every terminal that may send, some hundred at a time: an alarm must not wait for a long list."""
    rows = await connection.stream(_ALL_BOUND, {"heard": list(_HEARD)})
    async for part in rows.partitions(_AT_ONCE):
        yield [Bound(*row) for row in part]


async def one_bound(connection: AsyncConnection, terminal_id: UUID) -> Bound | None:
    """One terminal, if it may send."""
    return (await some_bound(connection, [terminal_id])).get(terminal_id)


async def some_bound(connection: AsyncConnection, terminal_ids: Collection[UUID]) -> dict[UUID, Bound]:
    """Those of these terminals that may send, as they are now."""
    rows = await connection.execute(_SOME_BOUND, {"heard": list(_HEARD), "ids": list(terminal_ids)})
    return {row[0]: Bound(*row) for row in rows}


async def all_profiles(work: Work) -> Sequence[TerminalProfile]:
    """Every profile, by code. They are reference data: no scope."""
    return (await work.session.exec(select(TerminalProfile).order_by(col(TerminalProfile.code)))).all()


async def find_profile(work: Work, profile_id: UUID, *, lock: bool = False) -> TerminalProfile | None:
    """One profile."""
    statement = select(TerminalProfile).where(TerminalProfile.id == profile_id)
    return (await work.session.exec(statement.with_for_update() if lock else statement)).one_or_none()


async def add_profile(work: Work, profile: TerminalProfile) -> bool:
    """Store a new profile; whether its code was free."""
    statement = insert(TerminalProfile).values(**profile.model_dump()).on_conflict_do_nothing()
    return (await work.sql(statement)).rowcount == 1


async def profile_by_key(work: Work, provision_key: str) -> TerminalProfile | None:
    """The profile whose terminals present this key."""
    statement = select(TerminalProfile).where(TerminalProfile.provision_key == provision_key)
    return (await work.session.exec(statement)).one_or_none()


def _scoped(actor: Actor) -> SelectOfScalar[Terminal]:
    return select(Terminal).where(*within(actor, Terminal.area_code, Terminal.resident_id))


async def find_terminal(work: Work, terminal_id: UUID) -> tuple[Terminal, TerminalState | None] | None:
    """One terminal in scope with the last word heard of it."""
    terminal = (await work.session.exec(_scoped(work.actor).where(Terminal.id == terminal_id))).one_or_none()
    if terminal is None:
        return None
    return terminal, await work.session.get(TerminalState, terminal_id)


async def lock_terminal(work: Work, terminal_id: UUID) -> Terminal | None:
    """One terminal in scope, locked for a change."""
    statement = _scoped(work.actor).where(Terminal.id == terminal_id).with_for_update()
    return (await work.session.exec(statement)).one_or_none()


async def lock_serial(work: Work, serial: str) -> Terminal | None:
    """The terminal with this serial, in scope, locked for a change."""
    statement = _scoped(work.actor).where(Terminal.serial == serial).with_for_update()
    return (await work.session.exec(statement)).one_or_none()


async def add_to_stock(work: Work, serial: str, profile: TerminalProfile, centre: Centre) -> Terminal | None:
    """A new terminal on a centre's shelf; ``None`` when the serial is taken, by whomever."""
    terminal = Terminal(
        serial=serial,
        kind=profile.kind,
        profile_id=profile.id,
        status=TerminalStatus.STOCK,
        area_code=centre.area_code,
        centre_id=centre.id,
    )
    values = terminal.model_dump()
    statement = insert(Terminal).values(**values).on_conflict_do_nothing().returning(col(Terminal.id))
    if (await work.sql(statement)).one_or_none() is None:
        return None
    return await lock_terminal(work, terminal.id)


@dataclass(frozen=True, slots=True)
class TerminalFilter:
    """Which terminals a list shows; ``None`` is any."""

    status: TerminalStatus | None = None
    kind: TerminalKind | None = None
    profile_id: UUID | None = None
    centre_id: UUID | None = None
    resident_id: UUID | None = None
    serial: str | None = None  # a part of it


async def list_terminals(
    work: Work, limit: int, cursor: UUID | None, wanted: TerminalFilter | None = None
) -> Sequence[tuple[Terminal, TerminalState | None]]:
    """Terminals in scope, newest key first."""
    statement = _scoped(work.actor).order_by(col(Terminal.id).desc()).limit(limit)
    if cursor is not None:
        statement = statement.where(col(Terminal.id) < cursor)
    for name, value in () if wanted is None else asdict(wanted).items():
        if value is not None:
            column = col(getattr(Terminal, name))
            matches = column.contains(value, autoescape=True) if name == "serial" else column == value
            statement = statement.where(matches)
    terminals = (await work.session.exec(statement)).all()
    ids = [terminal.id for terminal in terminals]
    states = await work.session.exec(select(TerminalState).where(col(TerminalState.terminal_id).in_(ids)))
    by_id = {state.terminal_id: state for state in states}
    return [(terminal, by_id.get(terminal.id)) for terminal in terminals]


class Heard(NamedTuple):
    """The newest status of one terminal in a batch.

    ``went_away``: it said goodbye, or vanished, at least once in the batch. ``answers`` are to commands.
    ``greeted_at``: when it last said anything but goodbye.
    """

    bound: Bound
    is_online: bool
    seen_at: datetime
    battery_percent: int | None
    signal_dbm: int | None
    firmware: str | None
    tamper: bool | None = None
    sensors: dict[str, str] | None = None
    went_away: bool = False
    answers: tuple[CommandAnswer, ...] = ()
    clock_offset_seconds: float | None = None
    greeted_at: datetime | None = None


class SavedStates(NamedTuple):
    """Who went on- or offline by what was heard, and whom to look at because of it."""

    changed: set[UUID]
    notable: set[UUID]


async def save_states(work: Work, heard: Sequence[Heard]) -> SavedStates:
    """Store what was heard, one row a terminal."""
    ids = [h.bound.terminal_id for h in heard]
    known = {row[0]: tuple(row[1:]) for row in await work.sql(_STATES_WAS, {"ids": ids})}
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
            "tamper": [h.tamper for h in heard],
            "sensors": [None if h.sensors is None else msgspec.json.encode(h.sensors).decode() for h in heard],
            "greeted": [h.greeted_at or (h.seen_at if h.is_online else None) for h in heard],
            "clock_offsets": [h.clock_offset_seconds for h in heard],
        },
    )
    changed, notable = set(), set()
    for h in heard:
        was_online, tamper, sensors = known.get(h.bound.terminal_id, (None, None, None))
        if was_online != h.is_online:
            changed.add(h.bound.terminal_id)
        if h.went_away or h.tamper not in (None, tamper) or h.sensors not in (None, sensors):
            notable.add(h.bound.terminal_id)
    return SavedStates(changed, notable | changed)


async def leave_hints(work: Work, notable: Sequence[UUID], away: Sequence[UUID]) -> None:
    """Have these looked at soon, and tell which of them went away."""
    values = {"notable": list(notable), "away": list(away), "now": work.now}
    await work.sql(_LEAVE_HINTS, values)
