"""Pure rules of placing an order: the window, and who may be told the start code."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files

from services.core.actor import Role
from services.orders.models import Channel

CHANNELS = {
    Role.RESIDENT: Channel.APP,
    Role.FAMILY: Channel.FAMILY,
    Role.CLINICIAN: Channel.VILLAGE_DOCTOR,
    Role.DISPATCHER: Channel.PHONE,
    Role.CENTRE_MANAGER: Channel.PHONE,
}
"""How an order came, told by who places it; other roles do not order."""

TELLS_START_CODE = frozenset({Role.RESIDENT, Role.FAMILY, Role.DISPATCHER})
"""The household has the code; the dispatcher may read it out on the phone. Nobody else sees it."""


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """Project defaults of ``data/limits.json``."""

    max_ahead: timedelta
    quote_life: timedelta
    double_tap: timedelta


@lru_cache(maxsize=1)
def order_limits() -> OrderLimits:
    """The limits in force."""
    raw = json.loads(files("services.orders").joinpath("data/limits.json").read_text("utf-8"))
    return OrderLimits(
        max_ahead=timedelta(days=raw["max_days_ahead"]),
        quote_life=timedelta(minutes=raw["quote_minutes"]),
        double_tap=timedelta(seconds=raw["double_tap_seconds"]),
    )


def window_problem(now: datetime, start: datetime, end: datetime, minutes: int, limits: OrderLimits) -> str | None:
    """Why a window cannot be ordered (``in_the_past``, ``too_short``, ``too_far_ahead``), or ``None``."""
    if start <= now:
        return "in_the_past"
    if end - start < timedelta(minutes=minutes):
        return "too_short"
    if end > now + limits.max_ahead:
        return "too_far_ahead"
    return None


def written(windows: Sequence[tuple[datetime, datetime]]) -> list[list[str]]:
    """Windows as an order keeps them: pairs of UTC moments, by start."""
    return [[start.astimezone(UTC).isoformat(), end.astimezone(UTC).isoformat()] for start, end in windows]


def read_windows(kept: Sequence[Sequence[str]]) -> list[tuple[datetime, datetime]]:
    """The same, read back."""
    return [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in kept]


SEES_WHOLE_NAME = frozenset({Role.RESIDENT, Role.FAMILY, Role.DISPATCHER, Role.CENTRE_MANAGER, Role.CLINICIAN})
"""Who speaks with the resident, or is her."""


def name_for(role: Role, name: str) -> str:
    """The name as a role sees it: whole for those who speak with the resident, else only the surname."""
    return name if role in SEES_WHOLE_NAME else masked_name(name)


def masked_name(name: str) -> str:
    """``王秀英`` → ``王**``: enough for a screen on the wall."""
    return name[:1] + "*" * (len(name) - 1)
