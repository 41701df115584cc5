"""What travels between terminals and the platform, in its canonical form.

Codecs turn bytes into these types; everything behind a codec sees only them. Times are UTC, kinds are
enumerations, units are the ones named at ``ReadingKind``.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

from services.vitals.kinds import ReadingKind as ReadingKind

MAX_READINGS: Final = 500
MAX_SEQ: Final = 2**63 - 1
"""The largest sequence number: what a signed 64-bit column holds."""
MAX_ID_LENGTH: Final = 64


class AlarmKind(StrEnum):
    """What a terminal can call for. ``UNKNOWN`` is any kind this version has no name for: still an alarm.

    ``TEST`` alone calls nobody: it shows that a call would arrive.
    """

    SOS = "sos"
    FALL = "fall"
    FALL_CANCEL = "fall_cancel"
    SMOKE = "smoke"
    GAS = "gas"
    WATER = "water"
    HELP_CORD = "help_cord"
    TEST = "test"
    UNKNOWN = "unknown"


class MalformedMessage(Exception):
    """A message that its codec refuses.

    ``code`` is stable and documented in ``docs/mqtt.md``; ``detail`` says where, and never holds a value
    out of the payload: it is logged, and payloads are health data. ``seq`` or else ``id`` names the message
    to its terminal; the id is the SHA-256 of the payload where the message's own could not be read.
    ``alarms`` are those that were found in it all the same: the refusal of a number must not swallow a call.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.seq: int | None = None
        self.id: str | None = None
        self.alarms: tuple[Alarm, ...] = ()

    def receipt(self, topic: Literal["vitals", "alarm", "status"], at: datetime) -> "RefusedReceipt":
        """What its terminal is told, once the message is kept as a dead letter."""
        return RefusedReceipt(topic=topic, code=self.code, at=at, seq=self.seq, id=self.id)


class Position(msgspec.Struct, frozen=True, gc=False):
    """Where the terminal believes it is: WGS-84 degrees, accuracy as a radius in metres when known."""

    lat: float
    lng: float
    accuracy_m: float | None = None


class Alarm(msgspec.Struct, frozen=True):
    """One press, fall or detector alarm. The same ``id`` again is the same occurrence.

    ``at`` is the best known time: the terminal's, or the server's where the terminal's was missing or
    absurd (``time_source`` tells). ``reported_at`` keeps what the terminal said, right or wrong.
    ``marks`` names everything that had to be forgiven in reading it.
    """

    id: str
    kind: AlarmKind
    at: datetime
    time_source: Literal["terminal", "server"]
    reported_at: datetime | None = None
    reported_kind: str | None = None
    position: Position | None = None
    battery: int | None = None
    note: str | None = None
    marks: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One finite value as measured, plausible or not: judging it is the domain's work."""

    kind: ReadingKind
    value: float
    measured_at: datetime


class VitalsMessage(msgspec.Struct, frozen=True, gc=False):
    """The readings of one message, under a sequence number that its terminal never uses again."""

    seq: int
    readings: tuple[Reading, ...]


class CommandReport(msgspec.Struct, frozen=True):
    """A terminal's word on one command: it has it, has done it, could not, or will not."""

    id: str
    state: Literal["received", "done", "failed", "refused"]
    detail: str | None = None
    position: Position | None = None


class StatusMessage(msgspec.Struct, frozen=True):
    """A heartbeat, a greeting, or the last will. Fields that could not be read are absent.

    ``id`` only where its format wants an answer to it. ``sensors``: which kinds of reading the terminal has
    switched on or off itself. ``command``: how far it has come with something it was told to do.
    """

    state: Literal["online", "offline", "heartbeat"]
    at: datetime | None = None
    battery: int | None = None
    signal_dbm: int | None = None
    firmware: str | None = None
    marks: tuple[str, ...] = ()
    id: str | None = None
    tamper: bool | None = None
    sensors: dict[str, Literal["on", "off"]] | None = None
    command: CommandReport | None = None


class Message(msgspec.Struct, frozen=True, gc=False):
    """All that one payload says, whatever its codec and the channel it came on.

    ``marks`` names what its codec left out. Nothing at all is said by, for example, "no alarm".
    """

    alarms: tuple[Alarm, ...] = ()
    vitals: VitalsMessage | None = None
    status: StatusMessage | None = None
    marks: tuple[str, ...] = ()


class VitalsReceipt(msgspec.Struct, frozen=True, tag_field="type", tag="vitals"):
    """Exactly these sequence numbers are stored: inclusive ranges, ascending."""

    ranges: tuple[tuple[int, int], ...]
    at: datetime


class AlarmReceipt(msgspec.Struct, frozen=True, tag_field="type", tag="alarm"):
    """The alarm ``id`` is stored, or has come further. ``received`` is the one that ends the repeating."""

    id: str
    state: Literal["received", "acknowledged", "on_the_way", "resolved"]
    at: datetime
    alert_id: str | None = None


class RefusedReceipt(msgspec.Struct, frozen=True, tag_field="type", tag="refused"):
    """A message that could not be read, kept as a dead letter. Sending it again would change nothing.

    ``id`` is the SHA-256 of its payload (hexadecimal) where neither ``seq`` nor an id could be read.
    """

    topic: Literal["vitals", "alarm", "status"]
    code: str
    at: datetime
    seq: int | None = None
    id: str | None = None


class StatusReceipt(msgspec.Struct, frozen=True):
    """A heartbeat has been heard. Only for formats that want an answer to it; ``id`` is the heartbeat's own."""

    id: str
    at: datetime


class Command(msgspec.Struct, frozen=True):
    """Something a terminal is to do, once, and not after ``expires_at``."""

    id: str
    kind: str
    expires_at: datetime
    args: dict[str, Any] = {}


Receipt = VitalsReceipt | AlarmReceipt | RefusedReceipt

_encoder: Final = msgspec.json.Encoder()
_receipt_decoder: Final[msgspec.json.Decoder[Receipt]] = msgspec.json.Decoder(Receipt)
_command_decoder: Final = msgspec.json.Decoder(Command)


def encode_receipt(receipt: Receipt) -> bytes:
    """The receipt as it goes to ``down/receipt``."""
    return _encoder.encode(receipt)


def decode_receipt(payload: bytes) -> Receipt:
    """Read a receipt, on the terminal's side.

    Raises ``MalformedMessage`` with ``bad_receipt``: a terminal ignores what it does not understand,
    so that a newer platform can say more.
    """
    try:
        return _receipt_decoder.decode(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("bad_receipt", "not a receipt of this version") from error


def decode_command(payload: bytes) -> Command:
    """Read a command, on the terminal's side. ``MalformedMessage`` with ``bad_command``: it is then ignored."""
    try:
        command = _command_decoder.decode(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("bad_command", "not a command of this version") from error
    if command.expires_at.tzinfo is None:
        raise MalformedMessage("bad_command", "expires_at has no offset")
    return command


def seq_ranges(seqs: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Compress sequence numbers, in any order and with repeats, into ascending inclusive ranges."""
    ranges: list[tuple[int, int]] = []
    first = last = -2
    for seq in sorted(seqs):
        if seq <= last + 1 and ranges:
            last = max(last, seq)
            ranges[-1] = (first, last)
        else:
            first = last = seq
            ranges.append((first, last))
    return tuple(ranges)
