"""Secrets of the embedded stack, made once and kept in ``<data_dir>/secrets.json`` (mode 0600)."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE_NAME = "secrets.json"


@dataclass(frozen=True, slots=True)
class StackSecrets:
    """Passwords of the embedded servers, and the application secrets of the demo mode."""

    postgres_password: str
    redis_password: str
    service_password: str  # of the platform's own MQTT account
    token_secret: str
    field_key: str  # base64 of 32 bytes
    lookup_key: str  # base64 of 32 bytes


def load_or_make(directory: Path) -> StackSecrets:
    """The secrets of this data directory; missing ones are made and stored."""
    path = directory / FILE_NAME
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = asdict(_make())
    names = [field.name for field in fields(StackSecrets)]
    values = {name: known.get(name) or made[name] for name in names}
    if values != known:
        write_private(path, json.dumps(values, indent=2))
    return StackSecrets(**values)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody but its owner may read it at any moment."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _make() -> StackSecrets:
    return StackSecrets(
        postgres_password=secrets.token_urlsafe(24),
        redis_password=secrets.token_urlsafe(24),
        service_password=secrets.token_urlsafe(24),
        token_secret=secrets.token_urlsafe(48),
        field_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        lookup_key=base64.b64encode(secrets.token_bytes(32)).decode(),
    )
