"""The servers of the stack as processes: start, crash, half-made and damaged data."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis import Redis as RedisClient
from redis.exceptions import AuthenticationError

from ops.stack import launch
from ops.stack.embedded import EmbeddedStack
from ops.stack.mqtt import probe
from ops.stack.postgres import MARKER, DamagedDataError, Postgres
from ops.stack.process import StartFailedError, end_stranger, launched, rotate
from ops.stack.runtime import environment_of
from ops.stack.secrets import load_or_make
from services.core.settings import Settings


@pytest.fixture
def postgres(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Postgres]:
    server = Postgres(
        tmp_path / "postgres", tmp_path / "postgres.log", port=free_port(), password="one'two", durable=False
    )
    yield server
    server.stop()


def value(url: str, query: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_the_stack_is_reachable(stack: EmbeddedStack, settings: Settings) -> None:
    assert settings.database_url == stack.postgres.url
    assert settings.redis_url == stack.redis.url
    assert settings.mqtt_url is not None
    assert probe(settings.mqtt_url) == 0
    assert probe(settings.mqtt_url.replace("guoyuan-service:", "guoyuan-service:x")) == 5
    assert probe("mqtt://127.0.0.1:1") is None


def test_the_servers_want_passwords(stack: EmbeddedStack) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        value(stack.postgres.url.replace("guoyuan:", "guoyuan:x", 1), "SELECT 1")
    with pytest.raises(AuthenticationError), RedisClient.from_url(stack.redis.url.replace(":@", ":x@")) as client:
        client.execute_command("AUTH", "wrong")


def test_settings_reach_children_through_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environment_of(settings).items():
        monkeypatch.setenv(name, text)
    assert Settings(_env_file=None) == settings


def test_postgres_keeps_its_data_over_a_crash_and_a_restart(postgres: Postgres, tmp_path: Path) -> None:
    postgres.start()
    value(postgres.url, "CREATE TABLE kept AS SELECT 42 AS n")
    postgres.kill()
    postgres.start()
    assert value(postgres.url, "SELECT n FROM kept") == 42
    copy = postgres.create_database("a_copy", "guoyuan")
    assert value(copy, "SELECT n FROM kept") == 42
    postgres.drop_database("a_copy")
    postgres.stop()
    other = Postgres(postgres.directory, postgres.log, port=postgres.port, password="another", durable=False)
    other.start()
    assert value(other.url, "SELECT n FROM kept") == 42
    other.stop()


@pytest.mark.parametrize("left", ["nothing", "empty", "partial", "half"])
def test_a_half_made_data_directory_is_made_again(postgres: Postgres, left: str) -> None:
    directory = postgres.directory
    if left == "empty":
        directory.mkdir()
    elif left == "partial":
        (directory.with_name("postgres.partial") / "base").mkdir(parents=True)
    elif left == "half":
        (directory / "base").mkdir(parents=True)
        (directory / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert value(postgres.url, "SELECT 1") == 1
    assert len(postgres.notes) == (1 if left == "half" else 0)
    assert not directory.with_name("postgres.partial").exists()


@pytest.mark.parametrize("missing", ["PG_VERSION", "global/pg_control"])
def test_a_damaged_data_directory_is_left_alone(postgres: Postgres, missing: str) -> None:
    postgres.prepare()
    (postgres.directory / missing).unlink()
    with pytest.raises(DamagedDataError, match="is damaged"):
        postgres.start()
    assert (postgres.directory / MARKER).exists()


def test_a_stale_pid_file_of_another_program_is_forgotten(postgres: Postgres) -> None:
    postgres.prepare()
    (postgres.directory / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.directory}\n")
    postgres.start()
    assert value(postgres.url, "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why(postgres: Postgres, stack: EmbeddedStack) -> None:
    postgres.port = stack.postgres.port
    # `pg_isready` would find the other server: only the exit of ours tells.
    postgres.ready = lambda: False  # type: ignore[method-assign]
    with pytest.raises(StartFailedError, match="Address already in use"):
        postgres.start()


def test_redis_comes_back_after_a_kill(tmp_path: Path) -> None:
    with EmbeddedStack(tmp_path, durable=False) as own:
        own.redis.kill()
        assert own.redis.poll() == -signal.SIGKILL
        own.redis.start()
        assert own.redis.ready()
        pids = [part.pid for part in own.parts]
    assert not any(pid is not None and psutil.pid_exists(pid) for pid in pids)


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    made = load_or_make(tmp_path)
    assert load_or_make(tmp_path) == made
    path = tmp_path / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    partial = json.loads(path.read_text())
    del partial["lookup_key"]
    path.write_text(json.dumps(partial))
    again = load_or_make(tmp_path)
    assert again.field_key == made.field_key
    assert again.lookup_key != made.lookup_key


def test_a_child_ends_with_its_parent() -> None:
    source = (
        "import subprocess, sys;"
        "from ops.stack.process import launched;"
        "child = subprocess.Popen(launched(['sleep', '600']));"
        "print(child.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        while psutil.Process(pid).name() != "sleep":
            time.sleep(0.02)
        parent.kill()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_program_is_not_started_for_a_parent_that_is_gone() -> None:
    command = launched(["echo", "started"])
    command[5] = "1"  # the parent's process id
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    assert done.returncode != 0
    assert "started" not in done.stdout
    assert Path(command[3]) == Path(launch.__file__)


def test_only_the_very_process_is_ended() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:  # noqa: S607 - any long program
        created_at = psutil.Process(process.pid).create_time()
        assert not end_stranger(process.pid, created_at - 100)
        assert process.poll() is None
        process.terminate()
    assert not end_stranger(process.pid, created_at)


def test_a_large_log_is_moved_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.stack.process.LOG_LIMIT", 10)
    log = tmp_path / "x.log"
    for number in range(5):
        log.write_text(f"log number {number}")
        rotate(log)
    assert [(tmp_path / f"x.log.{index}").read_text()[-1] for index in (1, 2, 3)] == ["4", "3", "2"]
    assert not (tmp_path / "x.log.4").exists()
