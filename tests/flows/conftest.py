"""The whole platform in one process, on the tests' stack: API on a socket, both ingest lanes, the worker."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.house import House, open_house
from devices.ingest import run as run_ingest
from services.core.settings import Settings
from services.worker import run as run_worker
from tests.stopping import end
from tests.terminals import ingest_hears
from tests.world import World, build_world


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    """Open connections to the tests' stack."""
    opened = open_house(settings)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def world(house: House) -> World:
    """People to play with."""
    return await build_world(house.database, house.settings, house.vault)


@pytest.fixture(scope="module")
async def platform(settings: Settings, world: World) -> AsyncIterator[None]:
    """Ingest and worker, running."""
    before = asyncio.all_tasks()
    tasks = [asyncio.create_task(run_ingest(settings, "all")), asyncio.create_task(run_worker(settings))]
    await ingest_hears(settings, world)
    yield
    await end(tasks, before)


@pytest.fixture(scope="module")
async def api(settings: Settings, platform: None) -> AsyncIterator[Callable[[], httpx.AsyncClient]]:
    """Makes clients of the API, which listens on a real socket: a stream must be a stream."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(settings), log_config=None, lifespan="on", timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    before = asyncio.all_tasks()
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event to wait on
        await asyncio.sleep(0.01)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=address, timeout=10)

    yield client
    server.should_exit = True
    await asyncio.wait({task}, timeout=20)
    await end([task], before)
    listener.close()
