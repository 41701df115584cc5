"""When an order that nobody took climbs, and how far. Pure."""

from datetime import datetime, timedelta

from services.dispatch.policies.models import ClimbLimits


def waits_since(limits: ClimbLimits, placed_at: datetime, window_start: datetime) -> datetime:
    """From when an order's waiting counts: not long before its window, however early it was placed."""
    return max(placed_at, window_start - timedelta(hours=limits.within_hours))


def next_step(limits: ClimbLimits, since: datetime, asked: int, *, anybody_left: bool) -> datetime:
    """When the next thing happens: another neighbour, while there is one, or the county; whichever is first."""
    county = since + timedelta(seconds=limits.county_after_seconds)
    if asked >= limits.neighbours or not anybody_left:
        return county
    waited = limits.neighbour_after_seconds + asked * limits.between_neighbours_seconds
    return min(county, since + timedelta(seconds=waited))


def is_for_the_county(limits: ClimbLimits, since: datetime, now: datetime) -> bool:
    """Whether the county must see it by now."""
    return now >= since + timedelta(seconds=limits.county_after_seconds)
