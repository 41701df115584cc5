"""What an order asks of whoever comes, as the matching rules read it. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.core.geo import Point
from services.dispatch.facts import Need, Span
from services.dispatch.models import Booking
from services.orders.models import Order
from services.orders.rules import read_windows
from services.orders.states import OrderStatus

OPEN = (OrderStatus.PLACED, OrderStatus.OFFERED)
"""Orders that still look for somebody."""


def need_of(order: Order, bookings: Sequence[Booking], dialect: str, now: datetime) -> Need:
    """The order's need. Once a member of a team is booked, the others start when she does.

    ``dialect`` is the resident's own, for an order without a wish of its own.
    """
    duration = timedelta(minutes=order.duration_minutes)
    window, windows = Span(order.window_start, order.window_end), _windows(order)
    if bookings:
        window, windows = Span(bookings[0].starts_at, bookings[0].starts_at + duration), ()
    return Need(
        skills=frozenset(order.skills),
        licences=frozenset(order.licences),
        practice_years=order.practice_years,
        window=window,
        windows=windows,
        duration=duration,
        place=Point(order.latitude, order.longitude),
        now=now,
        gender=order.preferred_gender,
        gender_is_must=order.gender_is_must,
        dialect=order.preferred_dialect or dialect,
        known=order.preferred_caregiver_id,
        is_urgent=order.is_urgent,
    )


def _windows(order: Order) -> tuple[Span, ...]:
    """The windows that the resident named, by start."""
    return tuple(
        sorted(Span(start.astimezone(UTC), end.astimezone(UTC)) for start, end in read_windows(order.windows))
    )
