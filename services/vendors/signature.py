"""Signatures of callbacks, as the Standard Webhooks specification writes them. Pure.

Signed is ``{id}.{timestamp}.{body}`` with HMAC-SHA256; the header holds ``v1,`` and the base64 of it, several
separated by blanks while a secret is being changed. There are libraries for it in many languages.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  how every secret begins
SECRET_BYTES: Final = 32
TOLERANCE: Final = timedelta(minutes=5)
"""How far a callback's time may be from ours; the same as in the specification's own libraries."""


def make_secret() -> str:
    """A new secret, as the vendor gets it: ``whsec_`` and base64."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """What the sender puts into ``webhook-signature``. ``ValueError`` for a secret that is none."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def is_signed(secrets: Sequence[str], message_id: str, timestamp: str, given: str, body: bytes) -> bool:
    """Whether one of the given signatures is made with one of the secrets; compared in equal time."""
    found = False
    for secret in secrets:
        expected = signature(secret, message_id, timestamp, body).encode()
        for candidate in given.split(" ")[:8]:
            found |= hmac.compare_digest(expected, candidate.encode())
    return found


def is_timely(timestamp: str, now: datetime) -> bool:
    """Whether ``timestamp`` (seconds since 1970) lies within the window around ``now``."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE.total_seconds()
