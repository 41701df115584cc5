"""Personal numbers at rest: encrypted to be kept, hashed with a key to be found, masked to be shown."""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.core.settings import Settings

_NONCE_BYTES = 12


@dataclass(frozen=True)
class Vault:
    """AES-256-GCM with the key's id stored in front, and an HMAC-SHA-256 for equality look-ups.

    ``purpose`` (for example ``"resident.phone"``) is bound into both, so that a value copied to another
    column neither decrypts nor matches.
    """

    key_id: str
    keys: dict[str, bytes] = field(repr=False)
    lookup_key: bytes = field(repr=False)

    def encrypt(self, plain: str, purpose: str) -> str:
        """``key_id:base64(nonce + ciphertext + tag)``."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.keys[self.key_id]).encrypt(nonce, plain.encode(), purpose.encode())
        return f"{self.key_id}:{base64.b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str, purpose: str) -> str:
        """The plain text; raises ``cryptography.exceptions.InvalidTag`` when tampered with."""
        key_id, _, encoded = stored.partition(":")
        raw = base64.b64decode(encoded)
        plain = AESGCM(self.keys[key_id]).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode())
        return plain.decode()

    def seal(self, content: bytes, purpose: str) -> bytes:
        """Bytes at rest: length of the key's id, key's id, nonce, ciphertext and tag."""
        nonce, key_id = os.urandom(_NONCE_BYTES), self.key_id.encode()
        sealed = AESGCM(self.keys[self.key_id]).encrypt(nonce, content, purpose.encode())
        return bytes([len(key_id)]) + key_id + nonce + sealed

    def unseal(self, stored: bytes, purpose: str) -> bytes:
        """What was sealed; raises ``cryptography.exceptions.InvalidTag`` when tampered with."""
        start = 1 + stored[0]
        nonce = stored[start : start + _NONCE_BYTES]
        key = self.keys[stored[1:start].decode()]
        return AESGCM(key).decrypt(nonce, stored[start + _NONCE_BYTES :], purpose.encode())

    def lookup(self, plain: str, purpose: str) -> str:
        """The hash under which a value is found again (hex)."""
        return hmac.new(self.lookup_key, f"{purpose}:{plain}".encode(), hashlib.sha256).hexdigest()


def vault_from(settings: Settings) -> Vault:
    """Build the vault from settings; ``ValueError`` when a key is absent or not 32 bytes."""
    if settings.field_key is None or settings.lookup_key is None:
        raise ValueError("GUOYUAN_FIELD_KEY and GUOYUAN_LOOKUP_KEY are not set")
    key = base64.b64decode(settings.field_key.get_secret_value())
    lookup = base64.b64decode(settings.lookup_key.get_secret_value())
    if len(key) != 32 or len(lookup) < 32:
        raise ValueError("the field key has 32 bytes, the look-up key at least 32")
    return Vault(key_id=settings.field_key_id, keys={settings.field_key_id: key}, lookup_key=lookup)


def mask_phone(phone: str) -> str:
    """``13800001234`` → ``138****1234``; short numbers keep two digits at the end."""
    if len(phone) < 8:
        return "*" * max(0, len(phone) - 2) + phone[-2:]
    return f"{phone[:3]}{'*' * (len(phone) - 7)}{phone[-4:]}"


def mask_id_number(number: str) -> str:
    """``11010519491231002X`` → ``1101**********002X``: neither birthday nor sequence is shown whole."""
    return f"{number[:4]}{'*' * max(0, len(number) - 8)}{number[-4:]}"
