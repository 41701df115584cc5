"""Database, Redis, keys and a small world for the services' tests."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from api.house import House, open_house
from services.core.crypto import Vault
from services.core.database import Database
from services.core.settings import Settings
from tests.world import World, build_world


@pytest.fixture(scope="session")
async def house(settings: Settings) -> AsyncIterator[House]:
    """Open connections to the tests' stack."""
    opened = open_house(settings)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def database(house: House) -> Database:
    """The tests' database."""
    return house.database


@pytest.fixture(scope="session")
def vault(house: House) -> Vault:
    """The tests' keys."""
    return house.vault


@pytest.fixture(scope="session")
def redis(house: House) -> Redis:
    """The tests' Redis."""
    return house.redis


@pytest.fixture(scope="session")
async def world(database: Database, settings: Settings, vault: Vault) -> World:
    """One world for the tests that leave it as it is; who changes people builds another."""
    return await build_world(database, settings, vault)


@pytest.fixture
async def fresh_world(database: Database, settings: Settings, vault: Vault) -> World:
    """A world of one's own."""
    return await build_world(database, settings, vault)
