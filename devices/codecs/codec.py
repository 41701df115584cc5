"""What a codec is: bytes in, one canonical message out or a refusal, and receipts in its own language.

A codec is a file in this folder that ends with ``CODEC = Codec(...)``, and a line in ``registry.NAMES``.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from devices.messages import Message, Receipt, StatusReceipt
from devices.topics import UpChannel

ALARM_LIMIT: Final = 16_384
VITALS_LIMIT: Final = 65_536
STATUS_LIMIT: Final = 4_096

Decode = Callable[[UpChannel, bytes, datetime, int], Message]
"""Channel, payload, time of arrival (aware), limit in bytes. Raises ``MalformedMessage`` and nothing else.

Pure. Vitals are strict: taken whole or refused whole. Alarms are lenient: whatever can be recognised as one is
one, on whichever channel it comes; what else is wrong with it is marked.
"""

EncodeReceipt = Callable[[Receipt | StatusReceipt, int | None], bytes | None]
"""A receipt, and the heartbeat interval in seconds that the terminal's profile asks for, if it is known.

``None`` where the format has no word for it: then nothing is sent.
"""


EncodeCommand = Callable[[dict[str, Any]], bytes | None]
"""A command as ``docs/mqtt.md`` describes it; ``None`` where the format has none."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One language that terminals speak."""

    name: str
    decode: Decode
    encode_receipt: EncodeReceipt
    encode_command: EncodeCommand
    in_json: Literal["value", "text", "base64"] = "value"
    """How a payload stands in a JSON document, where a vendor's cloud wraps it in one."""


def payload_digest(payload: bytes) -> str:
    """The name of a message that brought none: the same bytes again are the same message."""
    return hashlib.sha256(payload).hexdigest()


def arrival_id(name: str, received_at: datetime) -> str:
    """The id of a press that brings neither an id nor a time of its own: its name and the minute of its arrival.

    Without the minute a terminal that sends the same bytes for every press would be heard once in its life. A
    repeat in another minute counts as another press, which is the harmless mistake. 64 characters at most.
    """
    return f"{name[:50]}@{received_at:%Y%m%d%H%M}"


def payload_seq(payload: bytes) -> int:
    """A sequence number for formats that have none: the first 63 bits of the payload's SHA-256."""
    return int.from_bytes(hashlib.sha256(payload).digest()[:8], "big") >> 1
