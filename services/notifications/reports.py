"""Delivery reports from gateways: whose signature counts for which channel."""

from datetime import datetime

from services.core.settings import Settings
from services.core.signing import is_signed
from services.notifications.errors import ReportNotSigned
from services.notifications.models import Channel


def check_signature(
    settings: Settings, channel: Channel, timestamp: str, signature: str, body: bytes, now: datetime
) -> None:
    """A report is signed with the secret of the channel's own gateway. ``ReportNotSigned`` otherwise."""
    secret = {
        Channel.APP: settings.push_gateway_secret,
        Channel.SMS: settings.sms_gateway_secret,
        Channel.VOICE: settings.voice_gateway_secret,
        Channel.WEBHOOK: settings.webhook_secret,
    }.get(channel)
    if secret is None or not is_signed(secret.get_secret_value(), timestamp, signature, body, now):
        raise ReportNotSigned
