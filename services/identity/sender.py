"""How a one-time code leaves the house."""

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import structlog

from services.core.crypto import mask_phone
from services.core.settings import Settings

log = structlog.get_logger("identity")


class CodeSender(Protocol):
    """Anything that can bring a code to a phone: an SMS gateway in production."""

    async def send(self, phone: str, code: str) -> None:
        """Hand the code over; raise when that fails."""
        ...


@dataclass(frozen=True)
class FileCodeSender:
    """Appends one JSON line a code to a file that only its owner may read; for demos and tests."""

    path: Path

    async def send(self, phone: str, code: str) -> None:
        line = json.dumps({"at": datetime.now(UTC).isoformat(), "phone": phone, "code": code})
        await asyncio.to_thread(self._append, line + "\n")

    def _append(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(line)


class ConsoleCodeSender:
    """Prints codes in the log of a development machine; settings refuse it in production."""

    async def send(self, phone: str, code: str) -> None:
        log.info("one_time_code", phone=mask_phone(phone), one_time_code=code)


def codes_file(settings: Settings) -> Path:
    """Where ``FileCodeSender`` writes."""
    return settings.data_dir / "outgoing" / "codes.jsonl"


def sender_from(settings: Settings) -> CodeSender:
    """The sender that the settings name."""
    if settings.code_sender == "console":
        return ConsoleCodeSender()
    return FileCodeSender(codes_file(settings))
