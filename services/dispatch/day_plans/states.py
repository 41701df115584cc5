"""A plan's life: computing → ready → committed; or failed, superseded by a newer one, dismissed by a person."""

from enum import StrEnum

from services.core.transitions import Transitions


class PlanStatus(StrEnum):
    COMPUTING = "computing"  # waits for the worker, or lies with one
    READY = "ready"  # can be looked at, and committed whole or in parts
    FAILED = "failed"  # nobody could make it; `failure` says why
    COMMITTED = "committed"  # nothing of it is left to do
    SUPERSEDED = "superseded"  # a newer plan was asked for
    DISMISSED = "dismissed"  # a person does not want it


OPEN_PLANS = (PlanStatus.COMPUTING, PlanStatus.READY)
"""Plans of which something may still become."""

_GIVEN_UP = frozenset({PlanStatus.SUPERSEDED, PlanStatus.DISMISSED})

DAY_PLAN = Transitions[PlanStatus](
    "day_plan",
    {
        PlanStatus.COMPUTING: _GIVEN_UP | {PlanStatus.READY, PlanStatus.FAILED},
        PlanStatus.READY: _GIVEN_UP | {PlanStatus.COMMITTED},
    },
)


class ItemChange(StrEnum):
    """What a plan would do to one place at one order."""

    KEPT = "kept"
    ADDED = "added"  # nobody had it
    MOVED = "moved"  # somebody else comes, perhaps at another time
    RETIMED = "retimed"  # the same person comes at another time
    DROPPED = "dropped"  # whoever had it cannot come, and nobody else was found
    UNASSIGNED = "unassigned"  # nobody had it, and nobody was found


CHANGES = (ItemChange.ADDED, ItemChange.MOVED, ItemChange.RETIMED, ItemChange.DROPPED)
"""What there is to commit."""


class ItemResult(StrEnum):
    """What became of a change when the plan was committed."""

    DONE = "done"
    STALE = "stale"  # left out: something has changed since the preview
