"""A day as the planner reads it: plain facts, without a session behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.dispatch.facts import Candidate, Day, Need, Span


class Fixed(StrEnum):
    """Why a plan leaves a visit where it is."""

    OVER = "over"
    BEGUN = "begun"  # on the way, or there
    SOON = "soon"  # begins within the notice that people need
    PINNED = "pinned"  # by a person
    DECIDED = "decided"  # by a person, against a rule (override)
    LENT = "lent"  # another centre's caregiver has it
    KEPT = "kept"  # the request asks to keep what is assigned
    EDGE = "edge"  # begins or ends so close to the shift's edge that the way home would not fit into it


@dataclass(frozen=True, slots=True)
class Running:
    """A booking of the day. ``ends_at`` is when she is expected to be free, which may be later than booked.

    ``is_out``: whoever has it cannot come (any more).
    """

    booking_id: UUID
    caregiver_id: UUID
    starts_at: datetime
    booked_until: datetime
    ends_at: datetime
    fixed: Fixed | None = None
    is_out: bool = False


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """An order of the day with who has it, by place. ``allowed``: stretches in which the whole visit may lie."""

    id: UUID
    resident_id: UUID
    area_code: str
    need: Need
    required: int
    allowed: tuple[Span, ...]
    running: tuple[Running, ...] = ()

    @property
    def duration(self) -> timedelta:
        """How long it is planned to last."""
        return self.need.duration

    @property
    def places(self) -> list[tuple[int, Running | None]]:
        """Each caregiver's place, and who has it."""
        free = [None] * max(0, self.required - len(self.running))
        return list(enumerate([*self.running, *free]))


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Everything that a plan of one centre's day stands on. ``people`` have the jobs that are not in the plan."""

    centre_id: UUID
    area_code: str
    day: Day
    now: datetime
    people: tuple[Candidate, ...]
    orders: tuple[PlanOrder, ...]
    earlier: Mapping[tuple[UUID, UUID], int] = field(default_factory=dict)
    """(resident, caregiver) → visits before."""
    blocked: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    """Resident → caregivers who must not come."""
