"""``guoyuan retention``, as a process of its own: it lists, and deletes only when told so."""

import asyncio
import subprocess

import asyncpg
import pytest

from ops.migrate import migrate
from ops.stack.application import guoyuan
from ops.stack.runtime import child_environment
from services.core.settings import Settings


@pytest.fixture
async def old(settings: Settings) -> Settings:
    """A database of its own with a month of 2001 in it."""
    assert settings.database_url is not None
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute("CREATE DATABASE command_retention")
    await connection.close()
    base, _, query = settings.database_url.partition("?")
    url = f"{base.rpartition('/')[0]}/command_retention{'?' + query if query else ''}"
    await asyncio.to_thread(migrate, url)
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT make_reading_partition('2001-03-05')")
    await connection.close()
    return settings.model_copy(update={"database_url": url})


async def run(settings: Settings, flag: str) -> str:
    """What the command prints."""
    done = await asyncio.to_thread(
        subprocess.run,
        guoyuan("retention", flag),
        env=child_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


async def months(settings: Settings) -> set[str]:
    connection = await asyncpg.connect(settings.database_url)
    try:
        rows = await connection.fetch(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reading'::regclass"
        )
        return {row[0] for row in rows}
    finally:
        await connection.close()


async def test_it_lists_and_deletes_when_told_so(old: Settings) -> None:
    before = await months(old)
    assert "2001-03-01" in await run(old, "--dry-run")
    assert await months(old) == before
    assert "deleted reading 2001-03-01" in await run(old, "--delete")
    assert before - await months(old) == {"reading_200103"}
