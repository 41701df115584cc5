"""A resident's month of home monitoring."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from services.audit.service import record_read
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.reports.monthly import queries
from services.reports.monthly.models import BeyondLimits, KindMonth, MonthAlerts, MonthlyVitals, StretchPublic
from services.rules.evaluation import ActiveRule
from services.rules.listing import resolved_for
from services.vitals.buckets import Bucket, day_start
from services.vitals.charts import draw
from services.vitals.kinds import UNITS, ReadingKind
from services.vitals.service import may_read
from services.vitals.summary import MonthOfKind, days_so_far, month_before, next_month, summarise


async def monthly_vitals(work: Work, resident_id: UUID, month: date) -> MonthlyVitals:
    """The month that begins on ``month``. ``NotFound`` out of reach, ``Forbidden`` without health. Audited."""
    await may_read(work, resident_id)
    await record_read(work, [resident_id], "vitals.monthly", ["vitals", "alerts"])
    start, end = day_start(month), day_start(next_month(month))
    earlier = day_start(month_before(month))
    points = await draw(work, resident_id, list(ReadingKind), (earlier, end), Bucket.HOUR)
    days = days_so_far(month, work.now.astimezone(BUSINESS_ZONE).date())
    alerts = await queries.alerts_of_month(work, resident_id, start, end)
    kinds = [
        summarise(
            kind,
            [p for p in points if p.kind is kind and p.start >= start],
            [p for p in points if p.kind is kind and p.start < start],
            days,
        )
        for kind in ReadingKind
        if any(p.kind is kind for p in points)
    ]
    beyond = await _beyond_limits(work, resident_id, start, end)
    return MonthlyVitals(
        resident_id=resident_id,
        month=f"{month:%Y-%m}",
        taken_at=work.now,
        is_over=work.now >= end,
        kinds=[_shown(of_kind, beyond.get(of_kind.kind)) for of_kind in kinds],
        alerts=[MonthAlerts.model_validate(dict(row)) for row in alerts],
    )


async def _beyond_limits(
    work: Work, resident_id: UUID, start: datetime, end: datetime
) -> dict[ReadingKind, BeyondLimits]:
    """By the rules that count for the resident today."""
    resolved, _ = await resolved_for(work, resident_id)
    limits = limits_of(resolved.active())
    found = await queries.beyond_limits(work, resident_id, limits, start, end)
    shown = {}
    for one in limits:
        beyond, count = found.get(one.kind, (0, 0))
        share = round(beyond / count, 4) if count else None
        shown[one.kind] = BeyondLimits(low=one.low, high=one.high, beyond=beyond, count=count, share=share)
    return shown


def limits_of(rules: Iterable[ActiveRule]) -> list[queries.Limits]:
    """Where the mildest level of each kind's rules begins."""
    lows: dict[ReadingKind, float] = {}
    highs: dict[ReadingKind, float] = {}
    for rule in rules:
        if rule.kind not in set(ReadingKind):
            continue
        kind = ReadingKind(rule.kind)
        for level in rule.levels:
            if "low" in level.limits:
                lows[kind] = max(level.limits["low"], lows.get(kind, level.limits["low"]))
            if "high" in level.limits:
                highs[kind] = min(level.limits["high"], highs.get(kind, level.limits["high"]))
    return [queries.Limits(k, lows.get(k), highs.get(k)) for k in ReadingKind if k in lows or k in highs]


def _shown(month: MonthOfKind, beyond: BeyondLimits | None) -> KindMonth:
    unit = UNITS[month.kind]
    return KindMonth(
        kind=month.kind,
        unit=unit.ucum,
        loinc=unit.loinc,
        days=month.days,
        days_measured=month.days_measured,
        adherence=round(month.adherence, 4),
        is_complete=month.is_complete,
        count=month.count,
        no_data=month.no_data,
        mean=month.mean,
        minimum=month.minimum,
        maximum=month.maximum,
        morning_mean=month.morning_mean,
        evening_mean=month.evening_mean,
        gaps=[StretchPublic(first=gap.first, last=gap.last) for gap in month.gaps],
        mean_before=month.mean_before,
        change=month.change,
        beyond_limits=beyond,
    )
