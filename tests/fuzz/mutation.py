"""Payloads made of other payloads: bytes changed, values inside them changed."""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any, Final

import cbor2

_MAGIC: Final = (
    b"\x00",
    b"\xff",
    b"\xff" * 8,
    b"\x7f\xff\xff\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"1e999",
    b"-0",
)
_TOKENS: Final[dict[str, Sequence[bytes]]] = {
    "native_json": (b"NaN", b"Infinity", b"{", b"[", b"]", b"}", b'"', b"null", b'"seq":', b"\\u0000", b"\\ud800"),
    "cbor": (
        b"\xd8\x1c",
        b"\xd8\x1d\x00",
        b"\xc2",
        b"\xc4",
        b"\xc5",
        b"\x9f",
        b"\xbf",
        b"\xff",
        b"\xf7",
        b"\xf9\x7e\x00",
    ),
    "thingsboard": (b'"ts":', b'"values":', b'"sos":', b"[", b"]", b"{", b"}", b"1e999", b"\\u0000", b"null"),
    "scaip": (
        b"<!DOCTYPE a>",
        b"<!ENTITY a 'b'>",
        b"&a;",
        b"&#0;",
        b"&#x10ffff;",
        b"<![CDATA[",
        b"]]>",
        b"<stc>",
        b"<?",
    ),
}
_WORDS: Final = (
    *re.findall(
        r"\S+",
        """seq readings kind value at unit systolic diastolic id position battery note state signal firmware lat
        lng accuracy_m heart_rate spo2 blood_pressure glucose temperature mg/dL kPa sos fall fall_cancel heartbeat
        ts values heartRate sbp alarm alarmType normal bodyTemperatureF rssi""",
    ),
    "2026-11-22T07:59:50Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-22T07:59:50",
    "\x00",
    "",
)
_VALUES: Final = (
    None, True, False, 0, -1, 1, 72, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 10**40, 0.0, -0.0, 1e-320, 1e308,
    1e999,
    1_795_334_390_000, [], {}, [[]], "x" * 70, "张三",
)  # fmt: skip


class Mutator:
    """Draws new payloads of one codec; the same seed draws the same ones."""

    def __init__(self, codec: str, seeds: Sequence[bytes], random: Random) -> None:
        self.corpus = list(seeds)
        self._codec = codec
        self._random = random
        self._structural = _STRUCTURAL[codec]

    def draw(self) -> bytes:
        """One payload: half of them still have their structure, so that something behind the parser is tried."""
        random = self._random
        payload = random.choice(self.corpus)
        if random.random() < 0.6:
            # What is not of this structure any more is changed as bytes.
            with suppress(ValueError, RecursionError, TypeError, OverflowError, cbor2.CBORError):
                for _ in range(random.choice((1, 1, 2, 4))):
                    payload = self._structural(payload, random)
                if random.random() < 0.85:
                    return payload[:70_000]
        for _ in range(random.choice((1, 1, 2, 4, 16))):
            payload = self._bytes(payload)
        return payload[:70_000]

    def _bytes(self, payload: bytes) -> bytes:
        random = self._random
        at = random.randint(0, len(payload))
        end = min(len(payload), at + random.choice((1, 1, 2, 4, 32)))
        match random.randrange(7):
            case 0:
                return payload[:at] + bytes([random.randrange(256)]) + payload[at + 1 :]
            case 1:
                return payload[:at] + payload[end:]
            case 2:
                return payload[:at] + payload[at:end] * random.choice((2, 3, 500)) + payload[end:]
            case 3:
                return payload[:at] + random.choice(_MAGIC) + payload[at:]
            case 4:
                return payload[:at] + random.choice(_TOKENS[self._codec]) + payload[end:]
            case 5:
                other = random.choice(self.corpus)
                return payload[:at] + other[random.randint(0, len(other)) :]
            case _:
                return payload[:at]


def _change(value: Any, random: Random, depth: int = 0) -> Any:
    """A value with one place changed."""
    if isinstance(value, dict) and value and random.random() < 0.85 and depth < 8:
        key = random.choice(list(value))
        if random.random() < 0.15:
            return {name: inner for name, inner in value.items() if name != key}
        if random.random() < 0.15:
            return {**value, random.choice(_WORDS): random.choice((*_VALUES, *_WORDS))}
        return {**value, key: _change(value[key], random, depth + 1)}
    if isinstance(value, list) and value and random.random() < 0.85 and depth < 8:
        place = random.randrange(len(value))
        changed = [*value[:place], _change(value[place], random, depth + 1), *value[place + 1 :]]
        return changed * (400 if depth == 1 and random.random() < 0.01 else 1)
    if random.random() < 0.1:
        return [value] * random.choice((1, 30))
    return random.choice((*_VALUES, *_WORDS))


def _json(payload: bytes, random: Random) -> bytes:
    return json.dumps(_change(json.loads(payload), random)).encode("utf-8", "surrogatepass")


def _cbor(payload: bytes, random: Random) -> bytes:
    value = _change(cbor2.loads(payload), random)
    if random.random() < 0.2:
        value = cbor2.CBORTag(random.choice((0, 1, 2, 4, 5, 28, 35, 55_799, 2**40)), value)
    return cbor2.dumps(value, indefinite_containers=random.random() < 0.2)


def _xml(payload: bytes, random: Random) -> bytes:
    tags = re.findall(rb"<(\w+)>([^<]*)</\1>", payload)
    random.shuffle(tags)
    tags = tags[: random.randint(0, len(tags) + 1)] + tags[:1]
    if tags and random.random() < 0.7:
        place = random.randrange(len(tags))
        words = (b"0010", b"0070", b"10", b"ME", b"PI", b"XX", b"", b"&lt;", b"\xe5", b"9" * 60, "张".encode())
        tags[place] = (tags[place][0], random.choice(words))
    inner = b"".join(b"<%b>%b</%b>" % (name, text, name) for name, text in tags)
    return random.choice((b"", b'<?xml version="1.0" encoding="ISO-8859-1"?>')) + b"<mrq>" + inner + b"</mrq>"


_STRUCTURAL: Final[dict[str, Callable[[bytes, Random], bytes]]] = {
    "native_json": _json,
    "cbor": _cbor,
    "thingsboard": _json,
    "scaip": _xml,
}
