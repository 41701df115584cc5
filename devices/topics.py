"""The platform's side of the topic tree: what it subscribes to, and reading a topic.

The tree itself stands in ``services.terminals.topics``.
"""

from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from services.terminals.topics import PREFIX as PREFIX
from services.terminals.topics import DownChannel as DownChannel
from services.terminals.topics import UpChannel as UpChannel
from services.terminals.topics import down_topic as down_topic
from services.terminals.topics import terminal_topics as terminal_topics
from services.terminals.topics import up_topic as up_topic


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
