"""A small centre's day to plan: caregivers and homes apart, orders of several kinds, and what must hold of a plan.

The clock stands at seven in the morning of a day to come; everybody works from eight to five.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.caregivers.models import Absence, AbsenceKind, Caregiver, TravelMode
from services.caregivers.states import AbsenceStatus
from services.core.actor import SYSTEM, Actor, Role
from services.core.clock import BUSINESS_ZONE
from services.dispatch.day_plans import committing, computing, repairing, service
from services.dispatch.day_plans.views import DayPlanCreate, DayPlanPublic, PlanCommit, PlanCommitted, PlanOptions
from services.events import CaregiverAbsent
from services.identity.models import Account
from services.orders.models import OrderPublic
from services.planning.problem import EngineName
from tests.ordering import HOME, Ordering

SECONDS = 1.0
"""To think: the days of the tests are small. The greedy engine is asked, because it needs nothing compiled."""


@dataclass(slots=True)
class Township:
    """The centre and its day."""

    ordering: Ordering
    day: date
    team: list[Caregiver]

    @classmethod
    async def build(cls, ordering: Ordering, caregivers: int = 4) -> "Township":
        """Move the clock to tomorrow morning, send the world's own caregivers away, hire others."""
        now = ordering.clock.now()
        day = now.astimezone(BUSINESS_ZONE).date() + timedelta(days=1)
        morning = datetime.combine(day, time(7), BUSINESS_ZONE)
        ordering.clock.forward(seconds=(morning - now).total_seconds())
        async with ordering.work() as work:
            await work.sql(
                text("UPDATE caregiver SET left_at = :now WHERE centre_id = :centre"),
                {"now": now, "centre": ordering.world.here.centre.id},
            )
        town = cls(ordering, day, [])
        for number in range(caregivers):
            await town.hire(number)
        return town

    async def hire(self, number: int, **facts: Any) -> Caregiver:
        """A caregiver with every skill and licence, at work from eight to five, with an account."""
        given = {
            "name": f"护理员{number}",
            "travel_mode": TravelMode.SCOOTER,
            "home_latitude": HOME[0] + 0.01 * (number % 3 - 1),
            "home_longitude": HOME[1] + 0.01 * (number // 3 - 1),
            "shift": (timedelta(hours=1), timedelta(hours=10)),
        } | facts
        (one,) = await self.ordering.add_caregivers(1, **given)
        async with self.ordering.work() as work:
            work.session.add(
                Account(
                    role=Role.CAREGIVER,
                    display_name=one.name,
                    area_code=one.area_code,
                    person_id=one.id,
                    centre_id=one.centre_id,
                    created_at=work.now,
                )
            )
        self.team.append(one)
        return one

    def at(self, hour: float) -> datetime:
        """A local hour of the day."""
        return datetime.combine(self.day, time(), BUSINESS_ZONE) + timedelta(hours=hour)

    async def order(
        self, item: str, begins: float, ends: float, east: float = 0.0, north: float = 0.0, **wish: Any
    ) -> OrderPublic:
        """An order with a window between two local hours, some hundredths of a degree away from the middle."""
        in_hours = (self.at(begins) - self.ordering.clock.now()).total_seconds() / 3600
        placed = await self.ordering.place(item, in_hours=in_hours, hours=ends - begins, **wish)
        async with self.ordering.work() as work:
            await work.sql(
                text("UPDATE service_order SET latitude = :lat, longitude = :lon WHERE id = :id"),
                {"lat": HOME[0] + north / 100, "lon": HOME[1] + east / 100, "id": placed.id},
            )
        return placed

    async def ordinary_day(self) -> list[OrderPublic]:
        """Twelve orders over the day, one of them for two caregivers."""
        found = []
        for number in range(10):
            item = ("cleaning", "companionship", "bathing", "walking_aid")[number % 4]
            begins = 8 + number % 5 * 1.5
            found.append(await self.order(item, begins, begins + 3, number % 4 - 1.5, number % 3 - 1.0))
        found.append(await self.order("bathing_disabled", 9, 12, 1.0, 1.0))
        found.append(await self.order("companionship", 13, 15, -1.0, 1.0, is_urgent=True))
        return found

    async def request(self, **options: Any) -> UUID:
        """The dispatcher asks for a plan."""
        wish = DayPlanCreate(
            centre_id=self.ordering.world.here.centre.id,
            day=self.day,
            options=PlanOptions(**{"seconds": SECONDS, "engine": EngineName.GREEDY, **options}),
        )
        async with self.ordering.work(self.ordering.dispatcher) as work:
            return (await service.request_plan(work, wish)).id

    async def compute(self, solve: computing.Solver | None = None) -> None:
        """The worker makes whatever waits."""
        while await computing.make_next(self.ordering.database, solve):
            pass

    async def read(self, plan_id: UUID, actor: Actor | None = None) -> DayPlanPublic:
        """The dispatcher looks at a plan."""
        async with self.ordering.work(actor or self.ordering.dispatcher) as work:
            return await service.read_plan(work, plan_id)

    async def planned(self, solve: computing.Solver | None = None, **options: Any) -> DayPlanPublic:
        """Asked for, made, and read."""
        plan_id = await self.request(**options)
        await self.compute(solve)
        return await self.read(plan_id)

    async def commit(self, plan_id: UUID, actor: Actor | None = None, **wish: Any) -> PlanCommitted:
        """The dispatcher commits."""
        async with self.ordering.work(actor or self.ordering.dispatcher) as work:
            return await committing.commit_plan(work, plan_id, PlanCommit(**wish), None)

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        """What the database says."""
        async with self.ordering.work(SYSTEM) as work:
            return (await work.sql(text(statement), values)).all()

    async def fall_ill(self, caregiver_id: UUID, since: float = 0) -> CaregiverAbsent:
        """An approved absence from an hour of the day on; gives the event that goes with it."""
        async with self.ordering.work() as work:
            caregiver = await work.session.get_one(Caregiver, caregiver_id)
            absence = Absence(
                caregiver_id=caregiver.id,
                centre_id=caregiver.centre_id,
                area_code=caregiver.area_code,
                kind=AbsenceKind.SICK,
                status=AbsenceStatus.APPROVED,
                starts_at=self.at(since),
                ends_at=self.at(24),
                requested_at=work.now,
            )
            work.session.add(absence)
            return CaregiverAbsent(
                area_code=caregiver.area_code,
                centre_id=caregiver.centre_id,
                caregiver_id=caregiver.id,
                starts_at=absence.starts_at,
                ends_at=absence.ends_at,
            )

    async def absent(self, caregiver_id: UUID, since: float = 0) -> None:
        """The same, and what the handler of the event does; then the worker computes."""
        event = await self.fall_ill(caregiver_id, since)
        async with self.ordering.work() as work:
            await repairing.repair_absence(work, event)
        await self.compute()

    async def watched(self) -> int:
        """The worker looks for what needs repair; gives how many plans that makes for this centre."""
        count = "SELECT count(*) FROM day_plan WHERE centre_id = :centre"
        centre_id = self.ordering.world.here.centre.id
        before = (await self.rows(count, centre=centre_id))[0][0]
        async with self.ordering.work() as work:
            await repairing.propose_repairs(work)
        return int((await self.rows(count, centre=centre_id))[0][0] - before)

    async def proposals(self) -> list[UUID]:
        """The repairs that wait for an answer, oldest first."""
        rows = await self.rows(
            "SELECT id FROM day_plan WHERE centre_id = :centre AND kind = 'repair' AND status = 'ready'"
            " ORDER BY id",
            centre=self.ordering.world.here.centre.id,
        )
        return [row[0] for row in rows]

    async def told(self) -> dict[UUID, list[str]]:
        """Which templates each account has been sent by plans."""
        rows = await self.rows(
            "SELECT account_id, template FROM notification WHERE centre_id = :centre AND key LIKE 'plan:%'"
            " ORDER BY id",
            centre=self.ordering.world.here.centre.id,
        )
        found: dict[UUID, list[str]] = {}
        for account_id, template in rows:
            found.setdefault(account_id, []).append(template)
        return found

    async def account_of(self, caregiver_id: UUID) -> UUID:
        """Whom a caregiver's notices go to."""
        rows = await self.rows("SELECT id FROM account WHERE person_id = :id", id=caregiver_id)
        return UUID(str(rows[0][0]))
