"""A stored plan as people read it: each caregiver's day in order, what nobody has, and the words for all of it."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.dispatch.day_plans.models import DayPlan
from services.dispatch.day_plans.repository import ItemRow
from services.dispatch.day_plans.states import ItemResult
from services.dispatch.day_plans.views import (
    DayPlanBrief,
    DayPlanPublic,
    LeftOut,
    LeftOutReason,
    PlannedDay,
    PlannedVisit,
    PlanOptions,
    PlanSummary,
    Words,
)
from services.dispatch.day_plans.wording import (
    CAUSES,
    FAILURES,
    change_words,
    named,
    stale_words,
    summary_words,
)
from services.orders.rules import masked_name


def brief(plan: DayPlan) -> DayPlanBrief:
    """A plan in a line."""
    return DayPlanBrief.model_validate(plan, from_attributes=True)


def plan_public(plan: DayPlan, rows: Sequence[ItemRow]) -> DayPlanPublic:
    """The whole preview."""
    by_caregiver: dict[UUID, list[ItemRow]] = defaultdict(list)
    left: list[ItemRow] = []
    for row in rows:
        if row.item.caregiver_id is None:
            left.append(row)
        else:
            by_caregiver[row.item.caregiver_id].append(row)
    summary = None if plan.summary is None else PlanSummary.model_validate(plan.summary)
    return DayPlanPublic(
        **brief(plan).model_dump(),
        options=PlanOptions.model_validate(plan.options),
        engine=plan.engine,
        words=_plan_words(plan, summary),
        summary=summary,
        caregivers=[_day(caregiver_id, theirs) for caregiver_id, theirs in by_caregiver.items()],
        unassigned=[
            LeftOut(**_place(row), reasons=[LeftOutReason.model_validate(reason) for reason in row.item.reasons])
            for row in left
        ],
    )


def result_words(result: ItemResult | None, reason: str | None) -> Words | None:
    """What became of a change."""
    if result is None:
        return None
    if result is ItemResult.DONE:
        return Words(zh="已执行", en="Done")
    return stale_words(reason or "")


def _plan_words(plan: DayPlan, summary: PlanSummary | None) -> list[Words]:
    said: list[Words] = []
    if plan.cause is not None:
        cause = named(CAUSES, str(plan.cause))
        said.append(Words(zh=f"起因：{cause.zh}", en=f"Because {cause.en}"))
    if plan.failure is not None:
        said.append(named(FAILURES, plan.failure))
    if plan.engine is not None:
        why = plan.engine_why or {}
        said.append(
            Words(
                zh=f"计算引擎：{plan.engine}。{why.get('zh', '')}",
                en=f"Engine: {plan.engine}. {why.get('en', '')}",
            )
        )
    return said if summary is None else said + summary_words(summary)


def _day(caregiver_id: UUID, rows: Sequence[ItemRow]) -> PlannedDay:
    visits: list[PlannedVisit] = []
    ends = [None, *(row.item.ends_at for row in rows)]
    for row, ended_before in zip(rows, ends, strict=False):
        item = row.item
        if item.starts_at is None or item.ends_at is None:
            continue
        gap = 0.0
        if ended_before is not None:
            gap = (item.starts_at - ended_before).total_seconds() - item.travel_seconds
        visits.append(
            PlannedVisit(
                **_place(row),
                starts_at=item.starts_at,
                ends_at=item.ends_at,
                travel_minutes=round(item.travel_seconds / 60),
                gap_minutes=max(0, round(gap / 60)),
                warning=Words.model_validate(item.reasons[0]) if item.reasons else None,
            )
        )
    return PlannedDay(
        caregiver_id=caregiver_id,
        caregiver_name=rows[0].caregiver_name or "",
        service_minutes=round(sum((visit.ends_at - visit.starts_at).total_seconds() for visit in visits) / 60),
        travel_minutes=sum(visit.travel_minutes for visit in visits),
        visits=visits,
    )


def _place(row: ItemRow) -> dict[str, Any]:
    item, order = row.item, row.order
    first = order.lines[0]["item"]
    who = masked_name(row.resident_name)
    names = (first["name_zh"], first["name_en"])
    return {
        "order_id": order.id,
        "place_no": item.place_no,
        "resident_name": who,
        "area_code": order.area_code,
        "item_name_zh": names[0],
        "item_name_en": names[1],
        "is_urgent": order.is_urgent,
        "window_start": order.window_start,
        "window_end": order.window_end,
        "change": item.change,
        "is_pinned": item.is_pinned,
        "from_caregiver_id": item.from_caregiver_id,
        "from_caregiver_name": row.from_caregiver_name,
        "from_starts_at": item.from_starts_at,
        "words": change_words(
            item.change,
            names,
            who,
            (row.caregiver_name, item.starts_at),
            (row.from_caregiver_name, item.from_starts_at),
        ),
        "result": item.result,
        "result_words": result_words(item.result, item.result_reason),
    }
