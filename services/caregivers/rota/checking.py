"""Working time and booked visits around a change of somebody's shifts. The caregiver is locked beforehand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.caregivers import repository as caregivers
from services.caregivers.errors import VisitsBooked, WorkingTimeExceeded
from services.caregivers.limits import Breach, Stretch, breaches, local_day
from services.caregivers.models import Shift, ShiftKind
from services.caregivers.repository import BookedRow
from services.caregivers.rota import repository
from services.caregivers.rota.weeks import touches, worsened
from services.caregivers.states import ShiftStatus
from services.core.database import Work

_AROUND = timedelta(days=8)
"""A week and a day: the whole week on either side, and the rest before its first shift."""


async def new_breaches(
    work: Work, caregiver_id: UUID, without: Sequence[UUID], coming: Sequence[Stretch]
) -> list[Breach]:
    """The limits that somebody's published work would pass, or pass further, with other shifts than now.

    ``without`` are the shifts that go, ``coming`` the stretches of work that come in their place.
    """
    if not coming:
        return []
    since = min(one.starts_at for one in coming) - _AROUND
    until = max(one.ends_at for one in coming) + _AROUND
    rows = await repository.shifts_touching(work, [caregiver_id], since, until, (ShiftStatus.PUBLISHED,))
    standing = [row for row in rows if row.kind is ShiftKind.WORK]
    limits = (await caregivers.limits_of(work, [caregiver_id]))[caregiver_id]
    first, last = local_day(since), local_day(until)
    before = breaches(limits, [_span(row) for row in standing], first, last)
    after = [_span(row) for row in standing if row.id not in without]
    return worsened(before, breaches(limits, [*after, *coming], first, last))


def require_reason(found: Sequence[Breach], reason: str | None) -> None:
    """Raises ``WorkingTimeExceeded`` with the breaches, unless there is a reason to pass them."""
    if found and reason is None:
        raise WorkingTimeExceeded(breaches=[told(one) for one in found])


def told(one: Breach) -> dict[str, object]:
    """A breach as a problem document shows it."""
    return {"rule": one.rule, "day": one.day.isoformat(), "minutes": one.minutes, "limit": one.limit}


async def booked_in(work: Work, caregiver_id: UUID, gone: Sequence[Stretch]) -> list[BookedRow]:
    """Visits still ahead or under way that are booked in stretches that are to go."""
    if not gone:
        return []
    since = max(min(one.starts_at for one in gone), work.now)
    until = max(one.ends_at for one in gone)
    rows = await caregivers.booked_between(work, [caregiver_id], since, until)
    return [row for row in rows if any(touches(Stretch(row.starts_at, row.ends_at), one) for one in gone)]


def require_moved(booked: Sequence[BookedRow], reason: str | None) -> None:
    """Raises ``VisitsBooked`` with the visits, unless there is a reason to leave them without a shift."""
    if booked and reason is None:
        raise VisitsBooked(visits=[booked_told(one) for one in booked])


def booked_told(one: BookedRow) -> dict[str, str]:
    """A booked visit as a problem document shows it."""
    return {
        "booking_id": str(one.booking_id),
        "order_id": str(one.order_id),
        "starts_at": _wire(one.starts_at),
        "ends_at": _wire(one.ends_at),
    }


def _wire(moment: datetime) -> str:
    return moment.isoformat()


def _span(row: Shift) -> Stretch:
    return Stretch(row.starts_at, row.ends_at)
