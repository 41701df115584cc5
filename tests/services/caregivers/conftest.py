"""A centre with three caregivers of its own, on a clock that stands still at a Monday morning in Shanghai."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from services.caregivers.absences import service as absences
from services.caregivers.absences.models import AbsenceSaved, NewAbsence
from services.caregivers.models import AbsenceKind, Caregiver, Shift, ShiftKind
from services.caregivers.rota import service as rota
from services.caregivers.rota.models import NewShift, ShiftSaved
from services.core.actor import SYSTEM, Actor, Role
from services.core.clock import BUSINESS_ZONE
from services.core.crypto import Vault
from services.core.database import Database, Work
from services.core.outbox import OutboxEvent
from services.core.settings import Settings
from services.dispatch.models import Booking, busy_range
from services.identity.models import Account
from tests.clock import ManualClock
from tests.ordering import Ordering, open_ordering
from tests.staffing import new_colleague
from tests.world import World, build_world, open_case


def at(words: str) -> datetime:
    """``2026-11-23 20:00`` in Shanghai: a Monday."""
    return datetime.fromisoformat(words).replace(tzinfo=BUSINESS_ZONE)


@dataclass
class Team:
    """``a``, ``b`` and ``c`` have no shifts but those that a test gives them."""

    world: World
    database: Database
    clock: ManualClock
    vault: Vault
    a: Caregiver
    b: Caregiver
    c: Caregiver
    accounts: dict[UUID, UUID] = field(default_factory=dict)

    @property
    def centre_id(self) -> UUID:
        return self.world.here.centre.id

    @property
    def manager(self) -> Actor:
        return self._staff(Role.CENTRE_MANAGER)

    @property
    def officer(self) -> Actor:
        return self._staff(Role.COUNTY_OFFICER)

    @property
    def dispatcher(self) -> Actor:
        return self._staff(Role.DISPATCHER)

    def _staff(self, role: Role) -> Actor:
        account = self.world.here.staff[role]
        return Actor(account.id, None, role, account.area_code, centre_id=account.centre_id, display_name="测试")

    def person(self, caregiver: Caregiver) -> Actor:
        place = self.world.here
        return Actor(
            self.accounts[caregiver.id], caregiver.id, Role.CAREGIVER, place.town, centre_id=place.centre.id
        )

    @asynccontextmanager
    async def work(self, actor: Actor = SYSTEM) -> AsyncIterator[Work]:
        async with self.database.unit_of_work(actor) as opened:
            yield opened

    async def shift(
        self, who: Caregiver, starts: str, ends: str, *, kind: ShiftKind = ShiftKind.WORK, draft: bool = False
    ) -> ShiftSaved:
        new = NewShift(starts_at=at(starts), ends_at=at(ends), kind=kind, publish=not draft)
        async with self.work(self.manager) as work:
            return await rota.plan_shift(work, who.id, new)

    async def away(self, who: Caregiver, kind: AbsenceKind, starts: str, ends: str) -> AbsenceSaved:
        new = NewAbsence(kind=kind, starts_at=at(starts), ends_at=at(ends))
        async with self.work(self.person(who)) as work:
            return await absences.request_absence(work, who.id, new)

    async def stored(self, shift_id: UUID) -> Shift:
        async with self.work() as work:
            return await work.session.get_one(Shift, shift_id)

    async def booked(self, who: Caregiver, starts: str, minutes: int = 60) -> UUID:
        """A visit in somebody's time, whatever the rota says; gives the booking."""
        case = await open_case(self.world)
        starts_at = at(starts)
        ends_at = starts_at + timedelta(minutes=minutes)
        async with self.work() as work:
            row = Booking(
                order_id=case.order_id,
                caregiver_id=who.id,
                resident_id=case.resident_id,
                centre_id=self.centre_id,
                area_code=self.world.here.households[0].resident.area_code,
                starts_at=starts_at,
                ends_at=ends_at,
                busy=busy_range(who.number or 0, starts_at, ends_at),
                assigned_by=self.world.here.staff[Role.DISPATCHER].id,
                assigned_at=work.now,
            )
            work.session.add(row)
        return row.id

    async def events(self, name: str) -> list[dict[str, object]]:
        """What was recorded of a kind in this county, oldest first."""
        async with self.work() as work:
            query = select(OutboxEvent).where(OutboxEvent.name == name).order_by(OutboxEvent.id)  # type: ignore[arg-type]
            rows = (await work.session.exec(query)).all()
        return [row.payload for row in rows if row.area_code.startswith(self.world.here.county)]


@pytest.fixture
async def team(settings: Settings, vault: Vault) -> AsyncIterator[Team]:
    assert settings.database_url is not None
    clock = ManualClock(at("2026-11-23 09:00").astimezone(ZoneInfo("UTC")))
    database = Database(settings.database_url, 20, clock)
    world = await build_world(database, settings, vault)
    place = world.here
    async with database.unit_of_work(SYSTEM) as work:
        people = [new_colleague(work, place, name=name) for name in ("甲示范", "乙示范", "丙示范")]
        await work.session.flush()
        accounts = {
            one.id: Account(
                role=Role.CAREGIVER,
                display_name=one.name,
                area_code=place.town,
                centre_id=place.centre.id,
                person_id=one.id,
                login=f"c-{uuid4()}",
                created_at=work.now,
            )
            for one in people
        }
        work.session.add_all(accounts.values())
    keys = {caregiver_id: account.id for caregiver_id, account in accounts.items()}
    yield Team(world, database, clock, vault, *people, accounts=keys)
    await database.close()


@pytest.fixture
async def ordering(settings: Settings, vault: Vault) -> AsyncIterator[Ordering]:
    """A centre that orders and assigns."""
    opened = await open_ordering(settings, vault)
    yield opened
    await opened.database.close()
