"""Who may do a visit, and what somebody is worth to a resident: the criteria of matching, asked for a day. Pure.

A new criterion in ``services.dispatch.criteria`` counts here without a change: what rules out excludes, what is
scored is worth seconds of travel, by the travel scale of ``data/matching.json`` itself.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.dispatch.criteria.blocking import blocking
from services.dispatch.criteria.scored import SCORED, Fit
from services.dispatch.day_plans.facts import DayFacts, PlanOrder
from services.dispatch.facts import Candidate, Job, RuledOut, day_at, weights
from services.dispatch.matching import consider, standing_issues
from services.dispatch.travel import Ways

WEIGHED_BY_ENGINE: Final = frozenset({"travel", "load", "on_shift"})
"""Parts of a score that depend on the rest of the day: the engine weighs them itself."""

NO_ROOM: Final = (
    "no_room",
    "当天排满，排入会影响其他服务或休息",
    "Her day has no room for it beside the other visits and the break",
)


def person_for(facts: DayFacts, order: PlanOrder, who: Candidate) -> Candidate:
    """A caregiver as this order's resident knows her."""
    earlier = facts.earlier.get((order.resident_id, who.id), 0)
    blocked = who.id in facts.blocked.get(order.resident_id, frozenset())
    if earlier == who.earlier_visits and blocked == who.blocked:
        return who
    return replace(who, earlier_visits=earlier, blocked=blocked)


def excluded_of(facts: DayFacts, order: PlanOrder) -> frozenset[str]:
    """Who may not do it whatever the hour."""
    at = order.allowed[0].starts_at if order.allowed else facts.day.starts_at
    return frozenset(
        str(who.id) for who in facts.people if standing_issues(order.need, person_for(facts, order, who), at)
    )


def worth_of(facts: DayFacts, order: PlanOrder, excluded: frozenset[str]) -> Mapping[str, int]:
    """What each who may come is worth, in seconds of travel; nobody without a wish or a past is listed."""
    scale = weights()
    second = scale.far.total_seconds() / scale.parts["travel"]
    parts = [
        part
        for part in SCORED
        if part.code not in WEIGHED_BY_ENGINE and scale.parts.get(part.code) and part.counts(order.need)
    ]
    at = order.allowed[0].starts_at if order.allowed else facts.day.starts_at
    found: dict[str, int] = {}
    for who in facts.people:
        if str(who.id) in excluded:
            continue
        fit = Fit(
            order.need, person_for(facts, order, who), scale, at, day_at(at), timedelta(), 0.0, from_home=False
        )
        worth = round(sum(scale.parts[part.code] * part.value(fit) for part in parts) * second)
        if worth:
            found[str(who.id)] = worth
    return found


def why_nobody(
    facts: DayFacts, order: PlanOrder, jobs: Mapping[UUID, Sequence[Job]], ways: Ways
) -> list[dict[str, object]]:
    """What rules each caregiver out once the plan stands: code, words, and how many it rules out."""
    counted: Counter[str] = Counter()
    for who in facts.people:
        busy = sorted(job for job in jobs.get(who.id, ()) if job.order_id != order.id)
        looked = replace(person_for(facts, order, who), jobs=tuple(busy))
        found = consider(order.need, looked, weights(), ways)
        counted[found.reasons[0].code if isinstance(found, RuledOut) else NO_ROOM[0]] += 1
    told: list[dict[str, object]] = []
    for code, caregivers in counted.most_common():
        zh, en = (NO_ROOM[1], NO_ROOM[2]) if code == NO_ROOM[0] else (blocking(code).zh, blocking(code).en)
        told.append({"code": code, "zh": zh, "en": en, "caregivers": caregivers})
    return told
