"""A signed webhook to a system of the county (a duty desk of its own, a chat bridge)."""

from typing import ClassVar, Self

import httpx

from services.core.settings import Settings
from services.notifications.models import Channel
from services.notifications.senders.contract import Message, Phone, Sent
from services.notifications.senders.gateway import GatewaySender


class WebhookSender(GatewaySender):
    """The same document as to a gateway, without a number: the receiving system knows people by their ids."""

    phone: ClassVar[Phone] = Phone.UNUSED

    @classmethod
    def from_settings(cls, settings: Settings, client: httpx.AsyncClient) -> Self | None:
        if settings.webhook_url is None or settings.webhook_secret is None:
            return None
        return cls(
            channel=Channel.WEBHOOK,
            url=settings.webhook_url,
            secret=settings.webhook_secret.get_secret_value(),
            client=client,
        )

    def address(self, message: Message) -> dict[str, str]:
        """Where to: the account, or the emergency contact."""
        return person(message)

    async def send(self, message: Message) -> Sent:
        """A 2xx is delivery: the system that was to have it has it."""
        sent = await super().send(message)
        return Sent(message_id=sent.message_id, is_delivered=True)


def person(message: Message) -> dict[str, str]:
    """The recipient by id."""
    if message.account_id is not None:
        return {"account_id": str(message.account_id)}
    return {"contact_id": str(message.contact_id)}
