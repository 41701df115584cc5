"""``openapi`` and ``create-admin``, as processes of their own."""

import json
import os
import subprocess
from pathlib import Path

import asyncpg
import pytest

from ops.cli.admin import PASSWORD_VARIABLE
from ops.stack.application import guoyuan
from ops.stack.embedded import EmbeddedStack
from ops.stack.runtime import child_environment

SECONDS = 60.0


def run(
    *arguments: str,
    environment: dict[str, str] | None = None,
    typed: str = "",
    directory: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own command line
        guoyuan(*arguments),
        env=environment or dict(os.environ),
        input=typed,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_openapi_needs_nothing_that_runs(tmp_path: Path) -> None:
    printed = run("openapi", directory=tmp_path)
    assert printed.returncode == 0, printed.stderr
    document = json.loads(printed.stdout)
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/orders" in document["paths"]
    assert run("openapi", "--output", "api.json", directory=tmp_path).returncode == 0
    assert json.loads((tmp_path / "api.json").read_text("utf-8")) == document
    assert [path.name for path in tmp_path.iterdir()] == ["api.json"]


@pytest.fixture(scope="module")
def environment(stack: EmbeddedStack) -> dict[str, str]:
    """The command sees the tests' stack."""
    return child_environment(stack.settings)


async def test_create_admin_makes_a_county_officer(stack: EmbeddedStack, environment: dict[str, str]) -> None:
    from_pipe = run("create-admin", "county-office-1", environment=environment, typed="a long enough pass\n")
    assert from_pipe.returncode == 0, from_pipe.stderr
    told = environment | {PASSWORD_VARIABLE: "another long enough pass"}
    assert run("create-admin", "county-office-2", "--name", "县办", environment=told).returncode == 0
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        rows = await connection.fetch("SELECT * FROM account WHERE login LIKE 'county-office-%' ORDER BY login")
    finally:
        await connection.close()
    assert [(row["role"], row["area_code"], row["is_demo"]) for row in rows] == [
        ("county_officer", "430121", False)
    ] * 2
    assert rows[1]["display_name"] == "县办"
    assert all(row["password_hash"].startswith("$argon2id$") for row in rows)

    again = run("create-admin", "county-office-1", environment=environment, typed="a long enough pass\n")
    assert again.returncode == 1
    assert "already in use" in again.stderr


def test_create_admin_refuses_with_a_sentence(environment: dict[str, str]) -> None:
    weak = run("create-admin", "county-office-3", environment=environment, typed="short\n")
    nowhere = environment | {"GUOYUAN_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    away = run("create-admin", "county-office-3", environment=nowhere, typed="a long enough pass\n")
    city = run("create-admin", "x", "--county", "4301", environment=environment, typed="y\n")
    assert [weak.returncode, away.returncode, city.returncode] == [1, 1, 2]
    assert "Traceback" not in weak.stderr + away.stderr + city.stderr
    assert "cannot be used" in away.stderr


def test_there_is_no_way_to_give_the_password_as_an_argument() -> None:
    assert "--password" not in run("create-admin", "--help").stdout
