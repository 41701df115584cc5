"""Changing a placed order: other times, other wishes, or none at all. What it said before is kept beside.

Whoever calls these holds the order's lock and knows its offers and bookings: ``services.dispatch.changing``.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.core.database import Work
from services.core.versions import expect_version
from services.events import OrderCancelled, OrderChanged
from services.orders import repository
from services.orders.checks import require_windows
from services.orders.errors import NotCancellable, NotChangeable, TakenAlready
from services.orders.models import ChangeKind, Order, OrderChange
from services.orders.placing import access_of, require_wishes
from services.orders.rules import read_windows, written
from services.orders.states import ORDER, OrderStatus
from services.orders.wishes import Access, RescheduleRequest, Wishes, WishesChange
from services.packages import service as packages

_OPEN = frozenset({OrderStatus.PLACED, OrderStatus.OFFERED})
_CHANGEABLE = _OPEN | {OrderStatus.ASSIGNED}


async def cancel(work: Work, order: Order, reason: str, if_match: int | None) -> bool:
    """Move a locked order to ``cancelled``, and give back what it holds of packages; False when it already is.

    Offers, bookings and visits are taken back by ``dispatch.cancel_order``, in the same transaction. Raises
    ``NotCancellable``.
    """
    if order.status is OrderStatus.CANCELLED:
        return False
    expect_version(order, if_match)
    if not ORDER.allows(order.status, OrderStatus.CANCELLED):
        raise NotCancellable(current=str(order.status))
    order.cancel_reason = reason
    ORDER.move(work, order, OrderStatus.CANCELLED, reason)
    await packages.release(work, order.id)
    work.record(OrderCancelled(area_code=order.area_code, centre_id=order.centre_id, order_id=order.id))
    return True


async def reschedule(work: Work, order: Order, wish: RescheduleRequest, if_match: int | None) -> bool:
    """Give a locked order other windows; False when it has them already.

    The price stays as it was quoted. Raises ``TakenAlready`` once somebody is assigned, ``NotChangeable`` when it
    is over, ``WindowInvalid``.
    """
    require_open(order)
    windows = wish.asked_windows()
    if windows == read_windows(order.windows):
        return False
    expect_version(order, if_match)
    require_windows(work.now, windows, order.duration_minutes)
    before, after = {"windows": order.windows}, {"windows": written(windows)}
    order.windows = after["windows"]
    order.window_start, order.window_end = _ends(windows)
    _note(work, order, ChangeKind.RESCHEDULED, (before, after), wish.reason)
    return True


async def change_wishes(work: Work, order: Order, change: WishesChange, if_match: int | None) -> bool:
    """Change who should come and what they should know, on a locked order; False when nothing is new.

    Who should come cannot be changed once somebody has taken it (``TakenAlready``); note and access can, until
    the caregiver is on the way (``NotChangeable``). Raises also what ``require_wishes`` raises.
    """
    if order.status not in _CHANGEABLE:
        raise NotChangeable(current=str(order.status))
    if change.who_changes():
        require_open(order)
    resident = await repository.resident_in_reach(work, order.resident_id)
    said = change.model_dump(exclude_unset=True, exclude={"reason", "access"})
    now_said = {name: getattr(order, name) for name in Wishes.model_fields if name != "access"} | said
    wishes = Wishes.model_validate({name: value for name, value in now_said.items() if value is not None})
    await require_wishes(work, order.centre_id, resident, wishes)
    after = wishes.model_dump(mode="json", include=set(said))
    if change.access is not None:
        merged = Access.model_validate(order.access | change.access.model_dump(exclude_unset=True))
        after["access"] = access_of(resident, merged)
    before = {name: _plain(getattr(order, name)) for name in after}
    if before == after:
        return False
    expect_version(order, if_match)
    for name in said:
        setattr(order, name, getattr(wishes, name))
    if "access" in after:
        order.access = after["access"]
    _note(work, order, ChangeKind.WISHES, (before, after), change.reason)
    return True


def require_open(order: Order) -> None:
    """Nobody has the order. Raises ``TakenAlready``, ``NotChangeable``."""
    if order.status is OrderStatus.ASSIGNED:
        raise TakenAlready(current=str(order.status))
    if order.status not in _OPEN:
        raise NotChangeable(current=str(order.status))


def _note(
    work: Work, order: Order, kind: ChangeKind, sides: tuple[dict[str, Any], dict[str, Any]], reason: str
) -> None:
    order.version += 1
    work.session.add(
        OrderChange(
            order_id=order.id,
            resident_id=order.resident_id,
            area_code=order.area_code,
            kind=kind,
            before=sides[0],
            after=sides[1],
            reason=reason,
            role=str(work.actor.role),
            account_id=work.actor.account_id,
            at=work.now,
        )
    )
    work.record(
        OrderChanged(area_code=order.area_code, centre_id=order.centre_id, order_id=order.id, kind=str(kind))
    )


def _ends(windows: list[tuple[datetime, datetime]]) -> tuple[datetime, datetime]:
    return windows[0][0], max(end for _, end in windows)


def _plain(value: Any) -> Any:
    """As JSON would have it."""
    return str(value) if isinstance(value, UUID) else value
