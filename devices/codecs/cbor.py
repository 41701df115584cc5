"""The platform's own message as CBOR (RFC 8949): the same fields and rules as the JSON, fewer bytes.

Refused: bytes behind the message, the same key twice, more than 16 levels. Tags are not followed, whatever they
ask for: tag 0 (a time as text) and 55799 (this is CBOR) give what they hold; what any other holds is left alone.
"""

from datetime import datetime
from io import BytesIO
from typing import Any, Final

import cbor2
import msgspec

from devices.codecs.codec import Codec
from devices.codecs.native_message import (
    WireVitals,
    alarm_of,
    name_refusal,
    status_of,
    vitals_of,
    why_vitals,
)
from devices.messages import MalformedMessage, Message, Receipt, StatusReceipt
from devices.topics import UpChannel

MAX_DEPTH: Final = 16

_TRANSPARENT: Final = (0, 55_799)
# Every tag that the library would act upon: dates, big numbers, decimals, shared and repeated values, regular
# expressions, MIME, networks, sets. None of them has business in a message, some are expensive, some make cycles.
_KNOWN_TAGS: Final = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43_000)


class _Tagged:
    """What stands under a tag."""


_OPAQUE: Final = _Tagged()


def _hold(value: Any, _immutable: bool) -> Any:
    return value


def _hide(_value: Any, _immutable: bool) -> Any:
    return _OPAQUE


def _unknown_tag(_tag: cbor2.CBORTag, _immutable: bool) -> Any:
    return _OPAQUE


_TAGS: Final = dict.fromkeys(_KNOWN_TAGS, _hide) | dict.fromkeys(_TRANSPARENT, _hold)

# The library wraps everything into its own error, which is no ValueError; the others are a guard.
_DECODE_ERRORS: Final = (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError)


def _parse(payload: bytes) -> Any:
    """Any CBOR value, or ``MalformedMessage`` with the reason."""
    decoder = cbor2.CBORDecoder(
        BytesIO(payload),
        semantic_decoders=_TAGS,
        tag_hook=_unknown_tag,
        max_depth=MAX_DEPTH,
        allow_duplicate_keys=False,
    )
    try:
        value = decoder.decode()
    except _DECODE_ERRORS as error:
        if "nesting depth" in str(error):
            raise MalformedMessage("too_deep", f"more than {MAX_DEPTH} levels") from None
        raise MalformedMessage("not_cbor", "not a CBOR data item") from None
    try:
        decoder.read(1)
    except cbor2.CBORDecodeEOF:
        return value
    raise MalformedMessage("not_cbor", "there are bytes behind the message")


def _vitals(value: Any) -> Message:
    try:
        wire = msgspec.convert(value, WireVitals)
    except (ValueError, RecursionError, OverflowError):
        raise why_vitals(value) from None
    for index, item in enumerate(wire.readings):
        numbers = (item.value, item.systolic, item.diastolic)
        # JSON has no such numbers; CBOR does.
        if any(number is not None and not -1.8e308 < number < 1.8e308 for number in numbers):
            raise MalformedMessage("out_of_range", f"readings[{index}] has a number that is not finite")
    return Message(vitals=vitals_of(wire))


_NAMES: Final = {UpChannel.VITALS: "seq", UpChannel.ALARM: "id", UpChannel.STATUS: ""}


def decode(channel: UpChannel, payload: bytes, received_at: datetime, limit: int) -> Message:
    """Whatever a terminal sends; see ``Codec``."""
    value: Any = None
    try:
        if len(payload) > limit:
            raise MalformedMessage("too_large", f"more than {limit} bytes")
        value = _parse(payload)
        if channel is UpChannel.VITALS:
            return _vitals(value)
        if channel is UpChannel.ALARM:
            return Message(alarms=(alarm_of(value, payload, received_at),))
        return Message(status=status_of(value))
    except MalformedMessage as refusal:
        name_refusal(refusal, value, payload, _NAMES[channel])
        raise


def _receipt(receipt: Receipt | StatusReceipt, _heartbeat_seconds: int | None) -> bytes | None:
    return None if isinstance(receipt, StatusReceipt) else cbor2.dumps(msgspec.to_builtins(receipt))


CODEC: Final = Codec("cbor", decode, _receipt, cbor2.dumps, in_json="base64")
