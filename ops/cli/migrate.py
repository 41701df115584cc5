"""``guoyuan migrate``: bring the database to the newest schema."""

from typing import Annotated

import typer

from ops.migrate import migrate, newest
from ops.stack.runtime import load_settings


def migrate_command(
    revision: Annotated[str, typer.Option(help="Migrate to this revision.")] = "head",
) -> None:
    """升级数据库结构。 Apply every database migration that is missing."""
    settings = load_settings()
    if settings.database_url is None:
        raise typer.BadParameter("set GUOYUAN_DATABASE_URL, or start the stack with `guoyuan up`")
    migrate(settings.database_url, revision)
    typer.echo(f"database at {newest() if revision == 'head' else revision}")
