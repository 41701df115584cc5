"""What happens next: which handlers follow which event, on one page.

A handler runs in a transaction of its own, marked done in that same transaction, and may run again after a
failure: it must be idempotent. What must never be missing (an alert's ladder, an order's place on the board)
is not a handler but part of the verb's own transaction.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from services.billing.service import settle
from services.core.database import Work
from services.core.outbox import Event
from services.events import OrderCompleted, VisitEnded

Handler = Callable[[Work, Any], Awaitable[None]]


async def settle_completed_order(work: Work, event: OrderCompleted) -> None:
    """An order whose visits have all ended is billed: due, or held while a visit is flagged."""
    await settle(work, event.order_id)


async def settle_reviewed_visit(work: Work, event: VisitEnded) -> None:
    """A review lets a held bill become due."""
    if event.status == "reviewed":
        await settle(work, event.order_id)


HANDLERS: dict[type[Event], tuple[Handler, ...]] = {
    OrderCompleted: (settle_completed_order,),
    VisitEnded: (settle_reviewed_visit,),
}

_BY_EVENT = {event.name: tuple(h.__name__ for h in handlers) for event, handlers in HANDLERS.items()}
_BY_NAME = {handler.__name__: handler for handlers in HANDLERS.values() for handler in handlers}


def handlers_of(event_name: str) -> tuple[str, ...]:
    """The names of an event's handlers, as they are stored with its deliveries."""
    return _BY_EVENT.get(event_name, ())


def handler_named(name: str) -> Handler:
    """The handler of a stored delivery; ``KeyError`` for one that no longer exists."""
    return _BY_NAME[name]
