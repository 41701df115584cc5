"""Signed HTTP between machines: HMAC-SHA-256 over the time and the body, in two headers."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

TIMESTAMP_HEADER: Final = "X-Guoyuan-Timestamp"
SIGNATURE_HEADER: Final = "X-Guoyuan-Signature"
TOLERANCE: Final = timedelta(minutes=5)
"""How old, or how far ahead, a signed request may be; project default."""


def sign(secret: str, at: datetime, body: bytes) -> dict[str, str]:
    """The two headers: whole seconds since 1970, and ``sha256=`` with the hex HMAC of ``<seconds>.<body>``."""
    seconds = str(int(at.timestamp()))
    return {TIMESTAMP_HEADER: seconds, SIGNATURE_HEADER: f"sha256={_digest(secret, seconds, body)}"}


def is_signed(secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
    """Whether the headers fit the body and the time is near. Compares in constant time."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    expected = f"sha256={_digest(secret, timestamp, body)}"
    return hmac.compare_digest(expected.encode(), signature.encode())


def _digest(secret: str, seconds: str, body: bytes) -> str:
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
