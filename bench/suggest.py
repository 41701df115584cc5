"""Suggestions over HTTP for a centre of 20, 100 and 300 caregivers with a full day, beside a bare route.

The rules alone are timed as well, in this process: what is left is the session, the facts and the answer.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as clock_time
from uuid import UUID

from sqlmodel import col, select

from bench.client import Tally, hammer, request
from bench.figures import milliseconds, percentile, ratio
from bench.house import House, user
from bench.report import Section, progress
from ops.stack.ports import accepts, free_port
from ops.stack.up import api_url
from services.caregivers.models import Caregiver, Credential, Shift, TravelMode
from services.caregivers.states import CredentialStatus
from services.catalogue.service import seed_items
from services.centres.models import Centre
from services.core.actor import SYSTEM
from services.core.clock import BUSINESS_ZONE
from services.core.database import Database, Work
from services.dispatch.facts import weights
from services.dispatch.loading import read_candidates
from services.dispatch.matching import rank
from services.dispatch.models import Booking, busy_range
from services.dispatch.suggesting import needed
from services.dispatch.travel import Ways, paces
from services.identity.models import Account
from services.orders.lines import OrderLine, demand_of, price_of
from services.orders.models import Channel, Order
from services.orders.service import price_context
from services.orders.states import OrderStatus
from services.residents.models import Gender, Resident

SIZES = (20, 100, 300)
VISITS = 10
SECONDS = 8.0
ITEM = "bathing"
_EVERY = timedelta(minutes=80)
_LASTS = timedelta(minutes=45)
_SPREAD = 0.06
"""Degrees to each side of the centre: some six kilometres."""


@dataclass(slots=True)
class Asked:
    """One size of centre."""

    caregivers: int
    visits: int
    rules: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    http: list[float] = field(default_factory=list)
    at_once: list[float] = field(default_factory=list)
    answer_bytes: int = 0


async def measure(house: House, *, quick: bool = False) -> Section:
    """A centre that grows; at each size the bare route and the suggestion in turn."""
    people = await house.people()
    dispatcher = user(people, "dispatcher")
    house.start_reader()
    port = free_port()
    house.helper("bench.baseline", [str(port)])
    await _accepting(port)
    api, bare = api_url(house.settings), f"http://127.0.0.1:{port}"
    headers = [f"Authorization: Bearer {dispatcher['access_token']}"]
    database = Database(str(house.settings.database_url), 4)
    rows: list[Asked] = []
    try:
        town = Town(database, UUID(dispatcher["centre_id"]))
        order_id = await town.open()
        for size in SIZES[:1] if quick else SIZES:
            await town.grow(size)
            await house.settle()
            progress(f"{size} caregivers")
            asked = Asked(size, size * VISITS)
            asked.rules = await town.time_rules(order_id, 5 if quick else 60)
            path = f"/api/v1/orders/{order_id}/suggestions"
            await _ask(asked, api, bare, request("GET", path, headers), 1.0 if quick else SECONDS)
            rows.append(asked)
    finally:
        await database.close()
    return _section(rows)


async def _ask(asked: Asked, api: str, bare: str, prepared: bytes, seconds: float) -> None:
    """One client after another, then four at once; a second of warming up first."""
    plain = request("GET", "/bare")
    routes: list[tuple[str, bytes, int, list[float]]] = [
        (bare, plain, 1, asked.bare),
        (api, prepared, 1, asked.http),
        (api, prepared, 4, asked.at_once),
    ]
    await hammer(api, 1, 1.0, _always(prepared))
    for base, what, clients, times in routes:
        tally: Tally = await hammer(base, clients, seconds, _always(what))
        if tally.wrong:
            raise RuntimeError(f"{base}: {tally.wrong[0]!r}")
        times.extend(tally.times)


def _always(prepared: bytes) -> Callable[[], bytes]:
    return lambda: prepared


@dataclass
class Town:
    """A centre with people whose whole day is booked."""

    database: Database
    centre_id: UUID
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    made: int = 0
    centre: Centre = field(init=False)
    placed_by: UUID = field(init=False)

    async def open(self) -> UUID:
        """An order for tomorrow that looks for somebody."""
        async with self.database.unit_of_work(SYSTEM) as work:
            centre = await work.session.get_one(Centre, self.centre_id)
            self.centre = centre
            desk = select(Account).where(Account.centre_id == centre.id).limit(1)
            self.placed_by = (await work.session.exec(desk)).one().id
            resident = await self._resident(work)
            order = self._order(resident, self._at(8), self._at(18), OrderStatus.PLACED)
            work.session.add(order)
            return order.id

    async def grow(self, caregivers: int) -> None:
        """More caregivers, each with a shift and a full day of visits."""
        async with self.database.unit_of_work(SYSTEM) as work:
            resident = await self._resident(work)
            fresh = [self._caregiver() for _ in range(caregivers - self.made)]
            work.session.add_all(fresh)
            await work.session.flush()
            for caregiver in fresh:
                work.session.add(self._shift(caregiver))
                work.session.add_all(self._credentials(caregiver))
                await self._day(work, caregiver, resident)
        self.made = caregivers

    async def time_rules(self, order_id: UUID, times: int) -> list[float]:
        """Seconds of the pure rules alone, over facts that are there."""
        async with self.database.unit_of_work(SYSTEM) as work:
            order = await work.session.get_one(Order, order_id)
            need = await needed(work, order, ())
            candidates = await read_candidates(work, order, need)
        ways, scale, found = Ways(paces()), weights(), []
        for _ in range(times):
            began = time.perf_counter()
            rank(need, candidates, scale, ways)
            found.append(time.perf_counter() - began)
        return found

    async def _resident(self, work: Work) -> Resident:
        wanted = select(Resident).where(col(Resident.area_code).startswith(self.centre.area_code)).limit(1)
        return (await work.session.exec(wanted)).one()

    def _at(self, hour: float) -> datetime:
        """An hour of tomorrow, by the local clock."""
        day = datetime.now(BUSINESS_ZONE).date() + timedelta(days=1)
        return datetime.combine(day, clock_time(), BUSINESS_ZONE) + timedelta(hours=hour)

    def _near(self) -> tuple[float, float]:
        return (
            self.centre.latitude + self.rng.uniform(-_SPREAD, _SPREAD),
            self.centre.longitude + self.rng.uniform(-_SPREAD, _SPREAD),
        )

    def _caregiver(self) -> Caregiver:
        latitude, longitude = self._near()
        return Caregiver(
            centre_id=self.centre.id,
            area_code=self.centre.area_code,
            name="测试护理员",
            gender=self.rng.choice([Gender.FEMALE, Gender.MALE]),
            profession="care_worker",
            skills=sorted({item.required_skill for item in seed_items()}),
            travel_mode=TravelMode.SCOOTER,
            home_latitude=latitude,
            home_longitude=longitude,
            practice_since=datetime(2015, 1, 1, tzinfo=BUSINESS_ZONE).date(),
        )

    def _shift(self, caregiver: Caregiver) -> Shift:
        return Shift(
            caregiver_id=caregiver.id, area_code=caregiver.area_code, starts_at=self._at(6), ends_at=self._at(21)
        )

    def _credentials(self, caregiver: Caregiver) -> list[Credential]:
        kinds = sorted({kind for item in seed_items() for kind in item.required_licences})
        return [
            Credential(
                caregiver_id=caregiver.id,
                area_code=caregiver.area_code,
                kind=kind,
                issuer="测试机关",
                valid_from=datetime(2020, 1, 1, tzinfo=BUSINESS_ZONE).date(),
                valid_until=datetime(2040, 1, 1, tzinfo=BUSINESS_ZONE).date(),
                status=CredentialStatus.VERIFIED,
            )
            for kind in kinds
        ]

    async def _day(self, work: Work, caregiver: Caregiver, resident: Resident) -> None:
        """Ten visits, thirty-five minutes apart."""
        starts = [self._at(6.5) + _EVERY * number for number in range(VISITS)]
        orders = [self._order(resident, at, at + _LASTS, OrderStatus.ASSIGNED) for at in starts]
        work.session.add_all(orders)
        await work.session.flush()
        work.session.add_all(
            Booking(
                order_id=order.id,
                caregiver_id=caregiver.id,
                resident_id=resident.id,
                centre_id=self.centre.id,
                area_code=order.area_code,
                starts_at=at,
                ends_at=at + _LASTS,
                busy=busy_range(caregiver.number or 0, at, at + _LASTS),
                assigned_at=work.now,
            )
            for order, at in zip(orders, starts, strict=True)
        )

    def _order(self, resident: Resident, since: datetime, until: datetime, status: OrderStatus) -> Order:
        item = next(one for one in seed_items() if one.code == ITEM)
        lines = [OrderLine(line_no=1, item=item, quantity=1, minutes=30)]
        demand = demand_of(lines)
        latitude, longitude = self._near()
        return Order(
            resident_id=resident.id,
            centre_id=self.centre.id,
            area_code=resident.area_code,
            item_code=item.code,
            lines=[line.model_dump(mode="json") for line in lines],
            skills=sorted(demand.skills),
            licences=sorted(demand.licences),
            quote=price_of(lines, price_context(False)).model_dump(mode="json"),
            status=status,
            channel=Channel.PHONE,
            placed_by=self.placed_by,
            placed_at=datetime.now(BUSINESS_ZONE),
            window_start=since,
            window_end=until,
            duration_minutes=30,
            caregivers_required=1,
            address="",
            latitude=latitude,
            longitude=longitude,
            start_code="0000",
        )


async def _accepting(port: int) -> None:
    async with asyncio.timeout(30):
        while not accepts(port):  # noqa: ASYNC110  another process's port rings no bell for us
            await asyncio.sleep(0.1)


def _section(rows: list[Asked]) -> Section:
    def pair(times: list[float]) -> str:
        return f"{milliseconds(percentile(times, 0.5))} / {milliseconds(percentile(times, 0.95))}"

    return Section(
        "suggest",
        "Suggest: who could take an order",
        f"`GET /api/v1/orders/{{id}}/suggestions` for an order with a window of ten hours, at a centre whose every"
        f" caregiver has {VISITS} visits that day, one uvicorn process, demo county beside it. The answer holds"
        " every caregiver of the centre with scores or reasons. One keep-alive connection, then four at once;"
        f" {SECONDS:.0f} s each. *Rules alone*: the pure matching in the benchmark's own process.",
        [
            "caregivers / visits",
            "rules alone p50 / p95",
            "bare route p50 / p95",
            "suggest p50 / p95",
            "÷ bare, p50",
            "four clients p50 / p95",
        ],
        [
            [
                f"{row.caregivers} / {row.visits}",
                pair(row.rules),
                pair(row.bare),
                pair(row.http),
                ratio(percentile(row.http, 0.5), percentile(row.bare, 0.5)),
                pair(row.at_once),
            ]
            for row in rows
        ],
    )
