"""Who takes the household's money. A provider is one class and one line in ``PROVIDERS`` (docs/money.md).

The demo's provider moves no money: it shows a made-up address and believes what is signed with our own key.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.core.settings import Settings
from services.core.signing import is_signed, sign
from services.payments.errors import NoticeNotSigned
from services.payments.models import Payment


class Provider(Protocol):
    """What the platform asks of a provider. Nothing of a resident ever reaches it: a reference and an amount."""

    name: str
    valid_for: timedelta

    def checkout(self, payment: Payment) -> str:
        """Where the payer goes."""
        ...

    def is_genuine(self, settings: Settings, timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
        """Whether a message is from the provider, and fresh."""
        ...


class DemoProvider:
    """For demonstrations and tests; production refuses it."""

    name = "demo"
    valid_for = timedelta(minutes=30)

    def checkout(self, payment: Payment) -> str:
        """A made-up address that leads nowhere."""
        return f"demo-pay:{payment.reference}"

    def is_genuine(self, settings: Settings, timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
        """Signed with the key of the demo."""
        return is_signed(demo_key(settings), timestamp, signature, body, now)


PROVIDERS: Final[Mapping[str, Provider]] = {"demo": DemoProvider()}
"""Every provider by its name in ``GUOYUAN_PAYMENT_PROVIDER``."""


def provider_in_use(settings: Settings) -> Provider | None:
    """The configured provider; ``auto`` takes the demo's in demo mode and none in production."""
    name = settings.payment_provider
    if name == "auto":
        name = "demo" if settings.mode == "demo" else "none"
    return PROVIDERS.get(name)


def check_notice(
    settings: Settings, provider: str, timestamp: str, signature: str, body: bytes, now: datetime
) -> None:
    """A message counts when it is from the provider in use. ``NoticeNotSigned`` otherwise, whatever is wrong."""
    known = provider_in_use(settings)
    if known is None or known.name != provider:
        raise NoticeNotSigned
    if not known.is_genuine(settings, timestamp, signature, body, now):
        raise NoticeNotSigned


def demo_key(settings: Settings) -> str:
    """The key that stands for a provider's: the configured one, or one made from the installation's own secret."""
    if settings.payment_secret is not None:
        return settings.payment_secret.get_secret_value()
    secret = settings.token_secret.get_secret_value() if settings.token_secret is not None else ""
    return f"demo-payments:{secret}"


def signed_by_demo(settings: Settings, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of a message, as the demo's provider would send it."""
    return sign(demo_key(settings), now, body)
