"""Processes say that they are alive: `doctor` and `/metrics` show who has not for a while."""

import asyncio
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import text
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.database import DATABASE_AWAY, Database

log = structlog.get_logger("heartbeat")

BEAT_SECONDS: Final = 5.0
LATE_SECONDS: Final = 20.0
_BEAT: Final = text(
    "INSERT INTO heartbeat (process, beaten_at) VALUES (:process, :now)"
    " ON CONFLICT (process) DO UPDATE SET beaten_at = excluded.beaten_at"
)


class Heartbeat(SQLModel, table=True):
    """The last sign of life of one kind of process."""

    __tablename__ = "heartbeat"

    process: str = Field(primary_key=True)
    beaten_at: datetime = Field(sa_type=UtcDateTime)


async def beat_once(database: Database, process: str) -> None:
    """One sign of life; a database that is away is logged."""
    try:
        async with database.engine.begin() as connection:
            await connection.execute(_BEAT, {"process": process, "now": database.clock.now()})
    except DATABASE_AWAY as error:
        log.warning("heartbeat_missed", error=type(error).__name__)


async def beat(database: Database, process: str) -> None:
    """Say so every few seconds until cancelled."""
    while True:
        await beat_once(database, process)
        await asyncio.sleep(BEAT_SECONDS)
