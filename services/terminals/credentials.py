"""Passwords of terminals, hashed in Mosquitto's own format so that every broker reads the same column.

``$7$<iterations>$<salt>$<hash>``: PBKDF2-HMAC-SHA512, base64 (mosquitto_passwd(1) of Mosquitto 2.0).
"""

import base64
import binascii
import hashlib
import hmac
import secrets

PASSWORD_BYTES = 16
SALT_BYTES = 12  # Mosquitto 2.0 refuses any other length
# Mosquitto's default. Stretching protects guessable passwords; these are 128 random bits made by a machine, and
# a storm of reconnecting terminals must not cost seconds of processor time.
ITERATIONS = 101
MOST_ITERATIONS = 1_000_000  # of a stored hash; a larger number is a damaged row


def make_password() -> str:
    """A new random password of 128 bits (22 characters)."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def hash_password(password: str) -> str:
    """The hash to store."""
    salt = secrets.token_bytes(SALT_BYTES)
    return f"$7${ITERATIONS}${_encode(salt)}${_encode(_derive(password, salt, ITERATIONS))}"


def verify_password(password: str, stored: str) -> bool:
    """Whether the password belongs to the stored hash, in constant time; an unreadable hash fits nothing."""
    try:
        _, kind, iterations, salt, expected = stored.split("$")
        if kind != "7" or not 0 < int(iterations) <= MOST_ITERATIONS:
            return False
        derived = _derive(password, base64.b64decode(salt, validate=True), int(iterations))
        return hmac.compare_digest(derived, base64.b64decode(expected, validate=True))
    except (ValueError, binascii.Error):
        return False


def _derive(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()
