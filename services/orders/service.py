"""The orders' verbs, in one place. What follows (offers, bookings, visits) stands in later rooms."""

from uuid import UUID

from services.catalogue.pricing import PriceContext
from services.core.database import Work
from services.orders.changing import cancel as cancel
from services.orders.changing import change_wishes as change_wishes
from services.orders.changing import require_open as require_open
from services.orders.changing import reschedule as reschedule
from services.orders.lines import OrderLine
from services.orders.models import Order
from services.orders.placing import place_order as place_order
from services.orders.quoting import ask_price as ask_price
from services.orders.quoting import list_quotes as list_quotes
from services.orders.quoting import read_quote as read_quote
from services.orders.showing import list_changes as list_changes
from services.orders.showing import list_orders as list_orders
from services.orders.showing import order_public as order_public
from services.orders.standing import require_may_order as require_may_order
from services.packages import service as packages


def price_context(is_urgent: bool) -> PriceContext:
    """The circumstances of an order that a price rule may ask for."""
    return PriceContext(tags=frozenset({"urgent"}) if is_urgent else frozenset())


def lines_of(order: Order) -> list[OrderLine]:
    """What was ordered, as it was when the order was placed; never empty."""
    return [OrderLine.model_validate(line) for line in order.lines]


async def use_entitlements(work: Work, order_id: UUID) -> None:
    """A completed order has used what it held of packages; call it as often as you like. For the handlers."""
    await packages.use(work, order_id)
