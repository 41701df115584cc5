# ruff: noqa: INP001  a script in the image, not a package
"""Health check of a container: ``alive.py api``, ``alive.py mosquitto``, ``alive.py`` and a process that beats.

Ends with code 0 when the process works. It imports next to nothing: it runs every few seconds in every container.
``guoyuan doctor`` is the thorough examination.
"""

import asyncio
import os
import socket
import sys
import urllib.request
from urllib.parse import urlsplit

import asyncpg

TIMEOUT_SECONDS = 3.0
LATE_SECONDS = 30.0
_AGE = "SELECT extract(epoch FROM now() - beaten_at)::float FROM heartbeat WHERE process = $1"


def check_api() -> None:
    """Whether it can serve. Raises OSError (HTTPError is one)."""
    port = os.environ.get("GUOYUAN_API_PORT", "8000")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=TIMEOUT_SECONDS):
        return


def check_mosquitto() -> None:
    """Whether the terminals' door is open. Raises OSError."""
    port = urlsplit(os.environ["GUOYUAN_MQTT_TERMINAL_URL"]).port or 1883
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS):
        return


async def check_heartbeat(process: str) -> None:
    """Whether it has said lately that it is alive. Raises TimeoutError, OSError, asyncpg.PostgresError."""
    connection = await asyncpg.connect(os.environ["GUOYUAN_DATABASE_URL"], timeout=TIMEOUT_SECONDS)
    try:
        age = await connection.fetchval(_AGE, process, timeout=TIMEOUT_SECONDS)
    finally:
        connection.terminate()
    if age is None or age > LATE_SECONDS:
        raise TimeoutError(f"{process}: " + ("no sign of life yet" if age is None else f"silent for {age:.0f} s"))


def main(part: str) -> None:
    """Check one part; ends the program with the reason when it does not work."""
    try:
        if part == "api":
            check_api()
        elif part == "mosquitto":
            check_mosquitto()
        else:
            asyncio.run(check_heartbeat(part))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        sys.exit(f"{part}: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
