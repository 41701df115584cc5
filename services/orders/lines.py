"""What one order asks for: lines, each a snapshot of a catalogue item, and what they need together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel, Field

from services.catalogue.circumstances import of_item
from services.catalogue.models import ItemFacts, Task
from services.catalogue.pricing import PriceContext, Quote, quote, together


class OrderLine(BaseModel):
    """One ordered item as it was on the day. ``entitlement_id``: a service package pays for it."""

    line_no: int = Field(ge=1)
    item: ItemFacts
    quantity: int = Field(ge=1)
    minutes: int = Field(ge=1, description="Planned, for the whole quantity.")
    entitlement_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What whoever comes must be and bring for all lines of a visit."""

    minutes: int
    caregivers: int
    skills: frozenset[str]
    licences: frozenset[str]
    practice_years: int


def demand_of(lines: Sequence[OrderLine]) -> Demand:
    """The lines are done one after the other by the same people: times add up, the rest is the most of any."""
    return Demand(
        minutes=sum(line.minutes for line in lines),
        caregivers=max(line.item.caregivers_required for line in lines),
        skills=frozenset(line.item.required_skill for line in lines),
        licences=frozenset(kind for line in lines for kind in line.item.required_licences),
        practice_years=max(line.item.practice_years for line in lines),
    )


def checklist_of(lines: Sequence[OrderLine]) -> list[Task]:
    """The tasks of all lines; one that stands in several is done once."""
    tasks = {task.code: task for line in lines for task in line.item.checklist}
    return list(tasks.values())


def price_of(lines: Sequence[OrderLine], context: PriceContext) -> Quote:
    """What the lines cost by the price rules they hold, each with the licences and risks of its own item."""
    return together(
        [
            quote(
                line.item.price_rule,
                line.quantity,
                line.minutes,
                of_item(context, line.item),
                line.line_no,
            )
            for line in lines
        ]
    )
