"""Shifts one by one: planned, changed, taken away; and the week as it stands.

Every change holds the caregiver first, as booking does: no visit is booked on a shift that is just going.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.caregivers import repository as caregivers
from services.caregivers.errors import HasLeft, ShiftChangedHands, ShiftIsPast, ShiftsOverlap
from services.caregivers.limits import Breach, Stretch, breaches, local_day, midnight, monday_of
from services.caregivers.log import note
from services.caregivers.models import Absence, Caregiver, Shift, ShiftKind
from services.caregivers.repository import BookedRow
from services.caregivers.rota import checking, repository
from services.caregivers.rota.models import (
    AbsenceInWeek,
    BookedVisit,
    BreachPublic,
    CancelShift,
    ColleagueWeek,
    NewShift,
    OwnWeek,
    RotaRow,
    RotaWeek,
    ShiftPublic,
    ShiftSaved,
    ShiftTimes,
    TeamWeek,
)
from services.caregivers.rota.weeks import removed
from services.caregivers.states import SHIFT, ShiftStatus
from services.centres.service import centre_in_reach
from services.core.constraints import violates
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.events import RotaPublished

LONGEST = timedelta(hours=24)
"""A shift is at most one day and night; working-time limits are much shorter."""

WEEK = timedelta(days=7)


async def plan_shift(work: Work, caregiver_id: UUID, new: NewShift) -> ShiftSaved:
    """A shift for a caregiver in reach, as a draft or in force at once.

    ``ShiftsOverlap`` beside another of hers; in force at once also ``WorkingTimeExceeded`` without a reason.
    """
    caregiver = await caregivers.locked_caregiver(work, caregiver_id)
    _check_times(work, caregiver, new)
    found: list[Breach] = []
    if new.publish:
        found = await _limits(work, caregiver, (), new)
    status = ShiftStatus.PUBLISHED if new.publish else ShiftStatus.DRAFT
    row = Shift(
        caregiver_id=caregiver.id,
        area_code=caregiver.area_code,
        kind=new.kind,
        status=status,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        override_reason=new.override_reason if found else None,
    )
    work.session.add(row)
    await flush(work)
    SHIFT.begin(work, row)
    note(work, caregiver, "shift_planned", ["starts_at", "ends_at"], row.override_reason or "", row.id)
    if new.publish:
        tell(work, caregiver, row.starts_at, row.ends_at)
    return _saved(row, found, [])


async def change_shift(work: Work, shift_id: UUID, times: ShiftTimes, if_match: int | None) -> ShiftSaved:
    """Other hours, or another kind. What is taken from a published shift must not be booked, or have a reason.

    ``ShiftIsPast`` for one that is over, ``VisitsBooked`` with what must be moved, ``WorkingTimeExceeded``.
    """
    caregiver, row = await _locked(work, shift_id)
    expect_version(row, if_match)
    _check_open(work, row)
    _check_times(work, caregiver, times, began=row.starts_at)
    found: list[Breach] = []
    booked: list[BookedRow] = []
    if row.status is ShiftStatus.PUBLISHED:
        after = Stretch(times.starts_at, times.ends_at) if times.kind is row.kind else None
        booked = await checking.booked_in(work, caregiver.id, removed(_span(row), after))
        checking.require_moved(booked, times.override_reason)
        found = await _limits(work, caregiver, (row.id,), times)
    since, until = min(row.starts_at, times.starts_at), max(row.ends_at, times.ends_at)
    row.starts_at, row.ends_at, row.kind = times.starts_at, times.ends_at, times.kind
    row.override_reason = times.override_reason if found or booked else row.override_reason
    row.version += 1
    await flush(work)
    note(work, caregiver, "shift_changed", ["starts_at", "ends_at", "kind"], times.override_reason or "", row.id)
    if row.status is ShiftStatus.PUBLISHED:
        tell(work, caregiver, since, until)
    return _saved(row, found, booked)


async def cancel_shift(work: Work, shift_id: UUID, wish: CancelShift, if_match: int | None) -> ShiftSaved:
    """Take a shift away; it stays on record. ``VisitsBooked`` without a reason. A repeat changes nothing."""
    caregiver, row = await _locked(work, shift_id)
    if row.status is ShiftStatus.CANCELLED:
        return _saved(row, [], [])
    expect_version(row, if_match)
    _check_open(work, row)
    booked: list[BookedRow] = []
    if row.status is ShiftStatus.PUBLISHED:
        booked = await checking.booked_in(work, caregiver.id, [_span(row)])
        checking.require_moved(booked, wish.override_reason)
        tell(work, caregiver, row.starts_at, row.ends_at)
    SHIFT.move(work, row, ShiftStatus.CANCELLED, wish.override_reason)
    row.override_reason = wish.override_reason if booked else row.override_reason
    note(work, caregiver, "shift_cancelled", (), wish.override_reason or "", row.id)
    await work.session.flush()
    return _saved(row, [], booked)


async def read_week(work: Work, centre_id: UUID, monday: date | None = None) -> RotaWeek:
    """A centre's week, the present one by default: drafts, absences, and the limits that published work passes."""
    monday = monday or this_week(work)
    centre = await centre_in_reach(work, centre_id)
    team = await repository.team_of(work, centre.id)
    ids = [one.id for one in team]
    begin = midnight(monday)
    near = await repository.shifts_touching(work, ids, begin - 2 * WEEK, begin + 2 * WEEK)
    absences = await repository.absences_touching(work, ids, begin, begin + WEEK)
    limits = await caregivers.limits_of(work, ids)
    rows = []
    for one in team:
        own = [row for row in near if row.caregiver_id == one.id]
        published = [_span(row) for row in own if _counts(row)]
        rows.append(
            RotaRow(
                caregiver_id=one.id,
                name=one.name,
                work_minutes=_minutes(own, monday),
                shifts=[ShiftPublic.model_validate(row) for row in _of_week(own, monday)],
                absences=[_absence(row) for row in absences if row.caregiver_id == one.id],
                breaches=[
                    BreachPublic.model_validate(found)
                    for found in breaches(limits[one.id], published, monday, monday + timedelta(days=6))
                ],
            )
        )
    return RotaWeek(centre_id=centre.id, monday=monday, rows=rows)


async def read_own_week(work: Work, caregiver_id: UUID, monday: date | None = None) -> OwnWeek:
    """Somebody's own week: what is published, absences in any state that matters, and what is booked."""
    monday = monday or this_week(work)
    begin = midnight(monday)
    rows = await repository.shifts_touching(work, [caregiver_id], begin, begin + WEEK, (ShiftStatus.PUBLISHED,))
    absences = await repository.absences_touching(work, [caregiver_id], begin, begin + WEEK)
    booked = await caregivers.booked_between(work, [caregiver_id], begin, begin + WEEK)
    return OwnWeek(
        monday=monday,
        work_minutes=_minutes(rows, monday),
        shifts=[ShiftPublic.model_validate(row) for row in rows],
        absences=[_absence(row) for row in absences],
        booked=[BookedVisit.model_validate(row) for row in booked],
    )


async def read_team_week(work: Work, caregiver_id: UUID, monday: date | None = None) -> TeamWeek:
    """What is published for somebody's whole team: whom she might ask to swap. Neither drafts nor absences."""
    monday = monday or this_week(work)
    own = await caregivers.find_caregiver(work, caregiver_id)
    if own is None:
        raise NotFound
    team = await repository.team_of(work, own.centre_id)
    begin = midnight(monday)
    rows = await repository.shifts_touching(
        work, [one.id for one in team], begin, begin + WEEK, (ShiftStatus.PUBLISHED,)
    )
    colleagues = [
        ColleagueWeek(
            caregiver_id=one.id,
            name=one.name,
            shifts=[ShiftPublic.model_validate(row) for row in rows if row.caregiver_id == one.id],
        )
        for one in team
    ]
    return TeamWeek(monday=monday, colleagues=colleagues)


def this_week(work: Work) -> date:
    """The Monday of the present week of the business calendar."""
    return monday_of(local_day(work.now))


def tell(work: Work, caregiver: Caregiver, starts_at: datetime, ends_at: datetime) -> None:
    """Somebody's shifts in force are others than before, within this time."""
    work.record(
        RotaPublished(
            area_code=caregiver.area_code,
            centre_id=caregiver.centre_id,
            caregiver_id=caregiver.id,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    )


async def flush(work: Work) -> None:
    """Write what waits; the table's own wall speaks as ``ShiftsOverlap``."""
    try:
        await work.session.flush()
    except IntegrityError as error:
        if violates(error, "shift_no_overlap"):
            raise ShiftsOverlap from error
        raise


async def _locked(work: Work, shift_id: UUID) -> tuple[Caregiver, Shift]:
    """The shift and whose it is, both held. ``ShiftChangedHands`` when a swap gave it away between two looks."""
    caregiver_id = await repository.caregiver_behind(work, shift_id)
    if caregiver_id is None:
        raise NotFound
    caregiver = await caregivers.locked_caregiver(work, caregiver_id)
    row = await repository.lock_shift(work, shift_id)
    if row.caregiver_id != caregiver.id:
        raise ShiftChangedHands
    return caregiver, row


async def _limits(work: Work, caregiver: Caregiver, without: Sequence[UUID], times: ShiftTimes) -> list[Breach]:
    if times.kind is not ShiftKind.WORK:
        return []
    coming = [Stretch(times.starts_at, times.ends_at)]
    found = await checking.new_breaches(work, caregiver.id, without, coming)
    checking.require_reason(found, times.override_reason)
    return found


def _check_times(work: Work, caregiver: Caregiver, times: ShiftTimes, began: datetime | None = None) -> None:
    """``began``: the start of a shift that is under way may stay where it is."""
    if times.ends_at - times.starts_at > LONGEST:
        raise InvalidInput("a shift has 24 hours at most", field="ends_at")
    if times.ends_at <= work.now or (times.starts_at < work.now and times.starts_at != began):
        raise ShiftIsPast
    if caregiver.left_at is not None and caregiver.left_at < times.ends_at:
        raise HasLeft


def _check_open(work: Work, row: Shift) -> None:
    if row.ends_at <= work.now or row.status is ShiftStatus.CANCELLED:
        raise ShiftIsPast


def _of_week(rows: Sequence[Shift], monday: date) -> list[Shift]:
    begin = midnight(monday)
    return [row for row in rows if row.ends_at > begin and row.starts_at < begin + WEEK]


def _counts(row: Shift) -> bool:
    return row.status is ShiftStatus.PUBLISHED and row.kind is ShiftKind.WORK


def _minutes(rows: Sequence[Shift], monday: date) -> int:
    last = monday + timedelta(days=6)
    return sum(_span(row).minutes for row in rows if _counts(row) and monday <= local_day(row.starts_at) <= last)


def _absence(row: Absence) -> AbsenceInWeek:
    return AbsenceInWeek.model_validate(row)


def _span(row: Shift) -> Stretch:
    return Stretch(row.starts_at, row.ends_at)


def _saved(row: Shift, found: Sequence[Breach], booked: Sequence[BookedRow]) -> ShiftSaved:
    return ShiftSaved(
        **ShiftPublic.model_validate(row).model_dump(),
        breaches=[BreachPublic.model_validate(one) for one in found],
        to_move=[BookedVisit.model_validate(one) for one in booked],
    )
