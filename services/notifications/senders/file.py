"""Instead of a gateway in a demo: one JSON line a message, in a file that only its owner may read.

Like a gateway it takes no text message and no call for somebody without a number, so that a rehearsal shows the
fail-over that would happen.
"""

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from services.core.settings import Settings
from services.notifications.models import Channel
from services.notifications.senders.contract import Message, Phone, Sent


@dataclass(frozen=True)
class FileSender:
    """Stands in for a channel that is not configured and needs no number."""

    phone: ClassVar[Phone] = Phone.WELCOME

    channel: Channel
    path: Path

    async def send(self, message: Message) -> Sent:
        line = json.dumps(
            {
                "at": message.at.isoformat(),
                "channel": str(message.channel),
                "key": str(message.key),
                "account_id": None if message.account_id is None else str(message.account_id),
                "contact_id": None if message.contact_id is None else str(message.contact_id),
                "phone": message.phone,
                "template": message.template,
                "text": message.text,
            },
            ensure_ascii=False,
        )
        await asyncio.to_thread(self._append, line + "\n")
        return Sent()

    def _append(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(line)


@dataclass(frozen=True)
class NumberFileSender(FileSender):
    """Stands in for text messages and calls: who has no number is refused with ``no_number`` before it sends."""

    phone: ClassVar[Phone] = Phone.NEEDED


def file_sender(settings: Settings, channel: Channel) -> FileSender:
    """The stand-in for a channel."""
    kind = NumberFileSender if channel in (Channel.SMS, Channel.VOICE) else FileSender
    return kind(channel, notifications_file(settings))


def notifications_file(settings: Settings) -> Path:
    """Where ``FileSender`` writes."""
    return settings.data_dir / "outgoing" / "notifications.jsonl"
