"""A terminal that follows the protocol: what it keeps, what it sends again, what lets it forget.

Pure: it is told the time (seconds of a monotonic clock) and answers with messages; ``terminal_driver``
runs it over a connection. ``docs/mqtt.md`` describes the same behaviour to makers of real terminals.
"""

import heapq
import json
from collections import deque
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import uuid4

from devices.codecs.native_json import payload_digest
from devices.messages import (
    AlarmReceipt,
    MalformedMessage,
    RefusedReceipt,
    VitalsReceipt,
    decode_command,
    decode_receipt,
)
from devices.topics import UpChannel
from services.core.clock import BUSINESS_ZONE

CAPACITY: Final = 10_000
WINDOW: Final = 200
ALARM_REPEAT: Final = (2.0, 30.0)
VITALS_REPEAT: Final = (10.0, 60.0)
COMMANDS_KEPT: Final = 100
"""How many commands are remembered, so that none is carried out twice."""


def wire_time(at: datetime) -> str:
    """A time as a terminal writes it: RFC 3339, milliseconds, its own offset."""
    return at.astimezone(BUSINESS_ZONE).isoformat(timespec="milliseconds")


def encode_message(message: Mapping[str, Any]) -> bytes:
    """Compact JSON in UTF-8, Chinese as itself."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to send now. ``attempt`` counts from 1."""

    channel: UpChannel
    payload: bytes
    attempt: int


@dataclass(frozen=True, slots=True)
class AlarmNews:
    """The platform's word on one of our alarms, for the wearer to see or hear."""

    id: str
    state: Literal["received", "acknowledged", "on_the_way", "resolved", "refused"]


@dataclass(slots=True)
class Counters:
    """What has happened so far, in messages. ``sent`` counts each once, ``resent`` the repeats."""

    sent: int = 0
    resent: int = 0
    receipted: int = 0
    refused: int = 0
    dropped: int = 0
    strange_receipts: int = 0
    strange_commands: int = 0
    expired_commands: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """A command to carry out now. ``kind`` is one that this terminal knows."""

    id: str
    kind: str
    args: Mapping[str, Any]


class _Pending:
    __slots__ = ("attempt", "channel", "due", "payload")

    def __init__(self, channel: UpChannel, payload: bytes, due: float) -> None:
        self.channel = channel
        self.payload = payload
        self.due = due
        self.attempt = 0


class TerminalProtocol:
    """The unreceipted messages of one terminal, and when each is sent next.

    Vitals wait in a ring of ``capacity`` messages; when it is full the oldest is dropped and counted. At
    most ``window`` of them are on their way at once, so that a terminal back from a long outage empties
    its ring at the pace of the receipts. Alarms are neither bounded nor held back.
    """

    def __init__(self, first_seq: int, *, capacity: int = CAPACITY, window: int = WINDOW) -> None:
        self._next_seq = first_seq
        self._capacity = capacity
        self._window = window
        self._alarms: dict[str, _Pending] = {}
        self._vitals: dict[int, _Pending] = {}
        self._unsent: deque[int] = deque()  # never sent, ascending; a seq no longer in _vitals is skipped
        self._repeats: list[tuple[float, int]] = []  # a heap of (due, seq), skipped likewise
        self._flying = 0
        self._commands: dict[str, dict[str, Any]] = {}  # by id, what was answered last
        self.counters = Counters()

    @property
    def pending_vitals(self) -> int:
        """Vitals messages without a receipt."""
        return len(self._vitals)

    @property
    def pending_alarms(self) -> int:
        """Alarms without a receipt."""
        return len(self._alarms)

    @property
    def next_seq(self) -> int:
        """The sequence number of the next vitals message; a terminal keeps it over a restart."""
        return self._next_seq

    def measure(self, readings: Sequence[Mapping[str, Any]], now: float) -> int:
        """Take readings (as they go on the wire) to be sent in one message; returns its ``seq``."""
        seq = self._next_seq
        self._next_seq += 1
        if len(self._vitals) >= self._capacity:
            oldest = next(iter(self._vitals))
            self._forget(oldest)
            self.counters.dropped += 1
        self._vitals[seq] = _Pending(
            UpChannel.VITALS, encode_message({"seq": seq, "readings": list(readings)}), now
        )
        self._unsent.append(seq)
        return seq

    def press(self, kind: str, at: datetime, now: float, **extra: Any) -> str:
        """Raise an alarm (a new press, a new id); returns its id. ``extra``: position, battery, note."""
        alarm_id = str(uuid4())
        payload = encode_message({"id": alarm_id, "kind": kind, "at": wire_time(at), **extra})
        self._alarms[alarm_id] = _Pending(UpChannel.ALARM, payload, now)
        return alarm_id

    def on_connected(self, now: float) -> None:
        """A new connection: alarms are sent again at once, vitals when their time comes."""
        for pending in self._alarms.values():
            pending.due = min(pending.due, now)

    def due(self, now: float) -> list[Outgoing]:
        """What is to be sent now, alarms first. Call it only with a connection: asking counts as sending."""
        messages = [self._send(p, now, ALARM_REPEAT) for p in self._alarms.values() if p.due <= now]
        while self._repeats and self._repeats[0][0] <= now:
            _, seq = heapq.heappop(self._repeats)
            pending = self._vitals.get(seq)
            if pending is not None:
                messages.append(self._send_vitals(seq, pending, now))
        while self._unsent and self._flying < self._window:
            seq = self._unsent.popleft()
            pending = self._vitals.get(seq)
            if pending is not None:
                self._flying += 1
                messages.append(self._send_vitals(seq, pending, now))
        return messages

    def next_due(self) -> float | None:
        """When ``due`` has something again; ``None`` when only a receipt or a new message can change that."""
        times = [pending.due for pending in self._alarms.values()]
        while self._repeats and self._repeats[0][1] not in self._vitals:
            heapq.heappop(self._repeats)
        if self._repeats:
            times.append(self._repeats[0][0])
        if self._flying < self._window:
            while self._unsent and self._unsent[0] not in self._vitals:
                self._unsent.popleft()
            if self._unsent:
                times.append(self._vitals[self._unsent[0]].due)
        return min(times, default=None)

    def _send(self, pending: _Pending, now: float, repeat: tuple[float, float]) -> Outgoing:
        pending.attempt += 1
        first, longest = repeat
        pending.due = now + min(longest, first * 2 ** min(pending.attempt - 1, 10))
        if pending.attempt == 1:
            self.counters.sent += 1
        else:
            self.counters.resent += 1
        return Outgoing(pending.channel, pending.payload, pending.attempt)

    def _send_vitals(self, seq: int, pending: _Pending, now: float) -> Outgoing:
        message = self._send(pending, now, VITALS_REPEAT)
        heapq.heappush(self._repeats, (pending.due, seq))
        return message

    def _forget(self, seq: int) -> bool:
        pending = self._vitals.pop(seq, None)
        if pending is None:
            return False
        self._flying -= pending.attempt > 0
        return True

    def on_receipt(self, payload: bytes) -> list[AlarmNews]:
        """Take in a ``down/receipt``. Anything not understood is counted and otherwise ignored."""
        try:
            receipt = decode_receipt(payload)
        except MalformedMessage:
            self.counters.strange_receipts += 1
            return []
        if isinstance(receipt, VitalsReceipt):
            for first, last in receipt.ranges:
                self.counters.receipted += self._forget_range(first, last)
            return []
        if isinstance(receipt, AlarmReceipt):
            if self._alarms.pop(receipt.id, None) is not None:
                self.counters.receipted += 1
            return [AlarmNews(receipt.id, receipt.state)]
        return self._on_refused(receipt)

    def _forget_range(self, first: int, last: int) -> int:
        # Over whichever is shorter: a range is the platform's to choose, and may be absurdly long.
        if last - first < len(self._vitals):
            seqs = list(range(first, last + 1))
        else:
            seqs = [seq for seq in self._vitals if first <= seq <= last]
        return sum(map(self._forget, seqs))

    def on_command(
        self, payload: bytes, at: datetime, knows: Container[str]
    ) -> tuple[Order | None, dict[str, Any] | None]:
        """Take in a ``down/command`` at a moment: what to do, and what to answer at once in the next status.

        Nothing to do: one that has expired or cannot be read (no answer either), one that came before (it is
        answered as it was then), one of a kind that it does not know.
        """
        try:
            command = decode_command(payload)
        except MalformedMessage:
            self.counters.strange_commands += 1
            return None, None
        answered = self._commands.get(command.id)
        if answered is not None:
            return None, answered
        if at >= command.expires_at:
            self.counters.expired_commands += 1
            return None, None
        if command.kind not in knows:
            return None, self.answer_command(command.id, "refused", detail="unknown kind")
        return Order(command.id, command.kind, command.args), self.answer_command(command.id, "received")

    def answer_command(
        self, command_id: str, state: Literal["received", "done", "failed", "refused"], **more: Any
    ) -> dict[str, Any]:
        """Remember how far a command has come; gives the ``command`` of the status that says so."""
        while len(self._commands) >= COMMANDS_KEPT and command_id not in self._commands:
            del self._commands[next(iter(self._commands))]
        answer = {"id": command_id, "state": state, **more}
        self._commands[command_id] = answer
        return answer

    def _on_refused(self, receipt: RefusedReceipt) -> list[AlarmNews]:
        """Forget it: by its number or id, or by its SHA-256 where the platform could read neither."""
        if receipt.topic == "vitals":
            seq = receipt.seq
            if seq is None and receipt.id is not None:
                digests = ((s, payload_digest(p.payload)) for s, p in self._vitals.items())
                seq = next((s for s, digest in digests if digest == receipt.id), None)
            self.counters.refused += seq is not None and self._forget(seq)
        elif receipt.topic == "alarm":
            for alarm_id, pending in list(self._alarms.items()):
                if receipt.id in (alarm_id, payload_digest(pending.payload)):
                    del self._alarms[alarm_id]
                    self.counters.refused += 1
                    return [AlarmNews(alarm_id, "refused")]
        return []
