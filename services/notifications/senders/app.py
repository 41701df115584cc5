"""The app: its inbox (``GET /me/notifications``), and a push that wakes the phone where one is configured."""

from dataclasses import dataclass
from typing import ClassVar, Self

import httpx

from services.core.settings import Settings
from services.notifications.models import Channel
from services.notifications.senders.contract import Message, Phone, SendFailed, Sent
from services.notifications.senders.gateway import GatewaySender
from services.notifications.senders.webhook import person


class PushGateway(GatewaySender):
    """Wakes the phone by account id: the gateway knows which devices belong to it."""

    phone: ClassVar[Phone] = Phone.UNUSED

    def address(self, message: Message) -> dict[str, str]:
        """Where to: the account."""
        return person(message)


@dataclass(frozen=True)
class AppSender:
    """Sent as soon as it lies in the inbox; delivered when the app fetches it, read when the person says so."""

    phone: ClassVar[Phone] = Phone.UNUSED

    channel: Channel
    push: PushGateway | None

    @classmethod
    def from_settings(cls, settings: Settings, client: httpx.AsyncClient) -> Self | None:
        """Always there: the inbox needs no settings."""
        if settings.push_gateway_url is None or settings.push_gateway_secret is None:
            return cls(Channel.APP, None)
        secret = settings.push_gateway_secret.get_secret_value()
        return cls(Channel.APP, PushGateway(Channel.APP, settings.push_gateway_url, secret, client))

    async def send(self, message: Message) -> Sent:
        if message.account_id is None:
            raise SendFailed("no_account", is_transient=False)
        return Sent() if self.push is None else await self.push.send(message)
