"""What the worker does for dispatch besides its jobs: rounds and climbs, one a transaction."""

import asyncio
from typing import Final

import structlog

from services.core.database import Database
from services.dispatch.climbing.service import climb_one
from services.dispatch.waves.service import advance_one

log = structlog.get_logger("dispatch")

LOOK_SECONDS: Final = 1.0


async def dispatch_forever(database: Database) -> None:
    """Advance rounds and climbs until cancelled. Several may run: orders are taken with SKIP LOCKED."""
    while True:
        try:
            while await advance_one(database) or await climb_one(database):
                pass
        except Exception as error:
            log.error("dispatch_failed", error=type(error).__name__, exc_info=error)
        await asyncio.sleep(LOOK_SECONDS)
