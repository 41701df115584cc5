"""An order's life: placed → offered → assigned → in progress → completed; or cancelled on the way."""

from enum import StrEnum

from services.core.transitions import Transitions


class OrderStatus(StrEnum):
    PLACED = "placed"  # on the board of the centre of the resident's area
    OFFERED = "offered"  # at least one caregiver is thinking about it
    ASSIGNED = "assigned"  # as many caregivers as it needs have it
    IN_PROGRESS = "in_progress"  # the first caregiver is on the way or there
    COMPLETED = "completed"  # every visit has ended
    NOT_SERVED = "not_served"  # every visit has ended with nobody at home: nothing was done, nothing is billed
    CANCELLED = "cancelled"


ORDER = Transitions[OrderStatus](
    "order",
    {
        OrderStatus.PLACED: frozenset({OrderStatus.OFFERED, OrderStatus.ASSIGNED, OrderStatus.CANCELLED}),
        # Every offer expired, or was declined or withdrawn: back on the board.
        OrderStatus.OFFERED: frozenset({OrderStatus.PLACED, OrderStatus.ASSIGNED, OrderStatus.CANCELLED}),
        OrderStatus.ASSIGNED: frozenset({OrderStatus.PLACED, OrderStatus.IN_PROGRESS, OrderStatus.CANCELLED}),
        OrderStatus.IN_PROGRESS: frozenset({OrderStatus.COMPLETED, OrderStatus.NOT_SERVED}),
    },
)
