"""A scene at the alert desk: a world, a clock that the test moves, one pendant, and what tests say briefly."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from services.alerts import service
from services.alerts.models import Alert, AlertKind, AlertLog, AlertPage, Escalation
from services.alerts.service import AlarmFacts, RaisedAlarm
from services.alerts.states import Severity
from services.core.actor import SYSTEM, Actor, Role
from services.core.database import Database
from services.core.ids import new_id
from services.core.outbox import OutboxEvent
from services.terminals.repository import Bound
from tests.clock import ManualClock
from tests.world import Place, World


@dataclass(slots=True)
class Scene:
    """A desk, its world, a clock and one pendant."""

    desk: Database
    world: World
    clock: ManualClock
    bound: Bound

    async def press(
        self,
        kind: AlertKind = AlertKind.SOS,
        alarm_id: str | None = None,
        severity: Severity | None = None,
    ) -> RaisedAlarm:
        """One press in a transaction of its own."""
        async with self.desk.unit_of_work(SYSTEM) as work:
            facts = AlarmFacts(self.bound, alarm_id or str(new_id()), kind, work.now, work.now, severity=severity)
            return await service.raise_alarm(work, facts)

    async def actor(self, role: Role, place: Place | None = None) -> Actor:
        return await self.world.actor(role, place)

    async def do(self, role: Role, verb: Any, alert_id: UUID, *more: Any, place: Place | None = None) -> Any:
        """One verb as somebody, in a transaction of its own."""
        async with self.desk.unit_of_work(await self.actor(role, place)) as work:
            return await verb(work, alert_id, *more)

    async def climb(self, **after: float) -> None:
        """What the worker does, until nothing is due."""
        self.clock.forward(**after)
        while True:
            async with self.desk.unit_of_work(SYSTEM) as work:
                if not await service.climb_due(work):
                    return

    async def alert(self, alert_id: UUID) -> Alert:
        async with self.desk.unit_of_work(SYSTEM) as work:
            return await work.session.get_one(Alert, alert_id)

    async def ladder(self, alert_id: UUID) -> Escalation:
        async with self.desk.unit_of_work(SYSTEM) as work:
            return await work.session.get_one(Escalation, alert_id)

    async def pages(self, alert_id: UUID) -> list[AlertPage]:
        async with self.desk.unit_of_work(SYSTEM) as work:
            rows = await work.session.exec(
                select(AlertPage).where(AlertPage.alert_id == alert_id).order_by(col(AlertPage.id))
            )
            return list(rows.all())

    async def notices(self, alert_id: UUID) -> list[tuple[str, UUID | None, str]]:
        """What the people are told: key, account and template of each notification."""
        async with self.desk.unit_of_work(SYSTEM) as work:
            rows = await work.sql(
                text("SELECT key, account_id, template FROM notification WHERE alert_id = :id ORDER BY id"),
                {"id": alert_id},
            )
            return [tuple(row) for row in rows]

    async def log(self, alert_id: UUID) -> list[str]:
        async with self.desk.unit_of_work(SYSTEM) as work:
            rows = await work.session.exec(
                select(AlertLog).where(AlertLog.alert_id == alert_id).order_by(col(AlertLog.id))
            )
            return [row.what for row in rows]

    async def events(self, alert_id: UUID) -> list[OutboxEvent]:
        async with self.desk.unit_of_work(SYSTEM) as work:
            rows = await work.session.exec(
                select(OutboxEvent)
                .where(OutboxEvent.payload["alert_id"].astext == str(alert_id))  # type: ignore[index]
                .order_by(col(OutboxEvent.id))
            )
            return list(rows.all())

    async def disable(self, *accounts: UUID) -> None:
        """These people are nobody's to page any more."""
        async with self.desk.unit_of_work(SYSTEM) as work:
            await work.sql(
                text("UPDATE account SET disabled_at = now() WHERE id = ANY (:ids)"), {"ids": list(accounts)}
            )


async def bound_terminal(world: World, place: Place | None = None) -> Bound:
    """A pendant of the first resident."""
    place = place or world.here
    resident = place.households[0].resident
    terminal_id = new_id()
    async with world.database.unit_of_work(SYSTEM) as work:
        await work.sql(
            text(
                "INSERT INTO terminal"
                " (id, serial, profile_id, kind, status, area_code, centre_id, resident_id, room, version)"
                " VALUES (:id, :serial, :profile, 'pendant', 'bound', :area, :centre, :resident, '', 1)"
            ),
            {
                "id": terminal_id,
                "serial": str(terminal_id),
                "profile": world.profile_id,
                "area": resident.area_code,
                "centre": place.centre.id,
                "resident": resident.id,
            },
        )
    return Bound(terminal_id, resident.id, place.centre.id, resident.area_code, 1)


async def at_once(*coroutines: Any) -> list[Any]:
    """Run these side by side; gives answers and refusals in their order."""
    return await asyncio.gather(*coroutines, return_exceptions=True)
