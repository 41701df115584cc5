"""Time as something that is handed in, so that a test can stand still or jump."""

from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
"""The calendar that days, shifts and months are counted in."""


class Clock(Protocol):
    """Anything that tells the present moment."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def business_day(moment: datetime) -> str:
    """The local calendar day of a moment, as ``YYYY-MM-DD``."""
    return moment.astimezone(BUSINESS_ZONE).date().isoformat()
