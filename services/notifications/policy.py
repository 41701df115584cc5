"""The figures of sending, from ``data/policy.json``, and what follows from them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec

from services.notifications.models import Channel

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)


class Limit(msgspec.Struct, frozen=True):
    """How many messages one person gets through one channel at most; never for life safety."""

    minute: int
    hour: int


class LanePolicy(msgspec.Struct, frozen=True):
    """How one kind of message is tried: pauses between tries, how long a delivery report is waited for."""

    retry_seconds: tuple[float, ...]
    watch_seconds: Mapping[Channel, float]
    slots: int
    give_up_seconds: float

    def retry_at(self, tries: int, queued_at: datetime, now: datetime) -> datetime | None:
        """When to try again after so many tries in vain; ``None`` when it was the last."""
        if tries > len(self.retry_seconds):
            return None
        at = now + timedelta(seconds=self.retry_seconds[tries - 1])
        return None if at - queued_at > timedelta(seconds=self.give_up_seconds) else at

    def watch_until(self, channel: Channel, now: datetime) -> datetime | None:
        """By when a delivery report must have come; ``None`` where nobody waits for one."""
        seconds = self.watch_seconds.get(channel)
        return None if seconds is None else now + timedelta(seconds=seconds)


class SendingPolicy(msgspec.Struct, frozen=True):
    """Everything in the file."""

    version: str
    source: str
    send_seconds: float
    lease_seconds: float
    life_safety: LanePolicy
    ordinary: LanePolicy
    limits: Mapping[Channel, Limit]

    def lane(self, is_life_safety: bool) -> LanePolicy:
        """The figures of one kind of message."""
        return self.life_safety if is_life_safety else self.ordinary


@lru_cache(maxsize=1)
def load_policy() -> SendingPolicy:
    """The file's content. ``ValueError`` when a lease would end before the send it covers."""
    raw = (files("services.notifications") / "data" / "policy.json").read_bytes()
    policy = msgspec.json.decode(raw, type=SendingPolicy)
    if policy.lease_seconds < 2 * policy.send_seconds:
        raise ValueError("a lease must outlast its send by far")
    return policy


def put_off_until(limit: Limit | None, tried: Sequence[datetime], now: datetime) -> datetime | None:
    """When a further message fits under the limit; ``None`` for now.

    ``tried``: when this channel was used for this person within the last hour, in any order.
    """
    if limit is None:
        return None
    free_at = now
    for most, window in ((limit.minute, _MINUTE), (limit.hour, _HOUR)):
        recent = sorted(at for at in tried if at > now - window)
        if len(recent) >= most:
            free_at = max(free_at, recent[len(recent) - most] + window)
    return free_at if free_at > now else None
