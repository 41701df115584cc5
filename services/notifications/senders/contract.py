"""What a sender gets, gives back and may raise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from services.notifications.models import Channel


class Phone(StrEnum):
    """What a channel wants with the recipient's number."""

    NEEDED = "needed"
    WELCOME = "welcome"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way. ``key`` is the same at every repeat, so that a gateway can drop the second."""

    key: UUID
    channel: Channel
    template: str
    text: str
    fields: Mapping[str, str]
    account_id: UUID | None
    contact_id: UUID | None
    is_life_safety: bool
    at: datetime
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """A gateway took it. ``is_delivered``: it is known to have arrived already."""

    message_id: str | None = None
    is_delivered: bool = False


class SendFailed(Exception):
    """It did not leave. ``is_transient``: the same channel may work in a moment."""

    def __init__(self, code: str, *, is_transient: bool) -> None:
        super().__init__(code)
        self.code = code
        self.is_transient = is_transient


class Sender(Protocol):
    """One channel's way out. A new channel is one class like this and one line in the registry."""

    phone: ClassVar[Phone]

    @property
    def channel(self) -> Channel:
        """The channel that it serves."""
        ...

    async def send(self, message: Message) -> Sent:
        """Hand it over. Raises ``SendFailed``; the caller holds the time limit."""
        ...
