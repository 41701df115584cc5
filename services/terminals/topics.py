"""The MQTT topic tree: ``gy/v1/{terminal_id}/{up|down}/{channel}``.

A terminal may write below its own ``up`` and read its own ``down``, nothing else (``broker_policy``).
"""

from enum import StrEnum
from typing import Final
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
