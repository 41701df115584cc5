"""A centre at work, for the tests of the order path: a world, a clock that is moved, and many caregivers.

Every verb runs in a unit of work of its own, as the actor that a request would have.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.caregivers.models import Caregiver, Credential, Shift, TravelMode
from services.caregivers.states import CredentialStatus
from services.catalogue.service import seed_items
from services.core.actor import SYSTEM, Actor, Role
from services.core.crypto import Vault
from services.core.database import Database, Work
from services.core.ids import new_id
from services.core.settings import Settings
from services.dispatch import service as dispatch
from services.dispatch.models import AssignRequest, OfferPublic, OffersCreate
from services.orders import service as orders
from services.orders.models import OrderCreate, OrderPublic
from services.reports.models import OrderDetail
from services.reports.service import read_order
from services.residents.models import Gender
from services.visits import service as visits
from services.visits.models import CheckIn, CheckOut, VisitPublic, VisitReading
from tests.clock import ManualClock
from tests.world import Place, World, build_world

HOME = (28.3, 113.2)
"""Where the world's residents live; new caregivers too, unless a test says otherwise."""

_LICENCES = sorted({kind for item in seed_items() for kind in item.required_licences})
_SKILLS = sorted({item.required_skill for item in seed_items()})


@dataclass(slots=True)
class Ordering:
    """One centre (``world.here``) and what its people do."""

    world: World
    database: Database
    clock: ManualClock
    team: list[Caregiver] = field(default_factory=list)

    def actor(self, role: Role, place: Place | None = None, number: int = 0) -> Actor:
        """The actor of a role in a place; ``number`` 1 is the second household."""
        place = place or self.world.here
        account = self.world.account(role, place, number)
        household = place.households[number]
        own = role in (Role.RESIDENT, Role.FAMILY)
        return Actor(
            account_id=account.id,
            person_id=account.person_id,
            role=role,
            area_code=account.area_code,
            resident_ids=frozenset({household.resident.id}) if own else None,
            centre_id=account.centre_id,
            display_name=account.display_name,
        )

    def as_caregiver(self, caregiver_id: UUID) -> Actor:
        """The actor of any caregiver of the centre."""
        return Actor(
            account_id=new_id(),
            person_id=caregiver_id,
            role=Role.CAREGIVER,
            area_code=self.world.here.town,
            centre_id=self.world.here.centre.id,
        )

    @property
    def dispatcher(self) -> Actor:
        return self.actor(Role.DISPATCHER)

    @property
    def resident(self) -> Actor:
        return self.actor(Role.RESIDENT)

    @asynccontextmanager
    async def work(self, actor: Actor = SYSTEM) -> AsyncIterator[Work]:
        """One unit of work."""
        async with self.database.unit_of_work(actor) as opened:
            yield opened

    async def add_caregivers(self, count: int, **facts: Any) -> list[Caregiver]:
        """Caregivers with every skill and licence, on shift for two days from an hour ago."""
        async with self.work() as work:
            shift = facts.pop("shift", (timedelta(hours=-1), timedelta(hours=48)))
            licences = facts.pop("licences", _LICENCES)
            made = [self._caregiver(work, **facts) for _ in range(count)]
            await work.session.flush()
            for one in made:
                if shift is not None:
                    work.session.add(
                        Shift(
                            caregiver_id=one.id,
                            area_code=one.area_code,
                            starts_at=work.now + shift[0],
                            ends_at=work.now + shift[1],
                        )
                    )
                for kind in licences:
                    work.session.add(
                        Credential(
                            caregiver_id=one.id,
                            area_code=one.area_code,
                            kind=kind,
                            issuer="测试机关",
                            valid_from=date(2020, 1, 1),
                            valid_until=facts.get("valid_until", date(2040, 1, 1)),
                            status=CredentialStatus.VERIFIED,
                            checked_at=work.now,
                        )
                    )
        self.team.extend(made)
        return made

    def _caregiver(self, work: Work, **facts: Any) -> Caregiver:
        centre = self.world.here.centre
        given: dict[str, Any] = {
            "name": "陈护理",
            "gender": Gender.FEMALE,
            "profession": "care_worker",
            "skills": _SKILLS,
            "travel_mode": TravelMode.SCOOTER,
            "home_latitude": HOME[0],
            "home_longitude": HOME[1],
            "practice_since": date(2010, 1, 1),
        } | {name: value for name, value in facts.items() if name != "valid_until"}
        caregiver = Caregiver(centre_id=centre.id, area_code=centre.area_code, **given)
        work.session.add(caregiver)
        return caregiver

    def wish(self, item: str = "bathing", in_hours: float = 2, hours: float = 4, **more: Any) -> OrderCreate:
        """An order by the first household's resident, some hours ahead."""
        start = self.clock.now() + timedelta(hours=in_hours)
        return OrderCreate(
            **{
                "resident_id": self.world.here.households[0].resident.id,
                "item_code": item,
                "window_start": start,
                "window_end": start + timedelta(hours=hours),
                **more,
            }
        )

    async def place(self, item: str = "bathing", actor: Actor | None = None, **wish: Any) -> OrderPublic:
        """Place an order."""
        async with self.work(actor or self.resident) as work:
            return await orders.place_order(work, self.wish(item, **wish))

    async def offer(self, order_id: UUID, caregivers: list[Caregiver], **more: Any) -> list[OfferPublic]:
        """Ask caregivers."""
        wish = OffersCreate(caregiver_ids=[one.id for one in caregivers], **more)
        async with self.work(self.dispatcher) as work:
            return (await dispatch.send_offers(work, order_id, wish)).items

    async def accept(self, offer: OfferPublic) -> OfferPublic:
        """The asked caregiver accepts."""
        async with self.work(self.as_caregiver(offer.caregiver_id)) as work:
            return await dispatch.accept(work, offer.id, None)

    async def assign(self, order_id: UUID, caregivers: list[Caregiver], **more: Any) -> None:
        """The dispatcher decides."""
        wish = AssignRequest(caregiver_ids=[one.id for one in caregivers], **more)
        async with self.work(self.dispatcher) as work:
            await dispatch.assign(work, order_id, wish, None)

    async def read(self, order_id: UUID, actor: Actor | None = None) -> OrderDetail:
        """The order with all that became of it."""
        async with self.work(actor or self.dispatcher) as work:
            return await read_order(work, order_id)

    async def assigned(self, item: str = "bathing", **wish: Any) -> tuple[OrderPublic, OrderDetail]:
        """A placed order, and the same once the first free caregivers have it."""
        order = await self.place(item, **wish)
        fresh = await self.add_caregivers(order.caregivers_required)
        await self.assign(order.id, fresh)
        return order, await self.read(order.id)

    def at_door(self, order: OrderPublic, **said: Any) -> CheckIn:
        """A check-in with nothing wrong."""
        return CheckIn(
            **{
                "start_code": order.start_code,
                "device_at": self.clock.now(),
                "latitude": HOME[0],
                "longitude": HOME[1],
                "accuracy_m": 20,
                **said,
            }
        )

    def leaving(self, order: OrderPublic, **said: Any) -> CheckOut:
        """A check-out with nothing wrong."""
        checklist = next(item.checklist for item in seed_items() if item.code == order.item_code)
        checked = any(task.code == "vital_check" for task in checklist)
        pressure = VisitReading(kind="blood_pressure", systolic=128, diastolic=76)
        return CheckOut(
            **{
                "device_at": self.clock.now(),
                "latitude": HOME[0],
                "longitude": HOME[1],
                "accuracy_m": 20,
                "tasks_done": [task.code for task in checklist],
                "readings": [pressure] if checked else [],
                **said,
            }
        )

    async def check_in(self, order: OrderPublic, visit_id: UUID, caregiver_id: UUID, **said: Any) -> VisitPublic:
        """The caregiver checks in."""
        async with self.work(self.as_caregiver(caregiver_id)) as work:
            return await visits.check_in(work, visit_id, self.at_door(order, **said), None)

    async def check_out(self, order: OrderPublic, visit_id: UUID, caregiver_id: UUID, **said: Any) -> VisitPublic:
        """The caregiver checks out."""
        async with self.work(self.as_caregiver(caregiver_id)) as work:
            return await visits.check_out(work, visit_id, self.leaving(order, **said), None)

    async def completed(
        self,
        item: str = "bathing",
        minutes: int | None = None,
        check_in: dict[str, Any] | None = None,
        **wish: Any,
    ) -> OrderPublic:
        """An order whose visits have all ended after some minutes of care."""
        order, detail = await self.assigned(item, **wish)
        for visit in detail.visits:
            await self.check_in(order, visit.id, visit.caregiver_id, **(check_in or {}))
        self.clock.forward(minutes=order.duration_minutes if minutes is None else minutes)
        for visit in detail.visits:
            await self.check_out(order, visit.id, visit.caregiver_id)
        return order


async def open_ordering(settings: Settings, vault: Vault) -> Ordering:
    """A new world with a clock of its own and enough connections for parallel requests."""
    assert settings.database_url is not None
    clock = ManualClock()
    database = Database(settings.database_url, pool_size=20, clock=clock)
    world = await build_world(database, settings, vault)
    return Ordering(world, database, clock)


def same_moment(left: datetime, right: datetime) -> bool:
    """Equal to the microsecond that the database keeps."""
    return abs(left - right) < timedelta(milliseconds=1)
