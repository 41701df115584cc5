"""The API under test, on the tests' stack."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.house import House
from services.core.settings import Settings
from tests.world import World, build_world


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The running application."""
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture(scope="session")
def house(app: FastAPI) -> House:
    """The application's connections."""
    house: House = app.state.house
    return house


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the application without a socket; a fault in it is an answer, as for a real client."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api/api/v1") as made:
        yield made


@pytest.fixture(scope="session")
async def world(house: House) -> World:
    """One world for the tests that leave it as it is; who changes people builds another."""
    return await build_world(house.database, house.settings, house.vault)
