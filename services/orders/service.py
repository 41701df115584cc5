"""The orders' verbs. What follows a placed order (offers, bookings, visits) stands in later rooms."""

import secrets
from datetime import UTC
from uuid import UUID

from services.audit.service import record_read
from services.catalogue.pricing import PriceContext, planned_minutes
from services.catalogue.service import orderable_item
from services.centres.service import centre_in_charge
from services.core.actor import SUPERVISING_ROLES, Role
from services.core.database import Work
from services.core.errors import Forbidden
from services.core.versions import expect_version
from services.events import OrderCancelled, OrderPlaced
from services.orders import repository
from services.orders.errors import MayNotOrder, NotCancellable, WindowInvalid
from services.orders.lines import OrderLine, demand_of, price_of
from services.orders.models import Order, OrderCreate, OrderPublic
from services.orders.rules import CHANNELS, TELLS_START_CODE, name_for, order_limits, window_problem
from services.orders.states import ORDER, OrderStatus


async def place_order(work: Work, wish: OrderCreate) -> OrderPublic:
    """Take an order and route it to the centre of the resident's area.

    Raises ``NotFound`` for a resident out of reach, ``MayNotOrder``, ``NotOnTheMenu``, ``WindowInvalid``,
    ``NoCentre``.
    """
    channel, account_id = CHANNELS.get(work.actor.role), work.actor.account_id
    if channel is None or account_id is None:
        raise Forbidden
    resident = await repository.resident_in_reach(work, wish.resident_id)
    await require_may_order(work, resident.id)
    item = await orderable_item(work, wish.item_code)
    minutes = planned_minutes(item.price_rule, item.duration_minutes, wish.quantity)
    lines = [OrderLine(line_no=1, item=item, quantity=wish.quantity, minutes=minutes)]
    demand = demand_of(lines)
    problem = window_problem(work.now, wish.window_start, wish.window_end, demand.minutes, order_limits())
    if problem is not None:
        raise WindowInvalid(reason=problem, duration_minutes=demand.minutes)
    centre = await centre_in_charge(work, resident.area_code)
    price = price_of(lines, price_context(wish.is_urgent))
    order = Order(
        resident_id=resident.id,
        centre_id=centre.id,
        area_code=resident.area_code,
        item_code=item.code,
        lines=[line.model_dump(mode="json") for line in lines],
        skills=sorted(demand.skills),
        licences=sorted(demand.licences),
        practice_years=demand.practice_years,
        quote=price.model_dump(mode="json"),
        status=OrderStatus.PLACED,
        channel=channel,
        placed_by=account_id,
        placed_at=work.now,
        window_start=wish.window_start.astimezone(UTC),
        window_end=wish.window_end.astimezone(UTC),
        duration_minutes=demand.minutes,
        caregivers_required=demand.caregivers,
        address=resident.address,
        latitude=resident.latitude,
        longitude=resident.longitude,
        note=wish.note,
        preferred_gender=wish.preferred_gender or resident.preferred_gender,
        is_urgent=wish.is_urgent,
        start_code=f"{secrets.randbelow(10_000):04d}",
    )
    work.session.add(order)
    ORDER.begin(work, order)
    work.record(
        OrderPlaced(
            area_code=order.area_code,
            centre_id=order.centre_id,
            order_id=order.id,
            resident_id=resident.id,
            item_code=item.code,
            is_urgent=wish.is_urgent,
        )
    )
    await work.session.flush()
    return order_public(work, order, resident.name)


async def require_may_order(work: Work, resident_id: UUID) -> None:
    """A resident orders and cancels for herself, family with a running consent, staff inside their area."""
    actor = work.actor
    if actor.role is Role.RESIDENT and actor.person_id != resident_id:
        raise MayNotOrder
    if actor.role is Role.FAMILY and not await repository.may_order_for(work, resident_id):
        raise MayNotOrder


def price_context(is_urgent: bool) -> PriceContext:
    """The circumstances of an order that a price rule may ask for."""
    return PriceContext(tags=frozenset({"urgent"}) if is_urgent else frozenset())


async def list_orders(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: list[OrderStatus],
    resident_id: UUID | None,
) -> list[OrderPublic]:
    """A page of the orders in reach, newest first; leaves rows in the access log."""
    rows = await repository.orders_page(work, limit, cursor, statuses, resident_id)
    await record_read(work, [order.resident_id for order, _ in rows], "orders", ["address", "note", "window"])
    return [order_public(work, order, name) for order, name in rows]


def cancel(work: Work, order: Order, reason: str, if_match: int | None) -> bool:
    """Move a locked order to ``cancelled``; False when it already is. Raises ``NotCancellable``.

    Offers, bookings and visits are taken back by ``dispatch.cancellation``, in the same transaction.
    """
    if order.status is OrderStatus.CANCELLED:
        return False
    expect_version(order, if_match)
    if not ORDER.allows(order.status, OrderStatus.CANCELLED):
        raise NotCancellable(current=str(order.status))
    order.cancel_reason = reason
    ORDER.move(work, order, OrderStatus.CANCELLED, reason)
    work.record(OrderCancelled(area_code=order.area_code, centre_id=order.centre_id, order_id=order.id))
    return True


def lines_of(order: Order) -> list[OrderLine]:
    """What was ordered, as it was when the order was placed; never empty."""
    return [OrderLine.model_validate(line) for line in order.lines]


def order_public(work: Work, order: Order, resident_name: str) -> OrderPublic:
    """The order as the acting reader may see it."""
    shown = order.model_dump(exclude={"lines", "skills", "licences", "practice_years", "start_code", "placed_by"})
    first = order.lines[0]["item"]
    if work.actor.role in SUPERVISING_ROLES:
        shown["note"] = ""  # free words, often about health
    return OrderPublic(
        **shown,
        resident_name=name_for(work.actor.role, resident_name),
        item_name_zh=first["name_zh"],
        item_name_en=first["name_en"],
        category=first["category"],
        start_code=order.start_code if work.actor.role in TELLS_START_CODE else None,
    )
