"""Every codec by its name: the name is its file's, and the word in a terminal's profile."""

from datetime import datetime
from importlib import import_module
from typing import Any, Final

from devices.codecs.codec import Codec, payload_digest
from devices.messages import MalformedMessage, Message, Receipt, StatusReceipt
from devices.topics import UpChannel

NATIVE: Final = "native_json"

NAMES: Final = (
    "native_json",
    "cbor",
    "thingsboard",
    "scaip",
)
"""One line for each codec."""


def _load(name: str) -> Codec:
    codec: Codec = import_module(f"devices.codecs.{name}").CODEC
    return codec


CODECS: Final[dict[str, Codec]] = {name: _load(name) for name in NAMES}


def decode(codec: str, channel: UpChannel, payload: bytes, received_at: datetime, limit: int) -> Message:
    """Read a payload with the codec of that name; ``MalformedMessage`` also for a name that is not known.

    A profile may name a codec that this version does not have: its alarms are then unreadable ones.
    """
    known = CODECS.get(codec)
    if known is not None:
        return known.decode(channel, payload, received_at, limit)
    refusal = MalformedMessage("unknown_codec", "the profile names a codec that this version does not know")
    refusal.id = payload_digest(payload)
    raise refusal


def encode_command(codec: str, command: dict[str, Any]) -> bytes | None:
    """A command for a terminal of that codec, ``None`` where its format has none."""
    return CODECS.get(codec, CODECS[NATIVE]).encode_command(command)


def encode_answer(codec: str, answer: Receipt | StatusReceipt, heartbeat_seconds: int | None) -> bytes | None:
    """What a terminal of that codec is told, ``None`` where its format has no word for it."""
    return CODECS.get(codec, CODECS[NATIVE]).encode_receipt(answer, heartbeat_seconds)
