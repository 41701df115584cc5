"""Mosquitto as the embedded broker: its configuration, and its accounts written from the database.

Two doors, because Mosquitto ties a client id to an account only for a whole listener: terminals use the
public one (their client id is always their user name), the platform its own one, on the loopback.
"""

import os
import shutil
import signal
from pathlib import Path

import asyncpg

from devices.topics import PREFIX, UpChannel
from ops.stack.ports import LOOPBACK
from ops.stack.privileges import RunAs, give, unprivileged
from ops.stack.process import Part
from services.terminals.broker_policy import ALLOWED_STATES, SERVICE_USER
from services.terminals.credentials import hash_password

# Debian installs it where an ordinary user's PATH does not look.
SEARCHED = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

MESSAGE_LIMIT = 262_144  # bytes; as the built-in broker's
INFLIGHT = 8_000  # above the default of 20, which halves the speed at 5 000 messages/s
AUTOSAVE_SECONDS = 10

CONFIGURATION = "mosquitto.conf"
ACCESS_LIST = "access.acl"
TERMINALS = "terminals.passwd"
SERVICE = "service.passwd"

_GOOD = "FROM terminal WHERE status::text = ANY ($1::text[]) AND password_hash IS NOT NULL"
_ACCOUNTS = f"SELECT id, password_hash {_GOOD} ORDER BY id"
# Tells one set of accounts from another, in any order: reading the files again costs Mosquitto a password check
# for every client, and most changes of a terminal are none of its account.
_STATE = f"SELECT count(*), coalesce(sum(hashtextextended(id::text || password_hash, 0)), 0) {_GOOD}"


def find() -> str | None:
    """Where the program `mosquitto` is, if it is installed."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), *SEARCHED]))


def access_list() -> str:
    """The rules of ``devices/broker_policy.py`` in Mosquitto's words."""
    lines = [
        f"user {SERVICE_USER}",
        f"topic read {PREFIX}/+/up/#",
        f"topic write {PREFIX}/+/down/#",
        "",
        *(f"pattern write {PREFIX}/%u/up/{channel.value}" for channel in UpChannel),
        f"pattern read {PREFIX}/%u/down/#",
    ]
    return "\n".join([*lines, ""])


def configuration(
    directory: Path, *, host: str, terminal_port: int, service_port: int, service_host: str = LOOPBACK
) -> str:
    """Mosquitto's configuration file. The platform's door is on the loopback unless it is reached by a name."""
    place = directory.resolve()
    lines = [
        "per_listener_settings true",
        "persistence true",
        f"persistence_location {place}/",
        f"autosave_interval {AUTOSAVE_SECONDS}",
        f"max_inflight_messages {INFLIGHT}",
        "max_queued_messages 0",
        # Without it an alarm close behind another packet waits up to 40 ms for a delayed acknowledgement.
        "set_tcp_nodelay true",
        f"message_size_limit {MESSAGE_LIMIT}",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages false",
        "",
        f"listener {service_port} {service_host}",
        "allow_anonymous false",
        f"password_file {place / SERVICE}",
        f"acl_file {place / ACCESS_LIST}",
        "",
        f"listener {terminal_port} {host}",
        "allow_anonymous false",
        "use_username_as_clientid true",
        f"password_file {place / TERMINALS}",
        f"acl_file {place / ACCESS_LIST}",
    ]
    return "\n".join([*lines, ""])


class Accounts:
    """Writes the password files, and knows whether the terminals have changed since."""

    def __init__(self, database_url: str, directory: Path, service_password: str) -> None:
        self._url = database_url
        self._directory = directory
        self._service_hash = hash_password(service_password)
        self._written: tuple[int, int] | None = None

    async def export(self) -> bool:
        """Write the files when something changed; returns whether it did. A database away changes nothing."""
        try:
            connection = await asyncpg.connect(self._url, timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return self._write_first()
        try:
            state = tuple(await connection.fetchrow(_STATE, list(ALLOWED_STATES), timeout=5))
            if state == self._written:
                return False
            rows = await connection.fetch(_ACCOUNTS, list(ALLOWED_STATES), timeout=30)
        except asyncpg.PostgresError:  # not migrated yet
            return self._write_first()
        finally:
            await connection.close()
        self._write([f"{row['id']}:{row['password_hash']}" for row in rows])
        self._written = (int(state[0]), int(state[1]))
        return True

    def _write_first(self) -> bool:
        if (self._directory / TERMINALS).exists() and (self._directory / SERVICE).exists():
            return False
        self._write([])
        return True

    def _write(self, terminals: list[str]) -> None:
        replace(self._directory / SERVICE, f"{SERVICE_USER}:{self._service_hash}\n")
        replace(self._directory / TERMINALS, "\n".join([*terminals, ""]))
        replace(self._directory / ACCESS_LIST, access_list())


def replace(path: Path, text: str) -> None:
    """Replace a file in one step; only the owner of its directory may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    owner = path.parent.stat()
    give(partial, (owner.st_uid, owner.st_gid))
    partial.replace(path)


class Mosquitto(Part):
    """The program itself, as a child of ``guoyuan broker``."""

    # It is to die with the process that watches over it, as the built-in broker would.
    orphan_signal = signal.SIGKILL

    def __init__(
        self,
        binary: str,
        directory: Path,
        log: Path,
        *,
        host: str,
        terminal_port: int,
        service_port: int,
        service_host: str = LOOPBACK,
    ) -> None:
        super().__init__("mosquitto", log)
        self._binary = binary
        self._directory = directory
        self._configuration = configuration(
            directory,
            host=host,
            terminal_port=terminal_port,
            service_port=service_port,
            service_host=service_host,
        )

    def run_as(self) -> RunAs:
        """Mosquitto would change from root to a user who cannot read its files: it starts as the right one."""
        return unprivileged(Path(self._binary), self._directory, prefer="mosquitto")

    def prepare(self) -> None:
        """Write the configuration and hand the directory to whom it runs as."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        give(self._directory, self.run_as().owner)
        replace(self._directory / CONFIGURATION, self._configuration)

    def argv(self) -> list[str]:
        """The command."""
        return [self._binary, "-c", str((self._directory / CONFIGURATION).resolve())]

    def reload(self) -> None:
        """Read the password files again; Mosquitto then ends clients whose password is no longer right."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGHUP)
