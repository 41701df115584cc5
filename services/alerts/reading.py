"""Reading alerts: lists and one alert with its whole history. Every read of a resident's is audited."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.alerts import repository
from services.alerts.models import (
    Alert,
    AlertDetail,
    AlertHandover,
    AlertLog,
    AlertPublic,
    HandoverPublic,
    LogLine,
    OccurrencePublic,
    PagePublic,
)
from services.alerts.severity import VITAL_KINDS
from services.alerts.states import AlertStatus
from services.audit.service import record_read
from services.core.actor import SUPERVISING_ROLES, Role
from services.core.database import Work
from services.core.errors import NotFound

_WORDS = frozenset({Role.DISPATCHER, Role.CENTRE_MANAGER, Role.CLINICIAN})
"""Who reads what the desk has written in its own words, and how the resident was: it is about her health."""
_FREE = frozenset({"note", "reason"})


async def read_alert(work: Work, alert_id: UUID) -> Alert:
    """One alert in the actor's scope; ``NotFound`` otherwise."""
    alert = await repository.find_alert(work, alert_id)
    if alert is None:
        raise NotFound
    return alert


async def list_alerts(
    work: Work, statuses: Sequence[AlertStatus], centre_id: UUID | None, limit: int, cursor: UUID | None
) -> Sequence[Alert]:
    """Alerts in the actor's scope, newest first; each resident shown leaves an access row."""
    alerts = await repository.list_alerts(work, statuses, centre_id, limit, cursor)
    await record_read(work, {a.resident_id for a in alerts if a.resident_id}, "alerts", ["kind", "status"])
    return alerts


async def alert_detail(work: Work, alert_id: UUID) -> AlertDetail:
    """One alert with its presses, its pages, its handovers and its log; leaves an access row."""
    alert = await read_alert(work, alert_id)
    if alert.resident_id is not None:
        await record_read(work, [alert.resident_id], "alert", ["kind", "status", "occurrences", "log"])
    presses = await repository.occurrences(work, alert_id)
    shown = _detail_is_shown(work, alert)
    words = work.actor.role in _WORDS
    return AlertDetail(
        **public(work, alert).model_dump(),
        pressed=[_occurrence(press, shown) for press in presses],
        log=[_line(line, words) for line in await repository.log_of(work, alert_id)],
        pages=[PagePublic.model_validate(page) for page in await repository.pages_of(work, alert_id)],
        handovers=[_handover(row, words) for row in await repository.handovers_of(work, alert_id)],
        checklist=alert.checklist if words else None,
    )


def _detail_is_shown(work: Work, alert: Alert) -> bool:
    """What a rule has seen is health data, and not for those who supervise."""
    return work.actor.role not in SUPERVISING_ROLES or alert.kind not in VITAL_KINDS


def public(work: Work, alert: Alert) -> AlertPublic:
    """An alert as the actor's role may see it."""
    shown = AlertPublic.model_validate(alert)
    return shown if work.actor.role in _WORDS else shown.model_copy(update={"note": None})


def _line(line: AlertLog, words: bool) -> LogLine:
    shown = LogLine.model_validate(line)
    if words:
        return shown
    return shown.model_copy(update={"detail": {k: v for k, v in line.detail.items() if k not in _FREE}})


def _handover(row: AlertHandover, words: bool) -> HandoverPublic:
    shown = HandoverPublic.model_validate(row)
    return shown if words else shown.model_copy(update={"note": "", "answer_note": ""})


def _occurrence(press: Any, shown: bool) -> OccurrencePublic:
    public = OccurrencePublic.model_validate(press)
    return public if shown else public.model_copy(update={"detail": {}})
