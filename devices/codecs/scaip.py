"""SCAIP (SS 91100:2014): alarms and heartbeats of social alarm units, as flat XML, with an XML reply.

Only what ``data/scaip_codes.json`` knows is given a meaning; a message with any other code is an alarm of unknown
kind, because missing a call is worse than looking after one too many. Codes are compared with four digits: ``10``,
``010`` and ``0010`` are one. SCAIP carries no readings and no time.

The XML parser is expat. A document type is refused before anything in it is read, so there are no entities to
expand and nothing outside to fetch; depth and size are limited.
"""

from datetime import datetime
from importlib.resources import files
from typing import Any, Final, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape

import msgspec

from devices.codecs.codec import Codec, arrival_id, payload_digest
from devices.codecs.lenient import clean, read_alarm_id
from devices.codecs.native_message import NOTE_LENGTH
from devices.messages import (
    Alarm,
    AlarmKind,
    AlarmReceipt,
    MalformedMessage,
    Message,
    Receipt,
    RefusedReceipt,
    StatusMessage,
    StatusReceipt,
)
from devices.topics import UpChannel

_CODES: Final[dict[str, Any]] = msgspec.json.decode(
    (files("devices.codecs") / "data" / "scaip_codes.json").read_bytes()
)
_KINDS: Final = {code: AlarmKind(entry["alarm"]) for code, entry in _CODES["device_types"].items()}
_TYPES: Final[dict[str, str]] = _CODES["message_types"]
_REPLIES: Final[dict[str, str]] = _CODES["replies"]
_MANUAL: Final = "0010"
_NORMAL: Final = "0070"
# Not among them: `crd`, which is a telephone number.
_TEXTS: Final = ("dte", "lte", "ite", "ame")

_REPLY_ROOT: Final[str] = _CODES["reply_root"]
_HEARTBEAT_UNIT: Final[int] = _CODES["heartbeat_unit_seconds"]
MAX_TAGS: Final = 64
MAX_DEPTH: Final = 4


class _Reader:
    """Gathers the tags of one document; keeps what was read when the document breaks off."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self._open: list[str] = []
        self._text: list[str] = []

    def read(self, payload: bytes) -> bool:
        """Whether the document was whole. ``MalformedMessage`` for what is refused on sight."""
        parser = expat.ParserCreate(encoding="utf-8" if _is_utf8(payload) else "iso-8859-1")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        try:
            parser.Parse(payload, True)
        except expat.ExpatError:
            return False
        return True

    def _refuse(self, *_: object) -> NoReturn:
        raise MalformedMessage("forbidden_xml", "a document type or an entity declaration")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._open.append(name)
        self._text.clear()
        if len(self._open) > MAX_DEPTH:
            raise MalformedMessage("too_deep", f"more than {MAX_DEPTH} levels")

    def _end(self, name: str) -> None:
        self._open.pop()
        if self._open and len(self.tags) < MAX_TAGS:
            # The first one stands: a second would be somebody's attempt to say two things at once.
            self.tags.setdefault(name, "".join(self._text).strip())
        self._text.clear()


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _code(text: str | None) -> str | None:
    """A code with four digits; ``None`` when there is none."""
    if not text:
        return None
    return text.zfill(4) if text.isascii() and text.isdecimal() else text


def _is_alarm(message_type: str | None, status: str | None) -> bool:
    """A pressed button is an alarm whatever the message calls itself; "normal" is none."""
    if status == _MANUAL:
        return True
    return _TYPES.get(message_type or "ME", "alarm") == "alarm" and status != _NORMAL


def _alarm(tags: dict[str, str], is_whole: bool, payload: bytes, received_at: datetime) -> Alarm:
    device, status = _code(tags.get("dty")), _code(tags.get("stc"))
    marks = ["time_missing"]
    if not is_whole:
        marks.append("xml_broken")
    kind = _KINDS.get(device or "", AlarmKind.UNKNOWN)
    if kind is AlarmKind.UNKNOWN and status == _MANUAL:
        kind = AlarmKind.SOS
    if kind is AlarmKind.UNKNOWN:
        marks.append("kind_unknown")
    reference = _reference(tags)
    if reference is None:
        marks.append("id_missing")
    said = clean(f"dty {device or '?'} stc {status or '?'}", NOTE_LENGTH)
    return Alarm(
        id=arrival_id(reference or payload_digest(payload), received_at),
        kind=kind,
        at=received_at,
        time_source="server",
        reported_kind=said,
        note=clean("; ".join(tags[tag] for tag in _TEXTS if tags.get(tag)), NOTE_LENGTH),
        marks=tuple(marks),
    )


def _reference(tags: dict[str, str]) -> str | None:
    """The unit's own number of the message; it may begin anew after a restart, so it names no press for ever."""
    reference = read_alarm_id(tags.get("ref"))
    return reference if reference is not None and len(reference) <= 50 and "@" not in reference else None


def decode(channel: UpChannel, payload: bytes, received_at: datetime, limit: int) -> Message:  # noqa: ARG001  SCAIP says itself what it is
    """Whatever a unit sends, on any channel; see ``Codec``."""
    reader = _Reader()
    try:
        return _decode(reader, payload, received_at, limit)
    except MalformedMessage as refusal:
        refusal.id = _reference(reader.tags) or payload_digest(payload)
        raise


def _decode(reader: _Reader, payload: bytes, received_at: datetime, limit: int) -> Message:
    if len(payload) > limit:
        raise MalformedMessage("too_large", f"more than {limit} bytes")
    is_whole = reader.read(payload)
    tags = reader.tags
    says_something = any(tags.get(tag) for tag in ("mty", "dty", "stc"))
    if not says_something and not is_whole:
        raise MalformedMessage("not_xml", "not an XML document")
    if not says_something:
        raise MalformedMessage("missing_field", "mty, dty or stc")
    if _is_alarm(tags.get("mty", "").upper() or None, _code(tags.get("stc"))):
        return Message(alarms=(_alarm(tags, is_whole, payload, received_at),))
    if not is_whole:
        raise MalformedMessage("not_xml", "the document breaks off")
    return Message(status=StatusMessage(state="heartbeat", id=_reference(tags) or payload_digest(payload)))


def _receipt(receipt: Receipt | StatusReceipt, heartbeat_seconds: int | None) -> bytes | None:
    """The reply: one to each message; SCAIP has no word for what a centre does later."""
    if isinstance(receipt, StatusReceipt):
        return _reply(receipt.id, "ok", heartbeat_seconds)
    if isinstance(receipt, AlarmReceipt):
        reference = receipt.id.rsplit("@", 1)[0]
        return _reply(reference, "ok", None) if receipt.state == "received" else None
    if isinstance(receipt, RefusedReceipt):
        answers = {"too_large": "too_long", "missing_field": "missing", "unknown_codec": "not_treated"}
        return _reply(receipt.id, answers.get(receipt.code, "format"), None)
    return None


def _reply(reference: str | None, answer: str, heartbeat_seconds: int | None) -> bytes:
    tags = {"ref": reference, "snu": _REPLIES[answer]}
    if heartbeat_seconds is not None:
        tags["hbi"] = str(max(1, round(heartbeat_seconds / _HEARTBEAT_UNIT)))
    inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in tags.items() if text)
    return f"<{_REPLY_ROOT}>{inner}</{_REPLY_ROOT}>".encode()


def _command(_: dict[str, Any]) -> None:
    """SCAIP has none: what a centre wants of a unit it says in the call."""


CODEC: Final = Codec("scaip", decode, _receipt, _command, in_json="text")
