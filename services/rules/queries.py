"""What the rules look back on: readings, earlier alarms, maintenance. One statement for many residents."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from services.alerts.service import BREACH_PREFIX
from services.core.database import Work
from services.core.ids import new_id
from services.rules.evaluation import Raised
from services.rules.news2 import CONFIRMED_BY, Measured

ROWS_AT_MOST = 4_000
"""Readings of one kind that a decision fetches at most: at one a second, the last hour."""

ROWS_BEFORE = CONFIRMED_BY + 2
"""Readings of one kind before the first in question that a score needs: those it takes the middle of, and a
neighbour on each side for the artefact gate."""

# In the order of the keys, so that two batches never wait for each other crosswise. A decision about a resident
# whose readings two processes store at once is taken by one after the other, the later one seeing both.
_LOCK = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
_SERIES = text(
    """
    SELECT ask.place, found.measured_at, found.value
    FROM unnest(CAST(:residents AS uuid[]), CAST(:kinds AS text[]), CAST(:starts AS timestamptz[]),
            CAST(:ends AS timestamptz[])) WITH ORDINALITY AS ask(resident_id, kind, starts, ends, place)
        CROSS JOIN LATERAL (
            SELECT measured_at, value FROM reading
            WHERE resident_id = ask.resident_id AND kind = ask.kind AND quality = 'good'
                AND measured_at >= ask.starts AND measured_at <= ask.ends
            ORDER BY measured_at DESC LIMIT CAST(:most AS int)
        ) AS found
    ORDER BY ask.place, found.measured_at
    """
)
_AROUND = text(
    """
    SELECT ask.place, found.measured_at, found.value
    FROM unnest(CAST(:residents AS uuid[]), CAST(:kinds AS text[]), CAST(:starts AS timestamptz[]),
            CAST(:ends AS timestamptz[]), CAST(:sinces AS timestamptz[])) WITH ORDINALITY
            AS ask(resident_id, kind, starts, ends, since, place)
        CROSS JOIN LATERAL (
            (SELECT measured_at, value FROM reading
            WHERE resident_id = ask.resident_id AND kind = ask.kind AND quality = 'good'
                AND measured_at >= ask.starts AND measured_at < ask.since
            ORDER BY measured_at DESC LIMIT CAST(:before AS int))
            UNION ALL
            (SELECT measured_at, value FROM reading
            WHERE resident_id = ask.resident_id AND kind = ask.kind AND quality = 'good'
                AND measured_at >= ask.since AND measured_at <= ask.ends
            ORDER BY measured_at LIMIT CAST(:most AS int))
        ) AS found
    ORDER BY ask.place, found.measured_at
    """
)
_RAISED = text(
    """
    SELECT a.resident_id, a.kind, o.pressed_at, coalesce((o.detail->>'severity')::int, a.severity),
        coalesce(o.detail->>'side', 'high')
    FROM alert a JOIN alert_occurrence o ON o.alert_id = a.id
    WHERE a.resident_id = ANY (CAST(:residents AS uuid[])) AND a.kind = ANY (CAST(:kinds AS text[]))
        AND o.pressed_at > :since AND starts_with(o.alarm_id, :prefix)
    ORDER BY o.pressed_at
    """
)
_MAINTAINED = text(
    """
    SELECT id, resident_id, terminal_id, started_at, least(until_at, coalesce(ended_at, until_at))
    FROM maintenance
    WHERE (resident_id = ANY (CAST(:residents AS uuid[])) OR terminal_id = ANY (CAST(:terminals AS uuid[])))
        AND least(until_at, coalesce(ended_at, until_at)) > :since
    """
)
_SILENCE = text(
    """
    INSERT INTO silenced_alarm
        (id, maintenance_id, resident_id, area_code, alert, kind, code, severity, side, at)
    VALUES (:id, :maintenance_id, :resident_id, :area_code, :alert, :kind, :code, :severity, :side, :at)
    ON CONFLICT ON CONSTRAINT silenced_alarm_once DO NOTHING
    """
)
_SILENCED = text(
    """
    SELECT resident_id, alert, at, severity, side FROM silenced_alarm
    WHERE maintenance_id = ANY (CAST(:windows AS uuid[])) AND at > :since ORDER BY at
    """
)


class Ask(NamedTuple):
    """Good readings of one resident and kind in [start, end]; before ``since`` only a few, where it is named."""

    resident_id: UUID
    kind: str
    start: datetime
    end: datetime
    since: datetime | None = None


async def lock_residents(work: Work, residents: Collection[UUID]) -> None:
    """One decision about a resident at a time, until the end of the transaction."""
    keys = sorted((resident_id.int & (2**63 - 1)) for resident_id in residents)
    await work.sql(_LOCK, {"keys": keys})


async def series(work: Work, asks: Sequence[Ask]) -> list[list[Measured]]:
    """The readings of every ask, oldest first; the newest ``ROWS_AT_MOST`` of each."""
    found: list[list[Measured]] = [[] for _ in asks]
    for statement, is_around in ((_SERIES, False), (_AROUND, True)):
        places = [place for place, ask in enumerate(asks) if (ask.since is not None) is is_around]
        if not places:
            continue
        residents, kinds, starts, ends, sinces = zip(*(asks[place] for place in places), strict=True)
        values: dict[str, Any] = {
            "residents": list(residents),
            "kinds": list(kinds),
            "starts": list(starts),
            "ends": list(ends),
            "most": ROWS_AT_MOST,
        }
        if is_around:
            values |= {"sinces": list(sinces), "before": ROWS_BEFORE}
        for place, at, value in await work.sql(statement, values):
            found[places[place - 1]].append(Measured(at, value))
    return found


Known = dict[tuple[UUID, str], list[Raised]]
"""Earlier alarms by (resident, alert kind), oldest first."""


async def raised_since(work: Work, residents: Iterable[UUID], alerts: Iterable[str], since: datetime) -> Known:
    """Alarms that rules have raised after a moment."""
    values = {
        "residents": list(residents),
        "kinds": sorted(set(alerts)),
        "since": since,
        "prefix": BREACH_PREFIX,
    }
    found: Known = {}
    for resident_id, kind, at, severity, side in await work.sql(_RAISED, values):
        found.setdefault((resident_id, kind), []).append(Raised(at, severity, side))
    return found


@dataclass(frozen=True, slots=True)
class Window:
    """One maintenance, as far as a decision needs it."""

    id: UUID
    resident_id: UUID | None
    terminal_id: UUID | None
    start: datetime
    end: datetime

    def covers(self, resident_id: UUID | None, terminal_id: UUID, at: datetime) -> bool:
        """Whether a reading of this resident and terminal at that time falls into it."""
        mine = self.terminal_id == terminal_id or (
            self.resident_id is not None and self.resident_id == resident_id
        )
        return mine and self.start <= at < self.end


async def maintained(
    work: Work, residents: Iterable[UUID], terminals: Iterable[UUID], since: datetime
) -> list[Window]:
    """Maintenance of these residents and terminals that was not over at a moment."""
    values = {"residents": list(residents), "terminals": list(terminals), "since": since}
    return [Window(*row) for row in await work.sql(_MAINTAINED, values)]


async def silenced_since(work: Work, windows: Iterable[UUID], since: datetime) -> Known:
    """Alarms that maintenance has swallowed after a moment."""
    found: Known = {}
    values = {"windows": list(windows), "since": since}
    for resident_id, alert, at, severity, side in await work.sql(_SILENCED, values):
        found.setdefault((resident_id, alert), []).append(Raised(at, severity, side))
    return found


async def silence(work: Work, values: Mapping[str, Any]) -> None:
    """Write down an alarm that maintenance keeps back, once."""
    await work.sql(_SILENCE, {"id": new_id(), **values})


async def terminals_with_profiles(connection: Any, profiles: Iterable[UUID]) -> Mapping[UUID, UUID]:
    """Which terminals have one of these profiles."""
    rows = await connection.execute(
        text("SELECT id, profile_id FROM terminal WHERE profile_id = ANY (CAST(:profiles AS uuid[]))"),
        {"profiles": list(profiles)},
    )
    return {row[0]: row[1] for row in rows}
