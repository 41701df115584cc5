"""A centre with three dispatchers, a rota, and a clock that stands still at a Monday morning in Shanghai."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from services.core.actor import SYSTEM, Actor, Role
from services.core.clock import BUSINESS_ZONE
from services.core.database import Database
from services.core.settings import Settings
from services.duty.models import NewRota, RotaPublic, ShiftPattern
from services.duty.rotas import create_rota
from services.identity.models import Account
from tests.clock import ManualClock
from tests.world import World

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(words: str) -> datetime:
    """``2026-11-23 20:00`` in Shanghai: a Monday."""
    return datetime.fromisoformat(words).replace(tzinfo=BUSINESS_ZONE)


def shift(starts: str, ends: str, *turns: list[UUID], days: list[int] | None = None) -> ShiftPattern:
    weekdays = days or [1, 2, 3, 4, 5, 6, 7]
    return ShiftPattern(name="班", weekdays=weekdays, starts=starts, ends=ends, turns=list(turns))


@dataclass
class Office:
    """``a`` is the world's own dispatcher; ``b`` and ``c`` are colleagues."""

    world: World
    database: Database
    clock: ManualClock
    a: UUID
    b: UUID
    c: UUID

    @property
    def centre_id(self) -> UUID:
        return self.world.here.centre.id

    def as_dispatcher(self, account_id: UUID) -> Actor:
        place = self.world.here
        return Actor(account_id, None, Role.DISPATCHER, place.town, centre_id=place.centre.id)

    async def manager(self) -> Actor:
        return await self.world.actor(Role.CENTRE_MANAGER)

    async def rota(
        self, *shifts: ShiftPattern, since: date = date(2026, 11, 23), until: date | None = None
    ) -> RotaPublic:
        new = NewRota(
            centre_id=self.centre_id,
            role=Role.DISPATCHER,
            name="调度值班",
            shifts=list(shifts),
            valid_from=since,
            valid_to=until,
        )
        async with self.database.unit_of_work(await self.manager()) as work:
            return await create_rota(work, new)


@pytest.fixture
async def office(fresh_world: World, settings: Settings) -> AsyncIterator[Office]:
    assert settings.database_url is not None
    clock = ManualClock(at("2026-11-23 09:00").astimezone(ZoneInfo("UTC")))
    database = Database(settings.database_url, 4, clock)
    place = fresh_world.here
    colleagues = [
        Account(
            id=uuid4(),
            role=Role.DISPATCHER,
            display_name=name,
            area_code=place.town,
            centre_id=place.centre.id,
            login=f"d-{uuid4()}",
            created_at=clock.now(),
        )
        for name in ("乙", "丙")
    ]
    async with database.unit_of_work(SYSTEM) as work:
        work.session.add_all(colleagues)
    yield Office(fresh_world, database, clock, place.staff[Role.DISPATCHER].id, colleagues[0].id, colleagues[1].id)
    await database.close()
