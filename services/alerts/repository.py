"""SQL about alerts."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, or_, text
from sqlmodel import col, select

from services.alerts.models import (
    Alert,
    AlertHandover,
    AlertKind,
    AlertLog,
    AlertOccurrence,
    AlertPage,
    EmergencyCall,
)
from services.alerts.severity import VITAL_KINDS
from services.alerts.states import LIVE, AlertStatus
from services.core.actor import Role
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.residents.models import CareRelationship

_SEEN = text(
    "SELECT o.alert_id, a.status FROM alert_occurrence o JOIN alert a ON a.id = o.alert_id"
    " WHERE o.terminal_id = :terminal_id AND o.alarm_id = :alarm_id"
)
_LIVE_LIST = ", ".join(f"'{status}'" for status in LIVE)
# An older person waits for this statement, so it is one round trip for all that an alarm does. The partial
# unique index decides whether it opens an alert or is an occurrence of the live one, so two presses at once can
# never open two. Severity may rise, never fall. What only a new alert has (ladder, history, event) hangs on
# `opened`, and that on the press being new. Whom to page is the worker's to find out: the ladder is due at once,
# and so is a new press on a live alert (`called`).
_RAISE = text(
    f"""
    WITH facts AS (
        SELECT CAST(:alert_id AS uuid) AS alert_id, CAST(:subject_id AS uuid) AS subject_id,
            CAST(:resident_id AS uuid) AS resident_id, CAST(:terminal_id AS uuid) AS terminal_id,
            CAST(:source_id AS uuid) AS source_id,
            CAST(:centre_id AS uuid) AS centre_id, CAST(:area_code AS text) AS area_code,
            CAST(:kind AS text) AS kind, CAST(:severity AS int) AS severity,
            CAST(:pressed_at AS timestamptz) AS pressed_at, CAST(:received_at AS timestamptz) AS received_at,
            CAST(:now AS timestamptz) AS now, CAST(:alarm_id AS text) AS alarm_id
    ), known AS (
        SELECT a.id, a.status, a.severity, a.occurrences
        FROM facts JOIN alert_occurrence o ON o.terminal_id = facts.source_id AND o.alarm_id = facts.alarm_id
            JOIN alert a ON a.id = o.alert_id
    ), raised AS (
        INSERT INTO alert (id, subject_id, resident_id, terminal_id, centre_id, area_code, kind, severity, status,
            occurrences, last_occurrence_at, pressed_at, received_at, version)
        SELECT alert_id, subject_id, resident_id, terminal_id, centre_id, area_code, kind, severity, 'open',
            1, received_at, pressed_at, received_at, 1
        FROM facts WHERE NOT EXISTS (SELECT FROM known)
        ON CONFLICT (subject_id, kind) WHERE status IN ({_LIVE_LIST}) DO UPDATE SET
            occurrences = alert.occurrences + 1,
            last_occurrence_at = excluded.last_occurrence_at,
            severity = greatest(alert.severity, excluded.severity),
            version = alert.version + 1
        RETURNING id, (xmax = 0) AS opened, status, severity, occurrences
    ), press AS (
        INSERT INTO alert_occurrence
            (id, alert_id, terminal_id, alarm_id, area_code, pressed_at, received_at, detail)
        SELECT CAST(:press_id AS uuid), raised.id, source_id, alarm_id, area_code, pressed_at, received_at,
            CAST(:detail AS jsonb)
        FROM facts, raised
        ON CONFLICT ON CONSTRAINT alert_occurrence_once DO NOTHING
        RETURNING alert_id
    ), opened AS (
        SELECT facts.* FROM facts JOIN raised ON raised.opened JOIN press ON press.alert_id = raised.id
    ), ladder AS (
        INSERT INTO escalation (alert_id, area_code, policy, step, repeat, loops, next_at)
        SELECT alert_id, area_code, CAST(:policy AS jsonb), -1, 0, 0, now FROM opened
    ), called AS (
        UPDATE escalation SET called_at = coalesce(escalation.called_at, facts.now)
        FROM facts, raised JOIN press ON press.alert_id = raised.id
        WHERE escalation.alert_id = raised.id AND NOT raised.opened
    ), history AS (
        INSERT INTO status_change (id, entity, entity_id, area_code, to_status, role, at)
        SELECT CAST(:change_id AS uuid), CAST(:entity AS text), alert_id, area_code, 'open',
            CAST(:role AS text), now
        FROM opened
    ), announced AS (
        INSERT INTO outbox (event_id, name, area_code, centre_id, payload, created_at)
        SELECT CAST(:event_id AS uuid), CAST(:event AS text), area_code, centre_id, CAST(:payload AS jsonb), now
        FROM opened
    )
    SELECT id, 'known' AS became, status, severity, occurrences FROM known
    UNION ALL
    SELECT id, CASE WHEN opened THEN 'opened' ELSE 'repeated' END
            || CASE WHEN EXISTS (SELECT FROM press) THEN '' ELSE '_in_vain' END, status, severity, occurrences
    FROM raised
    """  # noqa: S608  only the names of our own statuses are put in
)
_OCCURRENCE = text(
    "INSERT INTO alert_occurrence"
    " (id, alert_id, terminal_id, alarm_id, area_code, pressed_at, received_at, detail)"
    " VALUES (:id, :alert_id, :terminal_id, :alarm_id, :area_code, :pressed_at, :received_at,"
    " CAST(:detail AS jsonb))"
    " ON CONFLICT ON CONSTRAINT alert_occurrence_once DO NOTHING"
)
_TAKEN_BACK = text("UPDATE alert SET taken_back_at = :at, version = version + 1 WHERE id = :id").bindparams(
    bindparam("at", type_=UtcDateTime())
)
_UNOPEN = text("DELETE FROM alert WHERE id = :id")
_UNCOUNT = text("UPDATE alert SET occurrences = occurrences - 1, version = version - 1 WHERE id = :id")
_LAST_RAISED = text(
    "SELECT max(o.pressed_at) FROM alert_occurrence o JOIN alert a ON a.id = o.alert_id"
    " WHERE a.subject_id = :subject_id AND a.kind = :kind"
)


class Became(StrEnum):
    """What one alarm became. In vain: another process was storing the same alarm at the same moment."""

    KNOWN = "known"
    OPENED = "opened"
    REPEATED = "repeated"
    OPENED_IN_VAIN = "opened_in_vain"
    REPEATED_IN_VAIN = "repeated_in_vain"


class Raised(NamedTuple):
    """The alert of an alarm, as it stands now."""

    alert_id: UUID
    became: Became
    status: str
    severity: int
    occurrences: int


async def raise_alert(work: Work, values: dict[str, Any]) -> Raised:
    """Store an alarm with all that follows from it; the names of the values stand in the statement's `facts`."""
    row = (await work.sql(_RAISE, values)).one()
    return Raised(row[0], Became(row[1]), *row[2:])


async def seen(work: Work, terminal_id: UUID, alarm_id: str) -> tuple[UUID, str] | None:
    """The alert (and its status) that this very alarm has already become."""
    row = (await work.sql(_SEEN, {"terminal_id": terminal_id, "alarm_id": alarm_id})).one_or_none()
    return None if row is None else (row[0], row[1])


async def take_back(work: Work, raised: Raised) -> None:
    """Undo what was done in vain."""
    statement = _UNOPEN if raised.became is Became.OPENED_IN_VAIN else _UNCOUNT
    await work.sql(statement, {"id": raised.alert_id})


async def add_occurrence(work: Work, values: dict[str, Any]) -> bool:
    """Store the press itself; ``False`` when it is stored already."""
    result: Any = await work.sql(_OCCURRENCE, values)
    return bool(result.rowcount)


async def live_alert(work: Work, subject_id: UUID, kind: AlertKind) -> UUID | None:
    """The live alert of a subject and kind."""
    statement = select(Alert.id).where(
        Alert.subject_id == subject_id, Alert.kind == kind, col(Alert.status).in_(LIVE)
    )
    return (await work.session.exec(statement)).one_or_none()


async def take_alarm_back(work: Work, alert_id: UUID, at: datetime) -> None:
    """Mark a live alert as taken back by its resident."""
    await work.sql(_TAKEN_BACK, {"id": alert_id, "at": at})


async def last_raised_at(work: Work, subject_id: UUID, kind: str) -> datetime | None:
    """When the newest occurrence of a kind was pressed or measured."""
    values = {"subject_id": subject_id, "kind": kind}
    moment: datetime | None = (await work.sql(_LAST_RAISED, values)).scalar_one()
    return moment


def _scoped(work: Work) -> Any:
    in_area = col(Alert.area_code).startswith(work.actor.area_code)
    statement = select(Alert).where(or_(in_area, col(Alert.id).in_(work.actor.aided_alerts)))
    if work.actor.resident_ids is not None:
        statement = statement.where(col(Alert.resident_id).in_(work.actor.resident_ids))
    if work.actor.role is Role.FAMILY:
        # That she pressed for help is for her family to know; a blood pressure takes her consent.
        consented = select(CareRelationship.resident_id).where(
            CareRelationship.account_id == work.actor.account_id,
            col(CareRelationship.may_see_health),
            col(CareRelationship.ended_at).is_(None),
        )
        is_call = col(Alert.kind).not_in(VITAL_KINDS)
        statement = statement.where(or_(is_call, col(Alert.resident_id).in_(consented)))
    return statement


async def find_alert(work: Work, alert_id: UUID) -> Alert | None:
    """One alert in scope."""
    found: Alert | None = (await work.session.exec(_scoped(work).where(Alert.id == alert_id))).one_or_none()
    return found


async def lock_alert(work: Work, alert_id: UUID) -> Alert | None:
    """One alert in scope, locked for a change."""
    statement = _scoped(work).where(Alert.id == alert_id).with_for_update()
    found: Alert | None = (await work.session.exec(statement)).one_or_none()
    return found


async def list_alerts(
    work: Work, statuses: Sequence[AlertStatus], centre_id: UUID | None, limit: int, cursor: UUID | None
) -> Sequence[Alert]:
    """Alerts in scope, newest first."""
    statement = _scoped(work).order_by(col(Alert.id).desc()).limit(limit)
    if statuses:
        statement = statement.where(col(Alert.status).in_(statuses))
    if centre_id is not None:
        statement = statement.where(Alert.centre_id == centre_id)
    if cursor is not None:
        statement = statement.where(Alert.id < cursor)
    alerts: Sequence[Alert] = (await work.session.exec(statement)).all()
    return alerts


async def occurrences(work: Work, alert_id: UUID) -> Sequence[AlertOccurrence]:
    """Every press of an alert, oldest first."""
    statement = (
        select(AlertOccurrence).where(AlertOccurrence.alert_id == alert_id).order_by(col(AlertOccurrence.id))
    )
    return (await work.session.exec(statement)).all()


async def log_of(work: Work, alert_id: UUID) -> Sequence[AlertLog]:
    """What was done about it besides its status."""
    statement = select(AlertLog).where(AlertLog.alert_id == alert_id).order_by(col(AlertLog.id))
    return (await work.session.exec(statement)).all()


async def pages_of(work: Work, alert_id: UUID) -> Sequence[AlertPage]:
    """Who was paged, in order."""
    statement = select(AlertPage).where(AlertPage.alert_id == alert_id).order_by(col(AlertPage.id))
    return (await work.session.exec(statement)).all()


async def handovers_of(work: Work, alert_id: UUID) -> Sequence[AlertHandover]:
    """Every request to take over, oldest first."""
    statement = select(AlertHandover).where(AlertHandover.alert_id == alert_id).order_by(col(AlertHandover.id))
    return (await work.session.exec(statement)).all()


async def emergency_calls_of(work: Work, alert_id: UUID) -> Sequence[EmergencyCall]:
    """Every call of 120, oldest first."""
    statement = select(EmergencyCall).where(EmergencyCall.alert_id == alert_id).order_by(col(EmergencyCall.id))
    return (await work.session.exec(statement)).all()
