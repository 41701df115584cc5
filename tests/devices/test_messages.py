"""Receipts and the ranges in them."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.messages import (
    AlarmReceipt,
    MalformedMessage,
    Receipt,
    RefusedReceipt,
    VitalsReceipt,
    decode_receipt,
    encode_receipt,
    seq_ranges,
)

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


@given(st.lists(st.integers(0, 60) | st.integers(0, 2**63 - 1)))
def test_ranges_hold_exactly_the_numbers(seqs: list[int]) -> None:
    ranges = seq_ranges(seqs)
    held = {seq for seq in seqs if any(first <= seq <= last for first, last in ranges)}
    assert held == set(seqs)
    assert sum(last - first + 1 for first, last in ranges) == len(held)
    for (_, last), (first, _) in pairwise(ranges):
        assert last + 1 < first  # ascending, and neighbours are joined


@pytest.mark.parametrize(
    ("receipt", "text"),
    [
        (
            VitalsReceipt(((1, 3), (7, 7)), AT),
            '{"type":"vitals","ranges":[[1,3],[7,7]],"at":"2026-11-22T08:00:00Z"}',
        ),
        (
            AlarmReceipt("a", "received", AT, "42"),
            '{"type":"alarm","id":"a","state":"received","at":"2026-11-22T08:00:00Z","alert_id":"42"}',
        ),
        (
            RefusedReceipt("vitals", "bad_unit", AT, seq=9),
            '{"type":"refused","topic":"vitals","code":"bad_unit","at":"2026-11-22T08:00:00Z","seq":9,"id":null}',
        ),
    ],
)
def test_there_and_back(receipt: Receipt, text: str) -> None:
    assert encode_receipt(receipt).decode() == text
    assert decode_receipt(text.encode()) == receipt


@given(st.binary(max_size=100))
def test_a_terminal_survives_any_receipt(payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_receipt(payload)


@pytest.mark.parametrize(
    "payload", [b'{"type":"party"}', b'{"type":"vitals","ranges":[[1]],"at":""}', b"[" * 9_999]
)
def test_what_is_no_receipt(payload: bytes) -> None:
    with pytest.raises(MalformedMessage) as refused:
        decode_receipt(payload)
    assert refused.value.code == "bad_receipt"
