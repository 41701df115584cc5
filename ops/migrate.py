"""Brings a database to the newest schema, through Alembic's own interface."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import migrations

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


def newest() -> str | None:
    """The newest revision of this code; None while there is no migration."""
    return ScriptDirectory.from_config(configuration()).get_current_head()
