"""A text message, through the county's own gateway."""

from typing import Self

import httpx

from services.core.settings import Settings
from services.notifications.models import Channel
from services.notifications.senders.gateway import GatewaySender, template_ids


class SmsSender(GatewaySender):
    """``GUOYUAN_SMS_GATEWAY_URL`` and its secret; a gateway may know the texts by ids of its own."""

    @classmethod
    def from_settings(cls, settings: Settings, client: httpx.AsyncClient) -> Self | None:
        if settings.sms_gateway_url is None or settings.sms_gateway_secret is None:
            return None
        return cls(
            channel=Channel.SMS,
            url=settings.sms_gateway_url,
            secret=settings.sms_gateway_secret.get_secret_value(),
            client=client,
            template_ids=template_ids(settings.sms_template_ids),
        )
