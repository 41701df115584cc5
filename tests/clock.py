"""A clock that a test moves."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Starts at the present, then stands still until it is moved."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def forward(self, **duration: float) -> None:
        """Move on by ``timedelta(**duration)``."""
        self._now += timedelta(**duration)
