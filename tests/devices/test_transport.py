"""The packet splitter: whatever way a stream is cut into pieces, the same packets come out."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.transport import PacketSplitter, ProtocolError, Published, remaining_length

PINGRESP = b"\xd0\x00"


def publish(topic: str, payload: bytes, *, mid: int = 0, flags: int = 0) -> bytes:
    name = topic.encode()
    qos = flags >> 1 & 3
    body = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if qos else b"") + payload
    return bytes([0x30 | flags]) + remaining_length(len(body)) + body


def split(pieces: list[bytes], max_payload: int = 1_000_000) -> tuple[list[Published], list[bytes]]:
    splitter = PacketSplitter(3, max_payload)
    messages: list[Published] = []
    others: list[bytes] = []
    for piece in pieces:
        splitter.feed(piece, messages.append, others.append)
    return messages, others


messages = st.tuples(st.text(max_size=30), st.binary(max_size=400), st.integers(1, 65_535), st.booleans())


@given(st.lists(messages, max_size=8), st.lists(st.integers(1, 60), max_size=60))
def test_any_cutting_gives_the_same_packets(sent: list[tuple[str, bytes, int, bool]], cuts: list[int]) -> None:
    stream = b"".join(
        publish(topic, payload, mid=mid, flags=2 if qos1 else 0) + PINGRESP for topic, payload, mid, qos1 in sent
    )
    pieces, position = [], 0
    for cut in [*cuts, len(stream)]:
        pieces.append(stream[position : position + cut])
        position += cut
    got, others = split([piece for piece in pieces if piece])
    assert [(m.topic, m.payload, m.mid) for m in got] == [
        (topic, payload, mid if qos1 else 0) for topic, payload, mid, qos1 in sent
    ]
    assert others == [PINGRESP] * len(sent)
    assert {m.connection for m in got} <= {3}


def test_flags() -> None:
    [message], _ = split([publish("t", b"p", mid=9, flags=0b1011)])
    assert (message.qos, message.duplicate, message.retained) == (1, True, True)


@given(st.integers(0, 3_000), st.integers(1, 500))
def test_an_oversized_payload_is_cut_and_the_next_message_is_whole(size: int, piece: int) -> None:
    limit = 1_000
    stream = publish("big", b"x" * size, mid=1, flags=2) + publish("next", b"y", mid=2, flags=2)
    pieces = [stream[start : start + piece] for start in range(0, len(stream), piece)]
    (big, after), _ = split(pieces, limit)
    assert len(big.payload) == size if size <= limit - 20 else limit - 20 <= len(big.payload) <= limit
    assert (after.topic, after.payload, after.mid) == ("next", b"y", 2)


@pytest.mark.parametrize(
    "stream",
    [
        publish("t", b"", mid=1, flags=4),  # QoS 2, which nobody subscribed to
        b"\x30\x00",
        b"\x30\x01\x00",
        b"\x30\x03\x00\x09t",
        b"\x32\x03\x00\x01t",
        b"\x30\xff\xff\xff\xff\x01",
    ],
)
def test_what_is_no_mqtt(stream: bytes) -> None:
    with pytest.raises(ProtocolError):
        split([stream])


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes(pieces: list[bytes]) -> None:
    with contextlib.suppress(ProtocolError):
        split(pieces, 500)


@pytest.mark.parametrize(
    ("length", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (268_435_455, "ffffff7f")],
)
def test_remaining_length(length: int, encoded: str) -> None:
    assert remaining_length(length).hex() == encoded
