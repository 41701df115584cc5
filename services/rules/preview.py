"""What a rule would have raised: on the last 30 days of one resident's real readings, before it is saved."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.states import Severity
from services.audit.service import record_read
from services.core.database import Work
from services.core.errors import Forbidden
from services.residents.service import may_read_health
from services.rules import repository
from services.rules.conditions import MissingData
from services.rules.definitions import EARLY_WARNING, Layer, RuleDefinition
from services.rules.evaluation import ActiveRule, Raised, decide, decide_score
from services.rules.layers import NotEvaluable, Written, resolve
from services.rules.listing import resolved_for
from services.rules.news2 import KINDS, Measured
from services.rules.views import NotEvaluablePublic, PreviewAlarm, PreviewOutcome, PreviewPublic

DAYS = timedelta(days=30)
READINGS_AT_MOST = 50_000


async def preview(work: Work, resident_id: UUID, definition: RuleDefinition) -> PreviewPublic:
    """Count and times of alarms, of the proposed rule and of the present one. Audited: it reads health data."""
    definition.check()
    if not await may_read_health(work, resident_id):
        raise Forbidden
    kinds = KINDS if definition.kind == EARLY_WARNING else (definition.kind,)
    await record_read(work, [resident_id], "rule_preview", list(kinds))
    resolved, attributes = await resolved_for(work, resident_id)
    written = Written(Layer.RESIDENT, definition.kind, definition.code, definition)
    proposed = resolve([written], attributes)
    start = work.now - DAYS
    rows = await repository.readings_between(
        work, resident_id, kinds, start - timedelta(days=1), work.now, READINGS_AT_MOST
    )
    readings: dict[str, list[Measured]] = {kind: [] for kind in kinds}
    for kind, at, value in rows:
        readings[kind].append(Measured(at, value))
    present = next((item.rule for item in resolved.effective if item.written_key == definition.key), None)
    new = next(proposed.active(), None)
    # Days of readings in one go: away from the loop that serves everybody else.
    outcomes = await asyncio.to_thread(
        lambda: [_outcome(rule, readings, start, work.now) for rule in (new, present)]
    )
    return PreviewPublic(
        resident_id=resident_id,
        kind=definition.kind,
        code=definition.code,
        start=start,
        end=work.now,
        readings=sum(at >= start for _, at, _ in rows),
        truncated=len(rows) >= READINGS_AT_MOST,
        proposed=outcomes[0],
        present=outcomes[1],
        not_evaluable=[_shown(item) for item in proposed.not_evaluable],
    )


def _shown(item: NotEvaluable) -> NotEvaluablePublic:
    return NotEvaluablePublic.model_validate(item)


def _outcome(
    rule: ActiveRule | None, readings: Mapping[str, Sequence[Measured]], start: datetime, end: datetime
) -> PreviewOutcome | None:
    if rule is None:
        return None
    if isinstance(rule.definition.condition, MissingData):
        found = list(_silences(rule, readings[rule.kind], start, end))
    elif rule.kind == EARLY_WARNING:
        found = decide_score(rule, readings, (), start)
    else:
        found = decide(rule, readings[rule.kind], (), start)
    times = [PreviewAlarm(at=one.at, severity=Severity(one.severity).name.lower(), side=one.side) for one in found]
    return PreviewOutcome(alarms=len(times), times=times)


def _silences(rule: ActiveRule, readings: Sequence[Measured], start: datetime, end: datetime) -> Iterator[Raised]:
    """Where a kind had stayed away for long enough, again after each re-arm time."""
    mildest = rule.levels[-1]
    quiet = timedelta(minutes=mildest.limits["minutes"])
    moments = [point.at for point in readings]
    for last, following in zip(moments, [*moments[1:], end], strict=True):
        at = last + quiet
        while at < following:
            if at >= start and rule.definition.schedule.covers(at):
                yield Raised(at, int(mildest.severity), "missing")
                at += rule.definition.rearm
            else:
                at += timedelta(minutes=15)
