"""Response figures by centre and month, false alarms by kind, profile and terminal."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from services.alerts.models import AlertKind
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.reports.alarms import figures, queries
from services.reports.alarms.figures import AlertFacts, Origin, Target
from services.reports.alarms.models import (
    FalseAlarmFigures,
    FalseRate,
    KindFalseRate,
    ProfileFalseRate,
    ResponseFigures,
    ResponseRow,
    SharePublic,
    TargetPublic,
    WorstTerminal,
)
from services.vitals.buckets import day_start
from services.vitals.summary import next_month

TARGETS: Final = figures.load_targets()
FEEDBACK: Final = timedelta(days=90)
"""How far back a profile's false alarms are looked at unless somebody says otherwise."""

WORST: Final = 20
LONGEST: Final = timedelta(days=400)


async def response_figures(work: Work, month: date) -> ResponseFigures:
    """Of the actor's centre, or of every centre in the actor's area, with a line for all together."""
    start, end = day_start(month), day_start(next_month(month))
    own = work.actor.centre_id
    facts = await queries.alert_facts(work, start, end, own)
    rows = [row for centre in await queries.centres(work, own) for row in _of_centre(work, centre, facts)]
    if own is None:
        rows += _rows(work, None, facts)
    return ResponseFigures(
        month=f"{month:%Y-%m}",
        start=start,
        end=end,
        taken_at=work.now,
        targets=[_target(target) for target in TARGETS],
        rows=rows,
    )


async def response_csv(work: Work, month: date) -> str:
    """The same as a table: one line a centre, origin, kind and target. With a mark for spreadsheets (UTF-8)."""
    found = await response_figures(work, month)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEAD)
    by_code = {target.code: target for target in found.targets}
    for row in found.rows:
        for one in row.shares:
            target = by_code[one.code]
            writer.writerow(
                [
                    found.month,
                    row.centre_name_zh or "全部 all",
                    row.origin.value,
                    row.kind.value if row.kind else "",
                    row.alerts,
                    row.tests,
                    row.unanswered,
                    one.code,
                    target.within_seconds,
                    target.share,
                    one.numerator,
                    one.denominator,
                    one.undecided,
                    "" if one.share is None else f"{one.share:.4f}",
                    found.taken_at.isoformat(),
                    target.source,
                ]
            )
    return "\ufeff" + out.getvalue()


_HEAD: Final = (
    "month",
    "centre",
    "origin",
    "kind",
    "alerts",
    "tests",
    "unanswered",
    "target",
    "within_seconds",
    "target_share",
    "numerator",
    "denominator",
    "undecided",
    "share",
    "taken_at",
    "source",
)


async def false_alarm_figures(work: Work, start: datetime | None, end: datetime | None) -> FalseAlarmFigures:
    """By kind, by profile, and the terminals with the most. ``InvalidInput`` for a senseless range."""
    until = end or work.now
    since = start or until - FEEDBACK
    if not timedelta() < until - since <= LONGEST:
        raise InvalidInput("the range must be longer than nothing and at most 400 days", field="start")
    by_kind = await queries.closed_by_kind(work, since, until)
    by_profile = await queries.closed_by_profile(work, since, until, None)
    names = {row["id"]: row for row in await queries.profiles(work)}
    worst = await queries.worst_terminals(work, since, until, WORST)
    return FalseAlarmFigures(
        start=since,
        end=until,
        taken_at=work.now,
        kinds=[
            KindFalseRate(kind=kind, **_rate(rows).model_dump())
            for kind, rows in groupby(by_kind, key=lambda row: row["kind"])
        ],
        profiles=[
            ProfileFalseRate(
                profile_id=profile_id,
                profile_code=names[profile_id]["code"],
                profile_name_zh=names[profile_id]["name_zh"],
                profile_name_en=names[profile_id]["name_en"],
                **_rate(rows).model_dump(),
            )
            for profile_id, rows in groupby(by_profile, key=lambda row: row["profile_id"])
        ],
        worst_terminals=[
            WorstTerminal.model_validate({**row, "rate": round(row["false"] / row["closed"], 4)}) for row in worst
        ],
    )


async def false_alarms_of_profile(work: Work, profile_id: UUID) -> FalseRate:
    """What a profile's page shows: the last 90 days of its terminals in the actor's area. ``NotFound``."""
    if profile_id not in {row["id"] for row in await queries.profiles(work)}:
        raise NotFound
    return _rate(await queries.closed_by_profile(work, work.now - FEEDBACK, work.now, profile_id))


def _rate(rows: Iterable[RowMapping]) -> FalseRate:
    found = figures.false_alarms((row["resolution"], row["count"]) for row in rows)
    rate = None if found.rate is None else round(found.rate, 4)
    return FalseRate(closed=found.closed, false=found.false, rate=rate, causes=found.causes)


def _of_centre(work: Work, centre: RowMapping, facts: Sequence[AlertFacts]) -> list[ResponseRow]:
    return _rows(work, centre, [one for one in facts if one.centre_id == centre["id"]])


def _rows(work: Work, centre: RowMapping | None, facts: Sequence[AlertFacts]) -> list[ResponseRow]:
    """For each origin: one line of all kinds, and one a kind that occurred."""
    rows = []
    for origin in Origin:
        of_origin = [one for one in facts if one.origin is origin]
        rows.append(_row(work, centre, origin, None, of_origin))
        rows += [
            _row(work, centre, origin, kind, [one for one in of_origin if one.kind is kind])
            for kind in sorted({one.kind for one in of_origin})
        ]
    return rows


def _row(
    work: Work,
    centre: RowMapping | None,
    origin: Origin,
    kind: AlertKind | None,
    facts: Sequence[AlertFacts],
) -> ResponseRow:
    tests = sum(one.is_test for one in facts)
    answers = figures.durations(facts, lambda one: one.acknowledged_at)
    dispatches = figures.durations(facts, lambda one: one.dispatched_at)
    return ResponseRow(
        centre_id=None if centre is None else centre["id"],
        centre_name_zh=None if centre is None else centre["name_zh"],
        centre_name_en=None if centre is None else centre["name_en"],
        origin=origin,
        kind=kind,
        alerts=len(facts) - tests,
        tests=tests,
        unanswered=sum(one.acknowledged_at is None and one.ended_at is None for one in facts),
        shares=[_share(facts, target, work.now) for target in TARGETS],
        answer_seconds_p50=figures.percentile(answers, 0.5),
        answer_seconds_p90=figures.percentile(answers, 0.9),
        dispatch_seconds_p50=figures.percentile(dispatches, 0.5),
        dispatch_seconds_p90=figures.percentile(dispatches, 0.9),
    )


def _share(facts: Sequence[AlertFacts], target: Target, now: datetime) -> SharePublic:
    found = figures.share(facts, target, now)
    return SharePublic(
        code=target.code,
        numerator=found.numerator,
        denominator=found.denominator,
        undecided=found.undecided,
        share=None if found.share is None else round(found.share, 4),
        met=found.met,
    )


def _target(target: Target) -> TargetPublic:
    return TargetPublic(
        code=target.code,
        measure=target.measure,
        within_seconds=int(target.within.total_seconds()),
        share=target.share,
        source=target.source,
        version=target.version,
        verified=target.verified,
    )
