"""Read models that look across domains."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.core.database import Work
from services.core.scope import RESIDENTS, walls

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
        (SELECT count(*) FROM escalation
            WHERE least(next_at, repage_at, called_at) < now() - interval '10 seconds') AS escalations_overdue,
        (SELECT count(*) FROM escalation WHERE failed_at IS NOT NULL) AS ladders_broken,
        (SELECT count(*) FROM escalation WHERE nobody_since IS NOT NULL) AS alerts_with_nobody,
        (SELECT count(*) FROM alert a WHERE status IN ('open', 'acknowledged', 'responding', 'on_scene')
            AND NOT EXISTS (SELECT FROM escalation e WHERE e.alert_id = a.id)) AS alerts_without_ladder,
        (SELECT coalesce(extract(epoch FROM now() - max(beaten_at)), 'infinity') FROM heartbeat
            WHERE process = 'auditor') AS auditor_silent_seconds,
        (SELECT count(*) FROM notification_attempt WHERE status = 'queued') AS notifications_waiting,
        (SELECT coalesce(extract(epoch FROM now() - min(next_at)), 0) FROM notification_attempt
            WHERE status = 'queued' AND is_life_safety AND next_at < now()
                AND (leased_until IS NULL OR leased_until < now())) AS notifications_late_seconds,
        (SELECT count(*) FROM notification WHERE status = 'failed'
            AND failed_at > now() - interval '1 day') AS notifications_failed,
        (SELECT greatest(coalesce(extract(epoch FROM now() - min(next_check_at)), 0), 0) FROM terminal_watch)
            AS checks_late_seconds,
        (SELECT count(*) FROM terminal_fault WHERE status = 'open' AND is_life_safety) AS faults_untaken,
        (SELECT count(*) FROM day_plan WHERE status = 'computing' AND lease IS NULL) AS day_plans_waiting,
        (SELECT count(*) FROM day_plan WHERE status = 'computing' AND lease IS NOT NULL) AS day_plans_computing,
        (SELECT count(*) FROM day_plan WHERE status = 'failed'
            AND finished_at > now() - interval '1 day') AS day_plans_failed,
        (SELECT coalesce(extract(epoch FROM now() - min(requested_at)), 0) FROM day_plan
            WHERE status = 'computing') AS day_plans_waiting_seconds,
        (SELECT count(*) FROM alert WHERE status = 'open') AS alerts_open,
        (SELECT count(*) FROM offer
            WHERE status IN ('sent', 'viewed') AND expires_at < now() - interval '10 seconds')
            AS offers_overdue,
        (SELECT count(*) FROM dispatch_round WHERE status = 'running' AND next_at < now() - interval '10 seconds')
            AS rounds_overdue,
        (SELECT count(*) FROM order_climb WHERE next_at < now() - interval '10 seconds') AS climbs_overdue,
        (SELECT count(*) FROM order_climb WHERE level = 'county' AND ended_at IS NULL) AS orders_untaken,
        (SELECT coalesce(extract(epoch FROM now() - min(noted_at)), 0) FROM reading_note) AS reading_notes_seconds,
        (SELECT greatest(coalesce(extract(epoch FROM now() - min(due_at)), 0), 0) FROM reading_dirty)
            AS aggregates_overdue_seconds
    """
)


async def backlog(connection: AsyncConnection) -> dict[str, Any]:
    """What waits, by queue; every figure should be near 0 but ``alerts_open`` and ``dead_letters``."""
    row = (await connection.execute(_BACKLOG)).mappings().one()
    return {name: float(value) for name, value in row.items()}


_ORDER = text(
    """
    SELECT o.*, r.name AS resident_name, s.status AS settlement_status, t.score AS rating_score,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'caregiver_id', f.caregiver_id,
                'caregiver_name', c.name, 'status', f.status, 'starts_at', f.starts_at,
                'expires_at', f.expires_at, 'decline_reason', f.decline_reason) ORDER BY f.id), '[]')
            FROM offer f JOIN caregiver c ON c.id = f.caregiver_id
            WHERE f.order_id = o.id AND :with_offers) AS offers,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('id', b.id, 'caregiver_id', b.caregiver_id,
                'caregiver_name', c.name, 'starts_at', b.starts_at, 'ends_at', b.ends_at,
                'override', b.override) ORDER BY b.id), '[]')
            FROM booking b JOIN caregiver c ON c.id = b.caregiver_id
            WHERE b.order_id = o.id AND b.is_active) AS bookings,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'caregiver_id', v.caregiver_id,
                'caregiver_name', c.name, 'status', v.status, 'starts_at', v.starts_at, 'ends_at', v.ends_at,
                'en_route_at', v.en_route_at, 'care_started_at', v.care_started_at,
                'care_ended_at', v.care_ended_at, 'flags', v.flags) ORDER BY v.id), '[]')
            FROM visit v JOIN caregiver c ON c.id = v.caregiver_id WHERE v.order_id = o.id) AS visits
    FROM service_order o
    JOIN resident r ON r.id = o.resident_id
    LEFT JOIN settlement s ON s.order_id = o.id
    LEFT JOIN rating t ON t.order_id = o.id
    WHERE o.id = :order_id AND o.area_code LIKE :area
        AND (:residents IS NULL OR o.resident_id = ANY(:residents))
    """
).bindparams(bindparam("residents", type_=RESIDENTS))
_ORDER_JSON = dict.fromkeys(
    ("lines", "quote", "windows", "access", "caller", "offers", "bookings", "visits"), JSONB
)

_HISTORY = text(
    """
    SELECT h.entity, h.entity_id, h.from_status, h.to_status, h.reason, h.role, h.at
    FROM status_change h
    WHERE h.entity_id IN (
        SELECT :order_id
        UNION ALL SELECT id FROM visit WHERE order_id = :order_id
        UNION ALL SELECT id FROM offer WHERE order_id = :order_id AND :with_offers
        UNION ALL SELECT id FROM settlement WHERE order_id = :order_id)
    ORDER BY h.at, h.id
    """
)

_BOARD = text(
    """
    SELECT o.id, o.resident_id, r.name AS resident_name, o.area_code, a.name_zh AS area_name_zh,
        a.name_en AS area_name_en, o.item_code, o.lines->0->'item'->>'name_zh' AS item_name_zh,
        o.lines->0->'item'->>'name_en' AS item_name_en, o.lines->0->'item'->>'category' AS category,
        o.status, o.is_urgent,
        o.placed_at, o.window_start, o.window_end, o.caregivers_required, o.version,
        (SELECT count(*) FROM booking b WHERE b.order_id = o.id AND b.is_active) AS caregivers_booked,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('offer_id', f.id, 'caregiver_id', f.caregiver_id,
                'caregiver_name', c.name, 'expires_at', f.expires_at) ORDER BY f.expires_at), '[]')
            FROM offer f JOIN caregiver c ON c.id = f.caregiver_id
            WHERE f.order_id = o.id AND f.status IN ('sent', 'viewed')) AS offers,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('visit_id', v.id, 'caregiver_id', v.caregiver_id,
                'caregiver_name', c.name, 'status', v.status, 'starts_at', v.starts_at,
                'flags', v.flags, 'issues', (SELECT coalesce(jsonb_agg(i.kind ORDER BY i.id), '[]')
                    FROM visit_issue i WHERE i.visit_id = v.id AND i.status = 'open')) ORDER BY v.id), '[]')
            FROM visit v JOIN caregiver c ON c.id = v.caregiver_id
            WHERE v.order_id = o.id AND v.status <> 'cancelled') AS visits
    FROM service_order o
    JOIN resident r ON r.id = o.resident_id
    LEFT JOIN area a ON a.code = o.area_code
    WHERE o.centre_id = :centre_id AND o.area_code LIKE :area
        AND (o.status IN ('placed', 'offered', 'assigned', 'in_progress')
            OR o.id IN (SELECT order_id FROM visit WHERE centre_id = :centre_id AND status = 'flagged'))
    ORDER BY o.is_urgent DESC, o.window_start, o.id
    LIMIT :limit
    """
)

_BOARD_ALERTS = text(
    """
    SELECT a.id, a.kind, a.severity, a.status, a.resident_id, r.name AS resident_name, a.area_code,
        a.received_at AS since, a.occurrences, a.version, a.centre_id, c.name_zh AS centre_name_zh,
        c.name_en AS centre_name_en, a.centre_id <> :centre_id AS aided
    FROM alert a JOIN centre c ON c.id = a.centre_id LEFT JOIN resident r ON r.id = a.resident_id
    WHERE (a.centre_id = :centre_id
            OR a.id IN (SELECT alert_id FROM alert_aid WHERE centre_id = :centre_id AND ended_at IS NULL))
        AND (a.area_code LIKE :area OR a.id = ANY (:aided))
        AND a.status IN ('open', 'acknowledged', 'responding', 'on_scene')
    ORDER BY a.severity DESC, a.received_at
    LIMIT :limit
    """
).bindparams(bindparam("aided", type_=RESIDENTS))


_BOARD_FAULTS = text(
    """
    SELECT f.id, f.terminal_id, f.kind, f.sensor, f.is_life_safety, f.status, f.resident_id,
        r.name AS resident_name, f.area_code, t.room, f.opened_at AS since, f.last_heard_at,
        f.assigned_account_id, f.version
    FROM terminal_fault f
    JOIN terminal t ON t.id = f.terminal_id
    LEFT JOIN resident r ON r.id = f.resident_id
    WHERE f.centre_id = :centre_id AND f.area_code LIKE :area AND f.status IN ('open', 'assigned')
    ORDER BY f.is_life_safety DESC, f.opened_at
    LIMIT :limit
    """
)


_BOARD_INCIDENTS = text(
    """
    SELECT i.id, i.visit_id, i.resident_id, r.name AS resident_name, i.caregiver_id, c.name AS caregiver_name,
        i.kind, i.severity, i.status, i.occurred_at, i.version
    FROM visit_incident i
    JOIN resident r ON r.id = i.resident_id
    JOIN caregiver c ON c.id = i.caregiver_id
    WHERE i.centre_id = :centre_id AND i.area_code LIKE :area AND i.status <> 'closed'
    ORDER BY i.severity = 'severe' DESC, i.id
    LIMIT :limit
    """
)
_CONFLICTS = text("SELECT count(*) FROM visit_act WHERE centre_id = :centre_id AND status = 'conflict'")


async def centre_incidents(work: Work, centre_id: UUID, limit: int) -> Sequence[RowMapping]:
    """Incidents of a centre's visits that are not closed, severe ones first."""
    values = {"centre_id": centre_id, "limit": limit, "area": walls(work.actor)["area"]}
    return (await work.sql(_BOARD_INCIDENTS, values)).mappings().all()


async def count_conflicts(work: Work, centre_id: UUID) -> int:
    """How many acts of offline work wait for somebody to look."""
    return int((await work.sql(_CONFLICTS, {"centre_id": centre_id})).scalar_one())


async def order_with_work(work: Work, order_id: UUID, with_offers: bool) -> RowMapping | None:
    """An order in reach with its offers, bookings and visits, in one statement."""
    found = await work.sql(
        _ORDER.columns(**_ORDER_JSON),
        {"order_id": order_id, "with_offers": with_offers, **walls(work.actor)},
    )
    return found.mappings().one_or_none()


async def order_history(work: Work, order_id: UUID, with_offers: bool) -> Sequence[RowMapping]:
    """Every status change of an order that is known to be in reach, and of what hangs on it."""
    found = await work.sql(_HISTORY, {"order_id": order_id, "with_offers": with_offers})
    return found.mappings().all()


async def centre_board(work: Work, centre_id: UUID, limit: int) -> Sequence[RowMapping]:
    """Open orders and those with a flagged visit, urgent first, then by window."""
    found = await work.sql(
        _BOARD.columns(offers=JSONB, visits=JSONB),
        {"centre_id": centre_id, "limit": limit, "area": walls(work.actor)["area"]},
    )
    return found.mappings().all()


async def centre_alerts(work: Work, centre_id: UUID, limit: int) -> Sequence[RowMapping]:
    """The centre's live alerts and those it helps with, gravest first."""
    values = {"centre_id": centre_id, "limit": limit, "area": walls(work.actor)["area"]}
    found = await work.sql(_BOARD_ALERTS, values | {"aided": list(work.actor.aided_alerts)})
    return found.mappings().all()


async def centre_faults(work: Work, centre_id: UUID, limit: int) -> Sequence[RowMapping]:
    """The live faults of a centre's terminals, those a life depends on first."""
    found = await work.sql(
        _BOARD_FAULTS, {"centre_id": centre_id, "limit": limit, "area": walls(work.actor)["area"]}
    )
    return found.mappings().all()
