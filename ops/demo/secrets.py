"""The demo's passwords: random for each installation, in ``<data_dir>/demo_credentials.json`` (mode 0600).

One password a role, so that a county of hundreds of accounts costs seven argon2 hashes. A terminal's password
is derived from its id with a key in the same file: it can be shown again although only its hash is stored.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from ops.stack.secrets import write_private
from services.core.actor import STAFF_ROLES, Role

FILE_NAME = "demo_credentials.json"
_NOTE = "Demo logins of this installation only; never use them anywhere else."
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else when read aloud
_PASSWORD_GROUPS = 3
_GROUP_LENGTH = 4
_TERMINAL_PASSWORD_BYTES = 16


@dataclass(frozen=True, slots=True)
class DemoSecrets:
    """Passwords by role, and the key that terminals' passwords come from (base64 of 32 bytes)."""

    passwords: dict[str, str]
    terminal_key: str

    def password(self, role: Role) -> str:
        """The password that every demo account of this role has."""
        return self.passwords[role]

    def provision_secret(self) -> str:
        """What the demo's factory-new pendants present."""
        key = base64.b64decode(self.terminal_key)
        digest = hmac.new(key, b"provision", hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:_TERMINAL_PASSWORD_BYTES]).decode().rstrip("=")

    def terminal_password(self, terminal_id: UUID) -> str:
        """The password of one terminal: 128 bits that nobody can work out without the key."""
        key = base64.b64decode(self.terminal_key)
        digest = hmac.new(key, b"terminal:" + terminal_id.bytes, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:_TERMINAL_PASSWORD_BYTES]).decode().rstrip("=")


def load_or_make(directory: Path) -> DemoSecrets:
    """The demo passwords of this data directory; missing ones are made and stored."""
    path = directory / FILE_NAME
    known = _read(path)
    passwords = {str(role): known.get("passwords", {}).get(role) or _password() for role in sorted(STAFF_ROLES)}
    key = known.get("terminal_key") or base64.b64encode(secrets.token_bytes(32)).decode()
    made = DemoSecrets(passwords, key)
    values = {"note": _NOTE, **asdict(made)}
    if values != known:
        directory.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(values, indent=2) + "\n")
    return made


def load(directory: Path) -> DemoSecrets | None:
    """The stored passwords; ``None`` when there are none."""
    known = _read(directory / FILE_NAME)
    if "passwords" not in known or "terminal_key" not in known:
        return None
    return DemoSecrets(known["passwords"], known["terminal_key"])


def _read(path: Path) -> dict[str, Any]:
    """What the file says; nothing when it is absent or damaged: ``demo load`` then makes new passwords."""
    try:
        stored = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _password() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_PASSWORD_GROUPS))
    return "-".join(groups)
