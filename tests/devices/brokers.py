"""Brokers for the wire level: the embedded one in this process, and Mosquitto where it is installed."""

import asyncio
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Protocol

from devices.broker import Broker
from devices.mqtt_packets import ACCEPTED, NOT_AUTHORIZED, Connect
from services.terminals.broker_policy import SERVICE_USER, may_connect

PASSWORD = "a-good-password"
MOSQUITTO = shutil.which("mosquitto")


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class BrokerUnderTest(Protocol):
    """What a test may do to a broker."""

    port: int

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class _OpenGate:
    """Admits whoever knows the password, without a database."""

    async def admit(self, connect: Connect) -> int:
        good = connect.password == PASSWORD and may_connect(connect.username, connect.client_id)
        return ACCEPTED if good else NOT_AUTHORIZED

    async def withdrawn(self, usernames: list[str]) -> set[str]:  # noqa: ARG002 - nobody is
        return set()

    async def wait_for_change(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class EmbeddedBroker:
    """The platform's own broker on this loop. Stopping it keeps its sessions, as a network failure would."""

    def __init__(self) -> None:
        self.port = free_port()
        self._broker = Broker(_OpenGate())

    async def start(self) -> None:
        await self._broker.start("127.0.0.1", self.port)

    async def stop(self) -> None:
        await self._broker.stop()


class MosquittoBroker:
    """A Mosquitto process, with passwords, one topic branch a user, and sessions on disk."""

    def __init__(self, directory: Path, usernames: list[str]) -> None:
        self.port = free_port()
        passwords, access = directory / "passwords", directory / "access"
        passwords.write_text("".join(f"{name}:{PASSWORD}\n" for name in usernames))
        passwords.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)  # noqa: S603, S607 - our own file
        access.write_text(
            f"user {SERVICE_USER}\ntopic read gy/v1/+/up/#\ntopic write gy/v1/+/down/#\n"
            "pattern write gy/v1/%u/up/#\npattern read gy/v1/%u/down/#\n"
        )
        self._config = directory / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            f"acl_file {access}\nmax_inflight_messages 4000\nmax_queued_messages 0\n"
            f"persistence true\npersistence_location {directory}/\nautosave_on_changes true\n"
            f"autosave_interval 1\nuser {Path.home().name}\n"
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        silent = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            "mosquitto", "-c", str(self._config), stdout=silent, stderr=silent
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            await asyncio.sleep(0.05)
        raise TimeoutError("mosquitto did not start")

    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None
