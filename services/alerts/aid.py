"""Mutual aid: a neighbouring centre is asked for help with one alert, and sees it for as long as that lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts import queries
from services.alerts.history import write_log
from services.alerts.models import Alert
from services.core.actor import Role
from services.core.areas import county_of
from services.core.database import Work
from services.core.geo import Point, distance_m
from services.core.ids import new_id
from services.duty.service import on_duty
from services.events import AidEnded, AidRequested


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another centre of the county and who is on duty there."""

    centre_id: UUID
    people: Sequence[UUID]


async def nearest_on_duty(
    work: Work, centre_id: UUID, area_code: str, role: Role, at: datetime
) -> Neighbour | None:
    """The nearest other centre of the county that has somebody on duty in the role; ``None`` when none has."""
    centres = await queries.centres_of_county(work, county_of(area_code))
    home = next((centre for centre in centres if centre.id == centre_id), None)
    if home is None:
        return None
    here = Point(home.latitude, home.longitude)
    others = sorted(
        (centre for centre in centres if centre.id != centre_id),
        key=lambda centre: (distance_m(here, Point(centre.latitude, centre.longitude)), centre.area_code),
    )
    for centre in others:
        people = await on_duty(work, centre.id, role, at)
        if people:
            return Neighbour(centre.id, people)
    return None


async def ask(work: Work, alert: Alert, centre_id: UUID) -> None:
    """Open the alert, and its resident's emergency card, to a centre; its screens are told. Once a centre."""
    values = {
        "id": new_id(),
        "alert_id": alert.id,
        "resident_id": alert.resident_id,
        "centre_id": centre_id,
        "area_code": alert.area_code,
        "now": work.now,
    }
    if not await queries.grant_aid(work, values):
        return
    write_log(work, alert.id, alert.area_code, "aid_requested", centre_id=str(centre_id))
    work.record(
        AidRequested(
            area_code=alert.area_code,
            centre_id=centre_id,
            alert_id=alert.id,
            from_centre_id=alert.centre_id,
            kind=str(alert.kind),
            severity=alert.severity,
        )
    )


async def end(work: Work, alert: Alert) -> None:
    """The alert is over: nothing of it is open to anybody outside any more, from the next request on."""
    for grant in await queries.aid_of(work, alert.id):
        if grant.ended_at is None:
            grant.ended_at = work.now
            work.record(AidEnded(area_code=alert.area_code, centre_id=grant.centre_id, alert_id=alert.id))
