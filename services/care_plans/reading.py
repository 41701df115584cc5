"""What a stored plan says: its rule, its pauses, and what each of its days holds."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.care_plans.models import CarePlan, CarePlanOccurrence, CarePlanPause
from services.care_plans.recurrence import Recurrence
from services.care_plans.schedule import Span
from services.care_plans.views import OccurrenceChange
from services.orders.wishes import AskedItem, Wishes


@dataclass(frozen=True, slots=True)
class DayContent:
    """What is to be done on one day, when and how."""

    service_day: date
    items: tuple[AskedItem, ...]
    times: tuple[tuple[str, str], ...]
    wishes: Wishes

    def mark(self) -> str:
        """What the same content is recognised by."""
        told: dict[str, Any] = {
            "day": self.service_day.isoformat(),
            "items": [item.model_dump() for item in self.items],
            "times": self.times,
            "wishes": self.wishes.model_dump(mode="json"),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def recurrence_of(plan: CarePlan) -> Recurrence:
    """The plan's rule with its edges."""
    return Recurrence(plan.rrule, plan.starts_on, plan.ends_on, frozenset(plan.exdates), frozenset(plan.rdates))


def spans_of(pauses: Sequence[CarePlanPause]) -> list[Span]:
    """Pauses as spans of days."""
    return [(pause.from_day, pause.until_day) for pause in pauses]


def content_of(plan: CarePlan, service_day: date, stored: CarePlanOccurrence | None = None) -> DayContent:
    """What the plan asks for on a day, with what a person has changed for that day alone."""
    items = tuple(AskedItem.model_validate(item) for item in plan.items)
    times = tuple((start, end) for start, end in plan.times)
    wishes = Wishes.model_validate(plan.wishes)
    if stored is not None and stored.change is not None:
        change = OccurrenceChange.model_validate(stored.change)
        service_day = change.service_day or service_day
        items = items if change.items is None else tuple(change.items)
        if change.times is not None:
            times = tuple((start, end) for start, end in sorted(one.pair() for one in change.times))
        if change.note is not None:
            wishes = wishes.model_copy(update={"note": change.note})
    return DayContent(service_day, items, times, wishes)
