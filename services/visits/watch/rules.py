"""What goes wrong with a visit, from its times and places. Pure; the thresholds are data."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

import msgspec

from services.core.geo import Point, distance_m


class WatchRules(msgspec.Struct, frozen=True):
    """Project defaults of ``data/watch.json``."""

    version: str
    source: str
    late_after_minutes: float
    warn_before_latest_minutes: float
    overrun_minutes: float
    early_share: float
    look_back_hours: float
    fastest_kmh: float
    travel_slack_minutes: float
    travel_least_m: float
    tells_family: frozenset[str]


@cache
def watch_rules() -> WatchRules:
    """The rules in force."""
    return msgspec.json.decode((files("services.visits") / "data" / "watch.json").read_bytes(), type=WatchRules)


def late_at(
    starts_at: datetime, window_end: datetime, minutes: int, is_under_way: bool, rules: WatchRules
) -> datetime:
    """From when on a visit that has not begun starts late.

    Some minutes after its planned start; and, while nobody has set out, some minutes before the last moment at
    which the resident's window can still be kept: then it can still be helped.
    """
    latest = max(starts_at, window_end - timedelta(minutes=minutes))
    lead = 0.0 if is_under_way else rules.warn_before_latest_minutes
    return min(starts_at + timedelta(minutes=rules.late_after_minutes), latest - timedelta(minutes=lead))


def overrun_at(ends_at: datetime, started_at: datetime | None, minutes: int, rules: WatchRules) -> datetime:
    """From when on somebody has stayed too long: after the planned end, or after her own start and the time of the
    service, whichever is later."""
    planned = ends_at if started_at is None else max(ends_at, started_at + timedelta(minutes=minutes))
    return planned + timedelta(minutes=rules.overrun_minutes)


def left_early(started_at: datetime, ended_at: datetime, minutes: int, rules: WatchRules) -> bool:
    """Whether the stay was much shorter than the service takes."""
    return ended_at - started_at < timedelta(minutes=minutes) * rules.early_share


@dataclass(frozen=True, slots=True)
class Stay:
    """Where a caregiver was, and when."""

    point: Point
    started_at: datetime
    ended_at: datetime


def impossible_travel(before: Stay, after: Stay, rules: WatchRules) -> dict[str, float] | None:
    """What was needed and what there was, when nobody gets from the one visit to the other in the time between.

    Homes next to each other are not told apart: two visits at once there are two orders at one door.
    """
    metres = distance_m(before.point, after.point)
    if metres < rules.travel_least_m:
        return None
    there_was = (after.started_at - before.ended_at).total_seconds()
    needed = metres / (rules.fastest_kmh / 3.6)
    if there_was + rules.travel_slack_minutes * 60 >= needed:
        return None
    return {"metres": round(metres), "seconds": round(there_was), "needed_seconds": round(needed)}
