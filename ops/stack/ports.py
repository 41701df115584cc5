"""Choosing TCP ports on the loopback."""

import secrets
import socket

LOOPBACK = "127.0.0.1"
ABOVE_WELL_KNOWN, BELOW_OUTGOING = 20_000, 32_768
TRIES = 100


class PortTakenError(Exception):
    """A port that the user asked for is in use."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(
            f"端口 {port} 已被占用，请用 {setting} 另选一个。"
            f" Port {port} is in use; choose another one with {setting} (0 takes any free port)."
        )
        self.port = port
        self.setting = setting


def free_port() -> int:
    """A port that was free a moment ago, and that no outgoing connection takes before it is used.

    The system hands those out from a range of their own, on Linux from 32768 up; it does the same to whoever
    binds to port 0.
    """
    for _ in range(TRIES):
        port = secrets.randbelow(BELOW_OUTGOING - ABOVE_WELL_KNOWN) + ABOVE_WELL_KNOWN
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def choose(port: int, setting: str, *, chosen_by_user: bool, host: str = LOOPBACK, reach: int = 50) -> int:
    """The port to listen on: the wanted one, or when it was only a default, the next free one above it.

    Raises PortTakenError when the user asked for exactly this port, or none of `reach` ports is free.
    """
    if port == 0:
        return free_port()
    if is_free(port, host):
        return port
    if not chosen_by_user:
        for candidate in range(port + 1, min(port + reach, 65_535)):
            if is_free(candidate, host):
                return candidate
    raise PortTakenError(port, setting)


def accepts(port: int, host: str = LOOPBACK, timeout_seconds: float = 0.5) -> bool:
    """Whether somebody listens on the port."""
    try:
        with socket.create_connection((host, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False
