"""The embedded MQTT broker: ``guoyuan broker`` as a part of the stack, and a probe for any broker."""

import socket
from pathlib import Path
from urllib.parse import unquote, urlsplit

from devices.mqtt_packets import ACCEPTED, CONNACK, CONNECT, DISCONNECT, packet
from ops.stack.application import Application
from services.core.settings import Settings

PROBE_CLIENT = "guoyuan-probe"


class Broker(Application):
    """``guoyuan broker`` (the built-in one or Mosquitto) at the address in ``settings.mqtt_url``."""

    def __init__(self, log: Path, settings: Settings) -> None:
        super().__init__("broker", log, ["broker"], settings)

    def ready(self) -> bool:
        """Whether it lets the platform's own account in."""
        return self._settings.mqtt_url is not None and probe(self._settings.mqtt_url) == ACCEPTED


def probe(url: str, timeout_seconds: float = 1.0) -> int | None:
    """Log in to a broker as the URL says; its CONNACK return code (0: accepted), None when nobody answers.

    A raw MQTT 3.1.1 CONNECT: it must also work where a client library would retry behind our back.
    """
    address = urlsplit(url)
    fields = [PROBE_CLIENT, unquote(address.username or ""), unquote(address.password or "")]
    body = b"\x00\x04MQTT\x04\xc2\x00\x0a" + b"".join(_text(field) for field in fields)
    try:
        with socket.create_connection(
            (address.hostname or "127.0.0.1", address.port or 1883), timeout=timeout_seconds
        ) as connection:
            connection.sendall(packet(CONNECT << 4, body))
            answer = b""
            while len(answer) < 4:
                piece = connection.recv(4 - len(answer))
                if not piece:
                    return None
                answer += piece
            connection.sendall(packet(DISCONNECT << 4, b""))
            return answer[3] if answer[0] == CONNACK << 4 else None
    except OSError:
        return None


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded
