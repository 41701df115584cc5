"""`guoyuan terminals stock FILE.csv`: every terminal of the file, or none."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from api.house import House, open_house
from ops.cli import registry
from services.core.settings import Settings
from tests.world import World, build_world


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    opened = open_house(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def world(house: House, settings: Settings) -> World:
    return await build_world(house.database, settings, house.vault)


def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """The command in a process' own manner: it makes an event loop, so it must not find one."""
    monkeypatch.setattr(registry, "load_settings", lambda: settings)
    result = CliRunner().invoke(registry.app, list(arguments))
    return result.exit_code, result.output


async def in_stock(house: House, prefix: str) -> list[tuple[str, str]]:
    async with house.database.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT serial, status FROM terminal WHERE serial LIKE :like ORDER BY serial"),
            {"like": f"{prefix}%"},
        )
        return [(row[0], row[1]) for row in rows]


async def test_a_file_goes_in_as_a_whole(
    settings: Settings, house: House, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix, file = f"C{uuid4().hex[:12]}-", tmp_path / "box.csv"
    town = world.here.town
    good = f"serial,profile,area_code\r\n{prefix}1,pendant,{town}\r\n{prefix}2,glucometer,{town}\r\n"
    file.write_text("\ufeff" + good, encoding="utf-8")
    code, output = await asyncio.to_thread(run, settings, monkeypatch, "stock", str(file))
    assert code == 0, output
    assert await in_stock(house, prefix) == [(f"{prefix}1", "stock"), (f"{prefix}2", "stock")]
    code, output = await asyncio.to_thread(run, settings, monkeypatch, "stock", str(file))
    assert code == 1
    assert "line 2" in output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{prefix}9,no-such-model,{town}", "no-such-model"),
        ("{prefix}9,pendant,999999999", "line 3"),
        ("{prefix}9,pendant,x", "area_code"),
        ("!,pendant,{town}", "serial"),
    ],
)
async def test_one_bad_line_keeps_the_whole_file_out(
    settings: Settings,
    house: House,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    said: str,
) -> None:
    prefix, file = f"C{uuid4().hex[:12]}-", tmp_path / "box.csv"
    bad = line.format(prefix=prefix, town=world.here.town)
    file.write_text(f"serial,profile,area_code\n{prefix}1,pendant,{world.here.town}\n{bad}\n", encoding="utf-8")
    code, output = await asyncio.to_thread(run, settings, monkeypatch, "stock", str(file))
    assert (code, said in output) == (1, True), output
    assert await in_stock(house, prefix) == []
