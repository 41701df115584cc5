"""Reading the facts of matching: the crew of a centre once, then each order's own ties to it.

For one order: ``read_candidates``. For the many orders of a day: ``load_crew`` once, ``load_ties`` once, then
``needs.need_of`` and ``candidates_for`` for each, which ask the database nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from services.caregivers.repository import (
    absences_between,
    blocked_pairs,
    credentials_of,
    limits_of,
    on_call_between,
    shifts_between,
)
from services.core.database import Work
from services.core.geo import Point
from services.dispatch import queries
from services.dispatch.facts import Candidate, Licence, Need, Span, day_at
from services.institutions.repository import closed_institutions
from services.orders.models import Order

_AROUND = timedelta(days=1)
"""Bookings are read this far around the windows: the whole local day for the load, and the ways."""


@dataclass(frozen=True, slots=True)
class Ties:
    """What lies between residents and caregivers: earlier visits, and who is kept apart."""

    visits: Mapping[tuple[UUID, UUID], int]
    blocked: Mapping[UUID, frozenset[UUID]]


class _Stretch(Protocol):
    @property
    def caregiver_id(self) -> UUID: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


async def load_crew(
    work: Work,
    centre_ids: Collection[UUID],
    span: Span,
    licences: Collection[str],
    ids: Collection[UUID] | None = None,
    *,
    on_call: bool = True,
) -> list[Candidate]:
    """Everybody of some centres with what does not depend on the order, around a stretch of time.

    ``licences``: the kinds that any of the orders asks for. ``jobs`` hold every booking, an order's own included.
    """
    people = await queries.people_of(work, centre_ids, ids)
    known = [person["id"] for person in people]
    if not known:
        return []
    since, until = span.starts_at - _AROUND, span.ends_at + _AROUND
    held = await _licences(work, known, licences) if licences else {}
    shifts = _stretches(await shifts_between(work, known, since, until))
    calls = _stretches(await on_call_between(work, known, since, until)) if on_call else {}
    absences = _stretches(await absences_between(work, known, since, until))
    jobs = await queries.jobs_between(work, known, since, until)
    limits = await limits_of(work, known)
    weeks = await _weeks(work, known, span)
    closed = await _closed(work, {person["institution_id"] for person in people} - {None}, span)
    return [
        Candidate(
            id=one["id"],
            name=one["name"],
            gender=one["gender"],
            skills=frozenset(one["skills"]),
            dialects=frozenset(one["dialects"]),
            mode=one["travel_mode"],
            home=Point(one["home_latitude"], one["home_longitude"]),
            left_at=one["left_at"],
            practice_since=one["practice_since"],
            licences=held.get(one["id"], ()),
            shifts=shifts.get(one["id"], ()),
            jobs=tuple(jobs.get(one["id"], ())),
            on_call=calls.get(one["id"], ()),
            absences=absences.get(one["id"], ()),
            closed_on=closed.get(one["institution_id"], frozenset()),
            day_limit=limits[one["id"]].day_minutes,
            week_limit=limits[one["id"]].week_minutes,
            week_minutes={monday: minutes.get(one["id"], 0) for monday, minutes in weeks.items()},
        )
        for one in people
    ]


async def load_ties(work: Work, crew: Iterable[Candidate], resident_ids: Collection[UUID]) -> Ties:
    """Earlier visits and pairs kept apart, of a crew and the residents of any number of orders."""
    visits, known = await queries.earlier_visits(work, resident_ids), {one.id for one in crew}
    theirs = {tie: count for tie, count in visits.items() if tie[1] in known}
    return Ties(theirs, await blocked_pairs(work, resident_ids))


def candidates_for(
    crew: Iterable[Candidate], ties: Ties, order_id: UUID, resident_id: UUID, kept_apart: Collection[UUID] = ()
) -> list[Candidate]:
    """The crew as one order sees it: its own bookings are no other job, the resident's ties are known."""
    blocked = ties.blocked.get(resident_id, frozenset()) | frozenset(kept_apart)
    found: list[Candidate] = []
    for one in crew:
        change: dict[str, Any] = {}
        if any(job.order_id == order_id for job in one.jobs):
            change["jobs"] = tuple(job for job in one.jobs if job.order_id != order_id)
        if visits := ties.visits.get((resident_id, one.id), 0):
            change["earlier_visits"] = visits
        if one.id in blocked:
            change["blocked"] = True
        found.append(replace(one, **change) if change else one)
    return found


async def read_candidates(
    work: Work, order: Order, need: Need, ids: Collection[UUID] | None = None, centre_id: UUID | None = None
) -> list[Candidate]:
    """The caregivers of the order's centre, or of a centre that helps with it, with all that the rules ask."""
    centre_id = centre_id or order.centre_id
    crew = await load_crew(work, [centre_id], need.window, need.licences, ids, on_call=need.is_urgent)
    ties = await load_ties(work, crew, [order.resident_id])
    lent = centre_id != order.centre_id
    apart = await queries.kept_apart(work, order.id, day_at(work.now).date) if lent else ()
    return candidates_for(crew, ties, order.id, order.resident_id, apart)


def days_of(span: Span) -> list[date]:
    """The business days that a stretch of time touches."""
    day, found = day_at(span.starts_at), list[date]()
    while day.starts_at < span.ends_at or not found:
        found.append(day.date)
        day = day_at(day.ends_at)
    return found


async def _licences(work: Work, ids: Sequence[UUID], kinds: Collection[str]) -> Mapping[UUID, tuple[Licence, ...]]:
    held: dict[UUID, list[Licence]] = defaultdict(list)
    for row in await credentials_of(work, ids, kinds):
        held[row.caregiver_id].append(Licence(row.kind, row.valid_from, row.valid_until))
    return {caregiver_id: tuple(found) for caregiver_id, found in held.items()}


async def _weeks(work: Work, ids: Sequence[UUID], span: Span) -> Mapping[date, Mapping[UUID, int]]:
    """Booked minutes of each week (by its Monday) that a stretch of time touches."""
    weeks: dict[date, Mapping[UUID, int]] = {}
    day = day_at(span.starts_at)
    while day.starts_at < span.ends_at or not weeks:
        begins = day_at(day.starts_at - timedelta(days=day.date.weekday()))
        ends = begins.starts_at + timedelta(days=7)
        weeks[begins.date] = await queries.minutes_between(work, ids, begins.starts_at, ends)
        day = day_at(ends)
    return weeks


async def _closed(work: Work, ids: Collection[UUID], span: Span) -> Mapping[UUID, frozenset[date]]:
    """Institutions that take no new work, with the days on which they do not."""
    closed: dict[UUID, set[date]] = defaultdict(set)
    if ids:
        for day in days_of(span):
            for institution_id in await closed_institutions(work, ids, day):
                closed[institution_id].add(day)
    return {institution_id: frozenset(days) for institution_id, days in closed.items()}


def _stretches(rows: Iterable[_Stretch]) -> Mapping[UUID, tuple[Span, ...]]:
    found: dict[UUID, list[Span]] = defaultdict(list)
    for row in rows:
        found[row.caregiver_id].append(Span(row.starts_at, row.ends_at))
    return {caregiver_id: tuple(spans) for caregiver_id, spans in found.items()}
