"""Every channel and its sender, a line each."""

from collections.abc import Callable, Mapping
from typing import Final

import httpx

from services.core.settings import Settings
from services.notifications.models import Channel
from services.notifications.senders.app import AppSender
from services.notifications.senders.contract import Sender
from services.notifications.senders.file import FileSender, file_sender
from services.notifications.senders.sms import SmsSender
from services.notifications.senders.voice import VoiceSender
from services.notifications.senders.webhook import WebhookSender
from services.notifications.senders.wecom import WecomSender

SENDERS: Final[Mapping[Channel, Callable[[Settings, httpx.AsyncClient], Sender | None]]] = {
    Channel.APP: AppSender.from_settings,
    Channel.SMS: SmsSender.from_settings,
    Channel.VOICE: VoiceSender.from_settings,
    Channel.WECOM: WecomSender.from_settings,
    Channel.WEBHOOK: WebhookSender.from_settings,
}


def senders_from(settings: Settings, client: httpx.AsyncClient) -> dict[Channel, Sender]:
    """The senders that can send. A channel that is missing here fails over at once."""
    senders: dict[Channel, Sender] = {}
    for channel, build in SENDERS.items():
        sender = build(settings, client)
        if sender is not None:
            senders[channel] = sender
        elif settings.writes_notifications_to_file:
            senders[channel] = file_sender(settings, channel)
    return senders


def outlets(settings: Settings) -> dict[Channel, str]:
    """How each channel leaves: ``gateway``, ``inbox``, ``file`` or ``not configured``; for `doctor`."""
    client = httpx.AsyncClient()  # opens no connection until it is used
    found = senders_from(settings, client)
    names: dict[Channel, str] = {}
    for channel in SENDERS:
        sender = found.get(channel)
        if sender is None:
            names[channel] = "not configured"
        elif isinstance(sender, FileSender):
            names[channel] = "file"
        elif isinstance(sender, AppSender) and sender.push is None:
            names[channel] = "inbox"
        else:
            names[channel] = "gateway"
    return names
