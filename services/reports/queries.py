"""Read models that look across domains."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BACKLOG = text(
    """
    SELECT
        (SELECT count(*) FROM outbox WHERE position IS NULL OR relayed_at IS NULL) AS outbox_waiting,
        (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox
            WHERE position IS NULL OR relayed_at IS NULL) AS outbox_waiting_seconds,
        (SELECT count(*) FROM outbox_delivery WHERE done_at IS NULL AND failed_at IS NULL) AS handlers_waiting,
        (SELECT count(*) FROM outbox_delivery WHERE failed_at IS NOT NULL) AS handlers_failed,
        (SELECT count(*) FROM dead_letter) AS dead_letters,
        (SELECT count(*) FROM downlink WHERE sent_at IS NULL AND expires_at > now()) AS downlinks_waiting,
        (SELECT count(*) FROM escalation WHERE next_at < now() - interval '10 seconds') AS escalations_overdue,
        (SELECT count(*) FROM alert WHERE status = 'open') AS alerts_open
    """
)


async def backlog(connection: AsyncConnection) -> dict[str, Any]:
    """What waits, by queue; every figure should be near 0 but ``alerts_open`` and ``dead_letters``."""
    row = (await connection.execute(_BACKLOG)).mappings().one()
    return {name: float(value) for name, value in row.items()}
