"""The platform's own message format: JSON in UTF-8, as ``docs/mqtt.md`` describes it.

The rules of the fields are ``native_message``'s; here are the bytes. Nothing is raised but ``MalformedMessage``,
whatever the bytes.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from devices.codecs.codec import ALARM_LIMIT as ALARM_LIMIT
from devices.codecs.codec import STATUS_LIMIT as STATUS_LIMIT
from devices.codecs.codec import VITALS_LIMIT as VITALS_LIMIT
from devices.codecs.codec import Codec
from devices.codecs.codec import payload_digest as payload_digest
from devices.codecs.native_message import (
    WireVitals,
    alarm_of,
    name_refusal,
    status_of,
    vitals_of,
    why_vitals,
)
from devices.messages import (
    Alarm,
    MalformedMessage,
    Message,
    Receipt,
    StatusMessage,
    StatusReceipt,
    VitalsMessage,
    encode_receipt,
)
from devices.topics import UpChannel

_vitals_decoder: Final = msgspec.json.Decoder(WireVitals)
_any_decoder: Final = msgspec.json.Decoder()

# What msgspec raises: its own errors and UnicodeDecodeError are ValueErrors, deep nesting a RecursionError.
_DECODE_ERRORS: Final = (ValueError, RecursionError)


def decode_vitals(payload: bytes, *, limit: int = VITALS_LIMIT) -> VitalsMessage:
    """Read an ``up/vitals`` message: taken whole or refused whole. Raises ``MalformedMessage``."""
    try:
        if len(payload) > limit:
            raise MalformedMessage("too_large", f"more than {limit} bytes")
        try:
            wire = _vitals_decoder.decode(payload)
        except _DECODE_ERRORS:
            raise why_vitals(parse(payload)) from None
        return vitals_of(wire)
    except MalformedMessage as refusal:
        _name(refusal, payload, "seq")
        raise


def parse(payload: bytes) -> Any:
    """Any JSON value, or ``MalformedMessage`` with the reason."""
    try:
        return _any_decoder.decode(payload)
    except RecursionError:
        raise MalformedMessage("too_deep", "nested too deeply") from None
    except ValueError as error:
        if isinstance(error, msgspec.ValidationError):
            raise MalformedMessage("out_of_range", "a number is too large") from None
        if _is_utf8(payload):
            raise MalformedMessage("not_json", "not a JSON text") from None
        raise MalformedMessage("not_utf8", "not UTF-8") from None


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _name(refusal: MalformedMessage, payload: bytes, field: str) -> None:
    try:
        message = parse(payload)
    except MalformedMessage:
        message = None
    name_refusal(refusal, message, payload, field)


def decode_alarm(payload: bytes, received_at: datetime, *, limit: int = ALARM_LIMIT) -> Alarm:
    """Read an ``up/alarm`` message; see ``alarm_of``."""
    try:
        if len(payload) > limit:
            raise MalformedMessage("too_large", f"more than {limit} bytes")
        return alarm_of(parse(payload), payload, received_at)
    except MalformedMessage as refusal:
        _name(refusal, payload, "id")
        raise


def decode_status(payload: bytes, *, limit: int = STATUS_LIMIT) -> StatusMessage:
    """Read an ``up/status`` message; see ``status_of``."""
    try:
        if len(payload) > limit:
            raise MalformedMessage("too_large", f"more than {limit} bytes")
        return status_of(parse(payload))
    except MalformedMessage as refusal:
        _name(refusal, payload, "")
        raise


def decode(channel: UpChannel, payload: bytes, received_at: datetime, limit: int) -> Message:
    """Whatever a terminal sends; see ``Codec``."""
    if channel is UpChannel.VITALS:
        return Message(vitals=decode_vitals(payload, limit=limit))
    if channel is UpChannel.ALARM:
        return Message(alarms=(decode_alarm(payload, received_at, limit=limit),))
    return Message(status=decode_status(payload, limit=limit))


def _receipt(receipt: Receipt | StatusReceipt, _heartbeat_seconds: int | None) -> bytes | None:
    return None if isinstance(receipt, StatusReceipt) else encode_receipt(receipt)


CODEC: Final = Codec("native_json", decode, _receipt, msgspec.json.encode)
