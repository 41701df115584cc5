"""What happens next: which handlers follow which event, on one page.

A handler runs in a transaction of its own, marked done in that same transaction, and may run again after a
failure: it must be idempotent. What must never be missing (an alert's ladder, an order's place on the board)
is not a handler but part of the verb's own transaction.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from services.alerts.handover import page_asked
from services.billing.service import settle
from services.core.database import Work
from services.core.outbox import Event
from services.events import AlertHandoverMoved, AlertMoved, DutySwapMoved, OrderCompleted, VisitEnded
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify
from services.terminals.commands import service as commands

Handler = Callable[[Work, Any], Awaitable[None]]


async def settle_completed_order(work: Work, event: OrderCompleted) -> None:
    """An order whose visits have all ended is billed: due, or held while a visit is flagged."""
    await settle(work, event.order_id)


async def settle_reviewed_visit(work: Work, event: VisitEnded) -> None:
    """A review lets a held bill become due."""
    if event.status == "reviewed":
        await settle(work, event.order_id)


async def tell_of_swap(work: Work, event: DutySwapMoved) -> None:
    """Whoever is asked, or waits for the answer, hears of it in the app."""
    is_answer = event.status in ("accepted", "declined")
    notice = Notice(
        key=f"swap:{event.swap_id}:{event.status}",
        template="duty_swap",
        area_code=event.area_code,
        centre_id=event.centre_id,
        parameters={"status": event.status},
        is_life_safety=False,
    )
    recipient = Recipient(account_id=event.from_account_id if is_answer else event.to_account_id)
    await notify(work, notice, [recipient], [Channel.APP])


async def say_help_is_coming(work: Work, event: AlertMoved) -> None:
    """Somebody has set out: what can speak at the caller's says so."""
    if event.status == "responding" and event.terminal_id is not None:
        await commands.say_help_is_coming(work, event.alert_id, event.terminal_id)


async def page_for_handover(work: Work, event: AlertHandoverMoved) -> None:
    """Who is asked to take an alert over is paged for it."""
    if event.status == "requested":
        await page_asked(work, event.alert_id, event.handover_id)


HANDLERS: dict[type[Event], tuple[Handler, ...]] = {
    OrderCompleted: (settle_completed_order,),
    VisitEnded: (settle_reviewed_visit,),
    DutySwapMoved: (tell_of_swap,),
    AlertMoved: (say_help_is_coming,),
    AlertHandoverMoved: (page_for_handover,),
}

_BY_EVENT = {event.name: tuple(h.__name__ for h in handlers) for event, handlers in HANDLERS.items()}
_BY_NAME = {handler.__name__: handler for handlers in HANDLERS.values() for handler in handlers}


def handlers_of(event_name: str) -> tuple[str, ...]:
    """The names of an event's handlers, as they are stored with its deliveries."""
    return _BY_EVENT.get(event_name, ())


def handler_named(name: str) -> Handler:
    """The handler of a stored delivery; ``KeyError`` for one that no longer exists."""
    return _BY_NAME[name]
