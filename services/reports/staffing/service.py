"""Work that was given and can no longer stand: licences, institutions, absences, departures, shifts, pairs."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import RowMapping

from services.audit.service import record_read
from services.caregivers import repository as caregivers
from services.centres.service import centre_in_reach
from services.core.database import Work
from services.institutions.repository import closed_institutions
from services.institutions.service import read_institution
from services.reports.staffing import queries
from services.reports.staffing.models import WhyMove, WorkItem, WorkToMove
from services.reports.staffing.standing import Circumstances, Given, missing_licences, why_move

LOOKED_AT = 5000
"""Bookings and offers ahead that are looked at, the nearest first."""
SHOWN = 500

_FACTS = tuple(name for name in WorkItem.model_fields if name not in ("reasons", "licences"))


async def work_of_centre(work: Work, centre_id: UUID) -> WorkToMove:
    """What of a centre's booked visits and open offers cannot stand as things are now, the nearest first.

    The visits that a credential's end will break stand here from the day on which it is known.
    """
    centre = await centre_in_reach(work, centre_id)
    rows = await queries.work_ahead(work, LOOKED_AT, centre_id=centre.id)
    return await _judge(work, rows, bool)


async def work_of_institution(work: Work, institution_id: UUID) -> WorkToMove:
    """What the people of an institution have on days on which it may not work; ``NotFound`` out of reach."""
    institution = await read_institution(work, institution_id)
    rows = await queries.work_ahead(work, LOOKED_AT, institution_id=institution.id)
    return await _judge(work, rows, lambda reasons: WhyMove.INSTITUTION_CLOSED in reasons)


async def _judge(work: Work, rows: Sequence[RowMapping], matters: Callable[[list[WhyMove]], bool]) -> WorkToMove:
    given = [_given(row) for row in rows]
    known = await _circumstances(work, given)
    items = [
        WorkItem(
            **{name: row[name] for name in _FACTS},
            reasons=reasons,
            licences=missing_licences(one, known),
        )
        for row, one in zip(rows, given, strict=True)
        if matters(reasons := why_move(one, known))
    ]
    shown = items[:SHOWN]
    await record_read(work, {item.resident_id for item in shown}, "work_to_move", ["item", "window"])
    return WorkToMove(at=work.now, items=shown, truncated=len(items) > SHOWN or len(rows) == LOOKED_AT)


async def _circumstances(work: Work, given: Sequence[Given]) -> Circumstances:
    if not given:
        return Circumstances()
    people = {one.caregiver_id for one in given}
    since, until = min(one.starts_at for one in given), max(one.ends_at for one in given)
    kinds = {kind for one in given for kind in one.licences}
    institutions = {one.institution_id for one in given if one.institution_id is not None}
    closed = {day: await closed_institutions(work, institutions, day) for day in {one.day for one in given}}
    return Circumstances(
        credentials=await caregivers.credentials_of(work, people, kinds),
        shifts=await caregivers.shifts_between(work, people, since, until),
        on_call=await caregivers.on_call_between(work, people, since, until),
        absences=await caregivers.absences_between(work, people, since, until),
        closed=closed,
        blocked=await caregivers.blocked_pairs(work, {one.resident_id for one in given}),
    )


def _given(row: RowMapping) -> Given:
    return Given(
        caregiver_id=row["caregiver_id"],
        resident_id=row["resident_id"],
        institution_id=row["institution_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        licences=frozenset(row["licences"]),
        is_urgent=row["is_urgent"],
        left_at=row["left_at"],
        passed=row["passed"],
    )
