"""PostgreSQL, Redis and the broker together: what ``guoyuan up`` starts first and what the tests run on."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from pydantic import SecretStr

from ops.stack import mosquitto
from ops.stack.application import Application
from ops.stack.mqtt import Broker
from ops.stack.ports import LOOPBACK, free_port
from ops.stack.postgres import Postgres
from ops.stack.process import Part
from ops.stack.redis import Redis
from ops.stack.secrets import StackSecrets, load_or_make
from services.core.settings import Settings
from services.terminals.broker_policy import SERVICE_USER


@dataclass(frozen=True, slots=True)
class StackPorts:
    """Loopback ports of the embedded servers."""

    postgres: int
    redis: int
    mqtt: int  # for terminals
    mqtt_service: int  # for the platform itself, when Mosquitto is the broker

    @classmethod
    def free(cls) -> Self:
        """Any free ones."""
        return cls(free_port(), free_port(), free_port(), free_port())


class EmbeddedStack:
    """The servers that the settings do not name elsewhere, with their data under one directory.

    As a context manager it starts them all and stops everything it started, application processes included::

        with EmbeddedStack(directory, durable=False) as stack:
            migrate(stack.postgres.url)
            ingest = stack.spawn("ingest", "--lane", "alarms")
            stack.postgres.kill(); stack.postgres.start()
    """

    def __init__(
        self,
        directory: Path,
        settings: Settings | None = None,
        ports: StackPorts | None = None,
        *,
        durable: bool = True,
    ) -> None:
        """`settings` of a caller who has none are demo settings without ``.env``; `ports` default to free ones.

        `durable=False` (tests) lets PostgreSQL skip fsync: a crash of the machine may lose data.
        """
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        # Others may pass through (PostgreSQL of root runs as somebody else), nobody may look around.
        self.directory.chmod(0o711)
        self.logs = self.directory / "logs"
        self.secrets = load_or_make(self.directory)
        base = settings or Settings(
            _env_file=None, data_dir=self.directory, api_port=free_port(), embedded_broker="builtin"
        )
        ports = ports or StackPorts.free()
        self.postgres = Postgres(
            self.directory / "postgres",
            self.logs / "postgres.log",
            port=ports.postgres,
            password=self.secrets.postgres_password,
            durable=durable,
        )
        self.redis = Redis(
            self.directory / "redis",
            self.logs / "redis.log",
            port=ports.redis,
            password=self.secrets.redis_password,
        )
        self.settings = _complete(base, self.secrets, self.postgres, self.redis, ports)
        self.broker = Broker(self.logs / "broker.log", self.settings)
        self.parts: list[Part] = [
            *([self.postgres] if base.database_url is None else []),
            *([self.redis] if base.redis_url is None else []),
            *([self.broker] if base.mqtt_url is None else []),
        ]
        self._spawned: list[Application] = []

    def start(self) -> None:
        """Start the servers one after another; each is ready when the next begins."""
        for part in self.parts:
            part.start()

    def stop(self) -> None:
        """Stop the application's processes and then the servers, last started first."""
        for part in [*reversed(self._spawned), *reversed(self.parts)]:
            part.stop()
        self._spawned.clear()

    def spawn(
        self,
        *arguments: str,
        name: str | None = None,
        is_ready: Callable[[], bool] | None = None,
        settings: Settings | None = None,
    ) -> Application:
        """Start ``guoyuan <arguments>`` on this stack and wait until `is_ready` (default: do not wait)."""
        part = self.application(arguments, name=name, is_ready=is_ready, settings=settings)
        self._spawned.append(part)
        part.start()
        return part

    def application(
        self,
        arguments: Sequence[str],
        *,
        name: str | None = None,
        is_ready: Callable[[], bool] | None = None,
        settings: Settings | None = None,
    ) -> Application:
        """``guoyuan <arguments>`` as a part that is not started yet."""
        title = name or "-".join(argument.lstrip("-") for argument in arguments)
        return Application(title, self.logs / f"{title}.log", arguments, settings or self.settings, is_ready)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            with contextlib.suppress(Exception):
                self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _complete(
    base: Settings, secrets: StackSecrets, postgres: Postgres, redis: Redis, ports: StackPorts
) -> Settings:
    """The settings with the embedded addresses and the made-up secrets where the user gave none."""
    embedded = base.mqtt_url is None
    service_port = ports.mqtt_service if base.embedded_broker != "builtin" and mosquitto.find() else ports.mqtt
    mqtt_url = f"mqtt://{SERVICE_USER}:{quote(secrets.service_password)}@{LOOPBACK}:{service_port}"
    return base.model_copy(
        update={
            # Absolute, because other commands read these settings from other directories.
            "data_dir": base.data_dir.resolve(),
            "database_url": base.database_url or postgres.url,
            "redis_url": base.redis_url or redis.url,
            "mqtt_url": base.mqtt_url or mqtt_url,
            "mqtt_terminal_url": f"mqtt://{LOOPBACK}:{ports.mqtt}" if embedded else base.mqtt_terminal_url,
            "mqtt_port": ports.mqtt if embedded else base.mqtt_port,
            # Only ever in demo mode: `Settings` refuses to load in production without its own.
            "token_secret": base.token_secret or SecretStr(secrets.token_secret),
            "field_key": base.field_key or SecretStr(secrets.field_key),
            "lookup_key": base.lookup_key or SecretStr(secrets.lookup_key),
        }
    )
