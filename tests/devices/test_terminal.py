"""The terminal's side of the protocol: repeating, forgetting, bounds."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devices.codecs.native_json import decode_alarm, decode_vitals, payload_digest
from devices.messages import AlarmReceipt, RefusedReceipt, VitalsReceipt, encode_receipt, seq_ranges
from devices.terminal import AlarmNews, Outgoing, TerminalProtocol
from devices.topics import UpChannel

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
READING = {"kind": "spo2", "value": 97, "at": "2026-11-22T16:00:00+08:00"}


def seqs(messages: list[Outgoing]) -> list[int]:
    return [decode_vitals(m.payload).seq for m in messages if m.channel is UpChannel.VITALS]


def receipted(*numbers: int) -> bytes:
    return encode_receipt(VitalsReceipt(seq_ranges(numbers), AT))


def test_vitals_are_repeated_later_and_later_until_their_receipt() -> None:
    terminal = TerminalProtocol(100)
    terminal.measure([READING], 0)
    sent_at = []
    now = 0.0
    while now < 200:
        if terminal.due(now):
            sent_at.append(now)
        next_due = terminal.next_due()
        assert next_due is not None
        now = next_due
    assert sent_at == [0, 10, 30, 70, 130, 190]
    terminal.on_receipt(receipted(100))
    assert (terminal.due(999), terminal.next_due(), terminal.pending_vitals) == ([], None, 0)
    assert (terminal.counters.sent, terminal.counters.resent, terminal.counters.receipted) == (1, 5, 1)


def test_an_alarm_is_repeated_every_two_seconds_at_first_and_every_thirty_at_last() -> None:
    terminal = TerminalProtocol(1)
    alarm_id = terminal.press("sos", AT, 0, battery=50)
    payloads, sent_at, now = set(), [], 0.0
    while now < 130:
        for message in terminal.due(now):
            sent_at.append(now)
            payloads.add(message.payload)
        now = terminal.next_due() or 999
    assert sent_at == [0, 2, 6, 14, 30, 60, 90, 120]
    [payload] = payloads  # the very same bytes each time
    assert decode_alarm(payload, AT).id == alarm_id
    news = terminal.on_receipt(encode_receipt(AlarmReceipt(alarm_id, "received", AT)))
    assert news == [AlarmNews(alarm_id, "received")]
    assert terminal.next_due() is None
    later = terminal.on_receipt(encode_receipt(AlarmReceipt(alarm_id, "on_the_way", AT)))
    assert later == [AlarmNews(alarm_id, "on_the_way")]
    assert terminal.counters.receipted == 1


def test_alarms_go_first_and_at_once_after_a_reconnect() -> None:
    terminal = TerminalProtocol(1)
    terminal.measure([READING], 0)
    terminal.press("fall", AT, 0)
    assert [m.channel for m in terminal.due(0)] == [UpChannel.ALARM, UpChannel.VITALS]
    assert terminal.due(1) == []
    terminal.on_connected(1)
    assert [m.channel for m in terminal.due(1)] == [UpChannel.ALARM]


def test_receipts_are_selective() -> None:
    terminal = TerminalProtocol(1)
    for _ in range(10):
        terminal.measure([READING], 0)
    terminal.due(0)
    terminal.on_receipt(receipted(1, 2, 5, 9, 10, 77))
    assert seqs(terminal.due(10)) == [3, 4, 6, 7, 8]


def test_a_full_ring_drops_the_oldest() -> None:
    terminal = TerminalProtocol(1, capacity=3)
    for _ in range(5):
        terminal.measure([READING], 0)
    assert seqs(terminal.due(0)) == [3, 4, 5]
    assert terminal.counters.dropped == 2


def test_a_long_backlog_goes_out_at_the_pace_of_the_receipts() -> None:
    terminal = TerminalProtocol(1, window=2)
    for _ in range(5):
        terminal.measure([READING], 0)
    assert seqs(terminal.due(0)) == [1, 2]
    assert seqs(terminal.due(1)) == []
    terminal.on_receipt(receipted(2))
    assert seqs(terminal.due(1)) == [3]


def test_what_was_refused_is_not_sent_again() -> None:
    terminal = TerminalProtocol(1)
    terminal.measure([READING], 0)
    first, second = terminal.press("sos", AT, 0), terminal.press("sos", AT, 0)
    payload = next(m.payload for m in terminal.due(0) if first.encode() in m.payload)
    terminal.on_receipt(encode_receipt(RefusedReceipt("vitals", "bad_unit", AT, seq=1)))
    news = terminal.on_receipt(encode_receipt(RefusedReceipt("alarm", "x", AT, id=payload_digest(payload))))
    assert news == [AlarmNews(first, "refused")]
    terminal.on_receipt(encode_receipt(RefusedReceipt("alarm", "x", AT, id=second)))
    terminal.on_receipt(encode_receipt(RefusedReceipt("status", "x", AT)))
    assert (terminal.counters.refused, terminal.next_due()) == (3, None)


def test_a_refusal_by_digest() -> None:
    terminal = TerminalProtocol(1)
    terminal.measure([READING], 0)
    terminal.measure([READING], 0)
    [first, _] = terminal.due(0)
    refusal = RefusedReceipt("vitals", "too_large", AT, id=payload_digest(first.payload))
    terminal.on_receipt(encode_receipt(refusal))
    assert seqs(terminal.due(10)) == [2]


def test_strange_receipts_are_counted_and_nothing_else() -> None:
    terminal = TerminalProtocol(1)
    terminal.measure([READING], 0)
    terminal.due(0)
    for payload in (b"", b"\xff", b'{"type":"party"}', b'{"type":"vitals","ranges":[[1]],"at":"x"}'):
        assert terminal.on_receipt(payload) == []
    assert terminal.counters.strange_receipts == 4
    assert terminal.pending_vitals == 1
    absurd = {"type": "vitals", "ranges": [[-(10**18), 0], [9, 3], [2, 10**18]], "at": AT.isoformat()}
    terminal.on_receipt(json.dumps(absurd).encode())
    assert terminal.pending_vitals == 1


class AnyOrderOfThings(RuleBasedStateMachine):
    """A network that loses messages and receipts: nothing is forgotten early, nothing exceeds its bound."""

    CAPACITY = 30
    WINDOW = 7

    def __init__(self) -> None:
        super().__init__()
        self.terminal = TerminalProtocol(1, capacity=self.CAPACITY, window=self.WINDOW)
        self.now = 0.0
        self.measured: set[int] = set()
        self.stored: set[int] = set()
        self.told: set[int] = set()
        self.alarms: set[str] = set()

    @rule(count=st.integers(1, 12))
    def measure(self, count: int) -> None:
        self.measured |= {self.terminal.measure([READING], self.now) for _ in range(count)}

    @rule()
    def press(self) -> None:
        self.alarms.add(self.terminal.press("sos", AT, self.now))

    @rule(data=st.data())
    def send(self, data: Any) -> None:
        for message in self.terminal.due(self.now):
            if data.draw(st.booleans()) and message.channel is UpChannel.VITALS:
                self.stored.add(decode_vitals(message.payload).seq)

    @precondition(lambda self: self.stored - self.told)
    @rule(data=st.data())
    def receipt(self, data: Any) -> None:
        numbers = data.draw(st.sets(st.sampled_from(sorted(self.stored)), min_size=1))
        self.told |= numbers
        self.terminal.on_receipt(receipted(*numbers))

    @precondition(lambda self: self.alarms)
    @rule(data=st.data())
    def alarm_receipt(self, data: Any) -> None:
        alarm_id = data.draw(st.sampled_from(sorted(self.alarms)))
        self.alarms.discard(alarm_id)
        self.terminal.on_receipt(encode_receipt(AlarmReceipt(alarm_id, "received", AT)))

    @rule(seconds=st.floats(0, 70))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def nothing_is_forgotten_without_a_receipt(self) -> None:
        terminal = self.terminal
        assert terminal.pending_alarms == len(self.alarms)
        waiting = set(terminal._vitals)
        assert waiting.isdisjoint(self.told)
        gone = self.measured - waiting - self.told
        if terminal.counters.dropped == 0:
            assert gone == set()
        else:
            assert len(gone) <= terminal.counters.dropped

    @invariant()
    def never_more_than_the_window_is_under_way(self) -> None:
        assert self.terminal._flying <= self.WINDOW
        assert self.terminal.pending_vitals <= self.CAPACITY

    @invariant()
    def asking_again_at_once_gives_nothing(self) -> None:
        due = self.terminal.next_due()
        if due is not None and due > self.now:
            assert self.terminal.due(self.now) == []


TestAnyOrderOfThings = AnyOrderOfThings.TestCase
TestAnyOrderOfThings.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
