"""The samples in ``samples/``, read."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devices.topics import UpChannel

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FOLDER = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Sample:
    """One payload and what must become of it."""

    codec: str
    name: str
    channel: UpChannel
    payload: bytes
    expect: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.codec}: {self.channel.value}: {self.name}"


def _payload(row: dict[str, Any]) -> bytes:
    if "hex" in row:
        return bytes.fromhex(row["hex"])
    return row["text"].encode() if "text" in row else json.dumps(row["json"], ensure_ascii=False).encode()


def samples(codec: str | None = None) -> list[Sample]:
    """All of them, or those of one codec."""
    return [
        Sample(path.stem, row["name"], UpChannel(row["channel"]), _payload(row), row["expect"])
        for path in sorted(FOLDER.glob("*.json"))
        if codec in (None, path.stem)
        for row in json.loads(path.read_text("utf-8"))
    ]
