"""Brings a database to the newest schema, through Alembic's own interface, and its default data up to date."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import migrations
from services.catalogue.service import load_items
from services.core.actor import SYSTEM
from services.core.database import Database
from services.terminals.profiles import load_profiles

SCRIPTS = Path(migrations.__file__).parent


def configuration(database_url: str | None = None) -> Config:
    """Alembic's configuration; there is no ``alembic.ini``, the place of the scripts is all it needs."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    return config


def migrate(database_url: str, revision: str = "head") -> None:
    """Apply every migration that is missing. Call it outside a running event loop: Alembic starts its own."""
    command.upgrade(configuration(database_url), revision)
    if revision == "head":
        asyncio.run(_load_defaults(database_url))


async def _load_defaults(database_url: str) -> None:
    """What every installation needs to work at all; what a county has edited stays."""
    database = Database(database_url, pool_size=2)
    try:
        async with database.unit_of_work(SYSTEM) as work:
            await load_profiles(work)
            await load_items(work)
    finally:
        await database.close()


def newest() -> str | None:
    """The newest revision of this code; None while there is no migration."""
    return ScriptDirectory.from_config(configuration()).get_current_head()
