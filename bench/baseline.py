"""The least a FastAPI service can do: a bare route, one query, one insert. Run like the API, by uvicorn.

``python -m bench.baseline PORT`` with the platform's settings in the environment.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import FastAPI

from services.core.database import asyncpg_url
from services.core.ids import new_id
from services.core.settings import Settings

_READ = "SELECT id::text, status, item_code, address, window_start::text, version FROM service_order WHERE id = $1"
_TABLE = "CREATE TABLE IF NOT EXISTS bench_order (id uuid PRIMARY KEY, body jsonb)"
_INSERT = "INSERT INTO bench_order (id, body) VALUES ($1, $2::jsonb)"


def create_app(settings: Settings) -> FastAPI:
    """Three routes and a pool."""
    pools: list[asyncpg.Pool] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        size = settings.database_pool_size
        async with asyncpg.create_pool(asyncpg_url(str(settings.database_url)), min_size=1, max_size=size) as pool:
            await pool.execute(_TABLE)
            pools.append(pool)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/bare")
    async def bare() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/query/{order_id}")
    async def query(order_id: UUID) -> dict[str, Any]:
        return dict(await pools[0].fetchrow(_READ, order_id))

    @app.post("/insert")
    async def insert(body: dict[str, Any]) -> dict[str, str]:
        made = new_id()
        await pools[0].execute(_INSERT, made, str(body["note"]).join('""'))
        return {"id": str(made)}

    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(Settings(_env_file=None)),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
    )
