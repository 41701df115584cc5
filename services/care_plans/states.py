"""A recurring plan runs until it ends; each of its days becomes an order, or says why not."""

from enum import StrEnum

from services.core.transitions import Transitions


class PlanStatus(StrEnum):
    ACTIVE = "active"
    ENDED = "ended"


PLAN = Transitions[PlanStatus]("care_plan", {PlanStatus.ACTIVE: frozenset({PlanStatus.ENDED})})


class OccurrenceStatus(StrEnum):
    CHANGED = "changed"  # a person has changed this day; its order is not made yet
    ORDERED = "ordered"  # its order is made
    PROBLEM = "problem"  # its order could not be made; tried again until the day is over
    CANCELLED = "cancelled"  # a person took this day out; nothing makes it again
    PAUSED = "paused"  # inside a pause; made again when the pause ends before the day
    DROPPED = "dropped"  # the plan no longer has this day
    MISSED = "missed"  # the day came while its order could still not be made


OCCURRENCE = Transitions[OccurrenceStatus](
    "care_plan_occurrence",
    {
        OccurrenceStatus.CHANGED: frozenset(
            {
                OccurrenceStatus.ORDERED,
                OccurrenceStatus.PROBLEM,
                OccurrenceStatus.CANCELLED,
                OccurrenceStatus.PAUSED,
                OccurrenceStatus.DROPPED,
                OccurrenceStatus.MISSED,
            }
        ),
        OccurrenceStatus.ORDERED: frozenset(
            {
                OccurrenceStatus.CHANGED,
                OccurrenceStatus.CANCELLED,
                OccurrenceStatus.PAUSED,
                OccurrenceStatus.DROPPED,
            }
        ),
        OccurrenceStatus.PROBLEM: frozenset(
            {
                OccurrenceStatus.CHANGED,
                OccurrenceStatus.ORDERED,
                OccurrenceStatus.CANCELLED,
                OccurrenceStatus.PAUSED,
                OccurrenceStatus.DROPPED,
                OccurrenceStatus.MISSED,
            }
        ),
        OccurrenceStatus.PAUSED: frozenset(
            {
                OccurrenceStatus.CHANGED,
                OccurrenceStatus.ORDERED,
                OccurrenceStatus.PROBLEM,
                OccurrenceStatus.CANCELLED,
                OccurrenceStatus.DROPPED,
            }
        ),
        OccurrenceStatus.DROPPED: frozenset(
            {
                OccurrenceStatus.CHANGED,
                OccurrenceStatus.ORDERED,
                OccurrenceStatus.PROBLEM,
                OccurrenceStatus.CANCELLED,
                OccurrenceStatus.PAUSED,
            }
        ),
    },
)
