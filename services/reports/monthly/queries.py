"""What of other domains belongs into a resident's month."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Double, RowMapping, Text, Uuid, bindparam, text

from services.core.database import Work
from services.core.scope import RESIDENTS, walls
from services.vitals.kinds import ReadingKind

_ALERTS = text(
    """
    SELECT kind, CASE WHEN status = 'cancelled' THEN 'cancelled' ELSE resolution END AS outcome, count(*) AS count
    FROM alert
    WHERE resident_id = :resident_id AND received_at >= :start AND received_at < :end
        AND area_code LIKE :area AND (:residents IS NULL OR resident_id = ANY(:residents))
    GROUP BY 1, 2 ORDER BY 1, 2
    """
).bindparams(bindparam("residents", type_=RESIDENTS))

# Values beyond a limit cannot be told from hours or days, so the month's own partition is read.
_BEYOND = text(
    """
    SELECT limits.kind, count(*) FILTER (WHERE r.value <= limits.low OR r.value >= limits.high), count(*)
    FROM unnest(:kinds, :lows, :highs) AS limits(kind, low, high)
    JOIN LATERAL (
        SELECT value FROM reading
        WHERE resident_id = :resident_id AND kind = limits.kind AND quality = 'good'
            AND measured_at >= :start AND measured_at < :end
    ) r ON true
    GROUP BY 1
    """
).bindparams(
    bindparam("resident_id", type_=Uuid()),
    bindparam("kinds", type_=ARRAY(Text())),
    bindparam("lows", type_=ARRAY(Double())),
    bindparam("highs", type_=ARRAY(Double())),
)


class Limits(NamedTuple):
    """Where the mildest level of a resident's rules for one kind begins; a value at the limit is beyond it."""

    kind: ReadingKind
    low: float | None
    high: float | None


async def beyond_limits(
    work: Work, resident_id: UUID, limits: Sequence[Limits], start: datetime, end: datetime
) -> dict[ReadingKind, tuple[int, int]]:
    """How many good readings of each kind were beyond its limits, of how many that are still kept."""
    values = {
        "resident_id": resident_id,
        "kinds": [one.kind.value for one in limits],
        "lows": [one.low for one in limits],
        "highs": [one.high for one in limits],
        "start": start,
        "end": end,
    }
    return {ReadingKind(row[0]): (row[1], row[2]) for row in await work.sql(_BEYOND, values)}


async def alerts_of_month(work: Work, resident_id: UUID, start: datetime, end: datetime) -> Sequence[RowMapping]:
    """A resident's alerts by kind and outcome."""
    values = {"resident_id": resident_id, "start": start, "end": end, **walls(work.actor)}
    return (await work.sql(_ALERTS, values)).mappings().all()
