"""Plans and their days as readers see them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.care_plans import repository
from services.care_plans.models import CarePlan, CarePlanOccurrence, CarePlanPause
from services.care_plans.reading import content_of, recurrence_of, spans_of
from services.care_plans.recurrence import Recurrence, checked_rule
from services.care_plans.schedule import SERVED, Fate, PlannedDay, is_paused, moments, planned_days
from services.care_plans.states import OccurrenceStatus, PlanStatus
from services.care_plans.views import (
    OccurrencePublic,
    PausePublic,
    PlanContent,
    PlanPreview,
    PlanPublic,
    Times,
)
from services.care_plans.words import Words, occurrence_words, plan_words
from services.catalogue.repository import items_in_force
from services.catalogue.service import facts_of, today
from services.core.actor import SUPERVISING_ROLES
from services.core.database import Work
from services.core.holidays import KNOWN_UNTIL, is_known
from services.orders.models import Order, WindowPublic
from services.orders.rules import name_for
from services.orders.wishes import AskedItem, Wishes

_STEP = timedelta(days=366)
_FAR = 12
"""Days are looked for so many years ahead: a plan of 29 February has its next one within eight."""

_NO_ORDERS: Mapping[UUID, Order] = {}


async def list_plans(
    work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None, statuses: Sequence[PlanStatus]
) -> list[PlanPublic]:
    """A page of the plans in reach, newest first; leaves rows in the access log."""
    rows = await repository.plans_page(work, limit, cursor, resident_id, statuses)
    await record_read(work, [plan.resident_id for plan, _ in rows], "care_plans", ["items", "times", "wishes"])
    return await plans_public(work, rows)


async def read_plan(work: Work, plan_id: UUID) -> PlanPublic:
    """One plan with its pauses and problems; leaves a row in the access log. Raises ``NotFound``."""
    plan = await repository.plan_in_reach(work, plan_id)
    await record_read(work, [plan.resident_id], "care_plan", ["items", "times", "wishes"])
    resident = await repository.resident_of(work, plan)
    (shown,) = await plans_public(work, [(plan, resident.name)])
    return shown


async def list_occurrences(work: Work, plan_id: UUID, limit: int, since: date | None) -> list[OccurrencePublic]:
    """The next days of a plan from ``since`` (today) on, with what became of each. Raises ``NotFound``."""
    plan = await repository.plan_in_reach(work, plan_id)
    await record_read(work, [plan.resident_id], "care_plan_days", ["items", "windows"])
    first = since or today(work)
    pauses = spans_of(await repository.pauses_of(work, [plan.id]))
    recurrence = recurrence_of(plan)
    planned = _next(recurrence, plan, pauses, first, limit)
    last = planned[limit - 1].day if len(planned) >= limit else None
    stored = {row.day: row for row in await repository.occurrences_of(work, [plan.id], first, last)}
    days = {one.day: one for one in planned}
    for row in stored.values():
        inside = row.day >= first and (last is None or row.day <= last)
        if inside and row.day not in days and row.status in _OWN_DAY:
            days[row.day] = PlannedDay(row.day, row.service_day, Fate.DUE, None, is_known(row.day))
    orders = await repository.orders_of(work, [row.order_id for row in stored.values() if row.order_id])
    names = await _item_names(work, plan.items, [row.change for row in stored.values()])
    return [_occurrence(work, plan, days[day], stored.get(day), (orders, names)) for day in sorted(days)[:limit]]


async def preview(work: Work, content: PlanContent, limit: int) -> PlanPreview:
    """What a plan would do from today on. Raises ``RuleInvalid``."""
    rule = checked_rule(content.rrule, content.starts_on)
    plan = CarePlan(**columns_of(content, rule))
    recurrence = recurrence_of(plan)
    planned = _next(recurrence, plan, [], max(today(work), content.starts_on), limit)
    names = await _item_names(work, plan.items, [])
    words = plan_words(rule, plan.starts_on, plan.ends_on, plan.times, plan.holiday_policy)
    return PlanPreview(
        zh=words.zh,
        en=words.en,
        rrule=rule,
        occurrences=[_occurrence(work, plan, one, None, (_NO_ORDERS, names)) for one in planned],
    )


def columns_of(content: PlanContent, rule: str) -> dict[str, Any]:
    """What was asked for, as a plan's columns keep it."""
    return {
        "title": content.title,
        "items": [item.model_dump() for item in content.items],
        "times": content.pairs(),
        "wishes": content.wishes.model_dump(mode="json"),
        "rrule": rule,
        "starts_on": content.starts_on,
        "ends_on": content.ends_on,
        "exdates": sorted(set(content.exdates)),
        "rdates": sorted(set(content.rdates)),
        "holiday_policy": content.holiday_policy,
    }


async def plans_public(work: Work, rows: Sequence[tuple[CarePlan, str]]) -> list[PlanPublic]:
    """Plans with their pauses and problems, as the actor's role may see them."""
    ids = [plan.id for plan, _ in rows]
    pauses: dict[UUID, list[CarePlanPause]] = {plan_id: [] for plan_id in ids}
    for pause in await repository.pauses_of(work, ids):
        pauses[pause.care_plan_id].append(pause)
    problems: dict[UUID, list[CarePlanOccurrence]] = {plan_id: [] for plan_id in ids}
    for row in await repository.problems_ahead(work, ids, today(work)):
        problems[row.care_plan_id].append(row)
    every_item = [item for plan, _ in rows for item in plan.items]
    changes = [row.change for found in problems.values() for row in found]
    names = await _item_names(work, every_item, changes)
    return [
        _plan_public(
            work, plan, name, pauses[plan.id], [_problem(work, plan, row, names) for row in problems[plan.id]]
        )
        for plan, name in rows
    ]


def _plan_public(
    work: Work, plan: CarePlan, name: str, pauses: Sequence[CarePlanPause], problems: list[OccurrencePublic]
) -> PlanPublic:
    words = plan_words(plan.rrule, plan.starts_on, plan.ends_on, plan.times, plan.holiday_policy)
    wishes, title = Wishes.model_validate(plan.wishes), plan.title
    shown = [PausePublic.model_validate(pause) for pause in pauses]
    if work.actor.role in SUPERVISING_ROLES:  # free words, often about health
        wishes, title = wishes.model_copy(update={"note": ""}), ""
        shown = [pause.model_copy(update={"reason": ""}) for pause in shown]
    stored = plan.model_dump(exclude={"title", "wishes", "times", "caller", "generated_until", "next_run_at"})
    return PlanPublic(
        **stored,
        title=title,
        wishes=wishes,
        resident_name=name_for(work.actor.role, name),
        zh=words.zh,
        en=words.en,
        times=[Times.model_validate({"start": start, "end": end}) for start, end in plan.times],
        holidays_published_until=KNOWN_UNTIL,
        orders_made_until=plan.generated_until,
        is_paused=is_paused(today(work), spans_of(pauses)),
        pauses=shown,
        problems=problems,
    )


def _problem(work: Work, plan: CarePlan, row: CarePlanOccurrence, names: Mapping[str, Words]) -> OccurrencePublic:
    planned = PlannedDay(row.day, row.service_day, Fate.DUE, None, is_known(row.day))
    return _occurrence(work, plan, planned, row, (_NO_ORDERS, names))


def _next(
    recurrence: Recurrence, plan: CarePlan, pauses: Sequence[tuple[date, date | None]], first: date, limit: int
) -> list[PlannedDay]:
    """The next so many days of the rule, looking ahead a year at a time."""
    found: list[PlannedDay] = []
    begin = first
    for _ in range(_FAR):
        found += planned_days(recurrence, plan.holiday_policy, pauses, begin, begin + _STEP)
        begin += _STEP + timedelta(days=1)
        if len(found) >= limit or (plan.ends_on is not None and begin > plan.ends_on):
            break
    return found[:limit]


def _occurrence(
    work: Work,
    plan: CarePlan,
    planned: PlannedDay,
    row: CarePlanOccurrence | None,
    around: tuple[Mapping[UUID, Order], Mapping[str, Words]],
) -> OccurrencePublic:
    orders, names = around
    service_day = row.service_day if row is not None and row.status in _OWN_DAY else planned.service_day
    content = content_of(plan, service_day, row)
    order = orders.get(row.order_id) if row is not None and row.order_id is not None else None
    words = occurrence_words(planned, content.service_day, content.times, _items_words(content.items, names))
    reason, problem = (None, None) if row is None else (row.reason, row.problem)
    if work.actor.role in SUPERVISING_ROLES:
        reason, problem = None, None if problem is None else {"code": problem["code"]}
    return OccurrencePublic(
        day=planned.day,
        service_day=content.service_day,
        state=_state(planned, row, today(work)),
        zh=words.zh,
        en=words.en,
        windows=[WindowPublic(start=start, end=end) for start, end in moments(content.service_day, content.times)],
        items=list(content.items),
        holiday=None if planned.holiday is None else {"zh": planned.holiday[0], "en": planned.holiday[1]},
        holidays_published=planned.is_certain,
        order_id=None if row is None else row.order_id,
        order_status=None if order is None else order.status,
        problem=problem,
        reason=reason,
    )


_OWN_DAY = frozenset(
    {
        OccurrenceStatus.ORDERED,
        OccurrenceStatus.CHANGED,
        OccurrenceStatus.PROBLEM,
        OccurrenceStatus.CANCELLED,
        OccurrenceStatus.MISSED,
    }
)
"""Stored days that say themselves when they are; the others are as the plan says now."""


def _state(planned: PlannedDay, row: CarePlanOccurrence | None, day: date) -> str:
    if row is not None and row.status in _OWN_DAY:
        return str(row.status)
    if planned.fate not in SERVED:
        return str(planned.fate)
    return "planned" if planned.service_day >= day else "passed"


def _items_words(items: Sequence[AskedItem], names: Mapping[str, Words]) -> Words:
    told = [(names.get(item.item_code, Words(item.item_code, item.item_code)), item.quantity) for item in items]
    zh = "、".join(name.zh if number == 1 else f"{name.zh}×{number}" for name, number in told)
    en = ", ".join(name.en if number == 1 else f"{name.en} × {number}" for name, number in told)
    return Words(zh, en)


async def _item_names(
    work: Work, items: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any] | None]
) -> dict[str, Words]:
    codes = {item["item_code"] for item in items}
    codes |= {item["item_code"] for change in changes if change for item in change.get("items") or []}
    found = await items_in_force(work, today(work), sorted(codes))
    return {item.code: Words(facts_of(version).name_zh, facts_of(version).name_en) for item, version in found}
