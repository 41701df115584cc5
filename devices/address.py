"""Where a broker is, who calls it, and what can become of a connection."""

from enum import StrEnum
from urllib.parse import unquote, urlsplit

import msgspec


class ConnectionState(StrEnum):
    """Where the connection stands. ``REFUSED``: the broker did not accept us; it is tried again."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"
    CLOSED = "closed"


class ConnectionRefused(Exception):
    """The broker refused the credential or a subscription. ``reason`` is the broker's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LastWill(msgspec.Struct, frozen=True):
    """What the broker publishes for a client that vanished (QoS 1, not retained)."""

    topic: str
    payload: bytes


class MqttAddress(msgspec.Struct, frozen=True):
    """Where a broker is and who calls.

    ``tls`` verifies the broker's certificate against the system's roots, or those in ``SSL_CERT_FILE``.
    """

    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = None
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> "MqttAddress":
        """From ``mqtt://user:password@host:port`` or ``mqtts://…``. Raises ``ValueError``."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError("an MQTT address looks like mqtt://user:password@host:port")
        tls = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            parts.port or (8883 if tls else 1883),
            unquote(parts.username) if parts.username is not None else None,
            unquote(parts.password) if parts.password is not None else None,
            tls,
        )

    def __repr__(self) -> str:
        return f"MqttAddress({self.host}:{self.port})"
