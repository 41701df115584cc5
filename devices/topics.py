"""The MQTT topic tree: ``gy/v1/{terminal_id}/{up|down}/{channel}``.

A terminal may write below its own ``up`` and read its own ``down``, nothing else: the broker's access
list says so with the user name, which is the terminal's id.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

PREFIX: Final = "gy/v1"


class UpChannel(StrEnum):
    """What a terminal sends."""

    ALARM = "alarm"
    VITALS = "vitals"
    STATUS = "status"


class DownChannel(StrEnum):
    """What a terminal is told."""

    RECEIPT = "receipt"
    COMMAND = "command"


class UpTopic(NamedTuple):
    """A parsed ``up`` topic."""

    terminal_id: UUID
    channel: UpChannel


_UP_CHANNELS: Final = {channel.value: channel for channel in UpChannel}


def up_filter(channel: UpChannel, *, share: str | None = None) -> str:
    """The subscription of the platform to one channel of every terminal.

    ``share`` names a shared-subscription group, so that several ingest processes divide the messages;
    the broker must know ``$share`` (Mosquitto, EMQX; the embedded one does not).
    """
    plain = f"{PREFIX}/+/up/{channel.value}"
    return f"$share/{share}/{plain}" if share else plain


def up_topic(terminal_id: UUID | str, channel: UpChannel) -> str:
    """Where this terminal sends."""
    return f"{PREFIX}/{terminal_id}/up/{channel.value}"


def down_topic(terminal_id: UUID | str, channel: DownChannel) -> str:
    """Where this terminal listens."""
    return f"{PREFIX}/{terminal_id}/down/{channel.value}"


def terminal_topics(terminal_id: UUID | str) -> dict[str, str]:
    """Every topic of one terminal by channel name, as its credential file shows them."""
    up = {channel.value: up_topic(terminal_id, channel) for channel in UpChannel}
    down = {channel.value: down_topic(terminal_id, channel) for channel in DownChannel}
    return up | down


# Cached because ingest parses the same few thousand topics all day, and building a UUID costs more than
# decoding the message that came with it. The bound keeps made-up topics from filling the memory.
@lru_cache(maxsize=131_072)
def parse_up(topic: str) -> UpTopic | None:
    """The terminal and the channel of an ``up`` topic; ``None`` for any other topic.

    The id must be written canonically (lower case, with hyphens): the same terminal under two spellings
    would be two users to the broker's access list.
    """
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "gy" or parts[1] != "v1" or parts[3] != "up":
        return None
    channel = _UP_CHANNELS.get(parts[4])
    if channel is None:
        return None
    try:
        terminal_id = UUID(parts[2])
    except ValueError:
        return None
    return UpTopic(terminal_id, channel) if str(terminal_id) == parts[2] else None
