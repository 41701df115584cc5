"""The visits' verbs. Every change locks the order first, then the visit."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.core.actor import SUPERVISING_ROLES, Role
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.geo import Point, distance_m
from services.core.versions import expect_version
from services.events import OrderCompleted, VisitEnded, VisitMoved
from services.orders.lines import checklist_of
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.rules import masked_name
from services.orders.service import lines_of
from services.orders.states import ORDER, OrderStatus
from services.visits import repository
from services.visits.errors import NotUnderReview, TeamIncomplete, UnknownTask, VisitCancelled
from services.visits.models import CheckIn, CheckOut, Evidence, ReviewRequest, Visit, VisitPublic
from services.visits.repository import VisitRow
from services.visits.states import ENDED, VISIT, VisitStatus
from services.visits.verification import (
    Place,
    Stamp,
    care_time,
    code_flags,
    ending_flags,
    place_flags,
    time_flags,
    verification_rules,
)

_TO_DO = (VisitStatus.SCHEDULED, VisitStatus.EN_ROUTE, VisitStatus.IN_SERVICE)


async def schedule(
    work: Work, order: Order, booking_id: UUID, caregiver_id: UUID, starts_at: datetime, ends_at: datetime
) -> Visit:
    """The visit that a booking stands for."""
    visit = Visit(
        order_id=order.id,
        booking_id=booking_id,
        caregiver_id=caregiver_id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        status=VisitStatus.SCHEDULED,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    work.session.add(visit)
    VISIT.begin(work, visit)
    await work.session.flush()
    return visit


async def cancel_visits(
    work: Work, order: Order, reason: str, booking_ids: Collection[UUID] | None = None
) -> None:
    """Take back the visits of a locked order, or of some of its bookings, that nobody has set out for."""
    for visit in await repository.visits_of_order(work, order.id):
        chosen = booking_ids is None or visit.booking_id in booking_ids
        if chosen and VISIT.allows(visit.status, VisitStatus.CANCELLED):
            VISIT.move(work, visit, VisitStatus.CANCELLED, reason)


async def set_out(work: Work, visit_id: UUID, if_match: int | None) -> VisitPublic:
    """The caregiver is on the way; a repeat changes nothing.

    Raises ``VisitCancelled``, ``TeamIncomplete``.
    """
    order, visit = await _lock(work, visit_id)
    if visit.status is VisitStatus.SCHEDULED:
        expect_version(visit, if_match)
        _begin_order(work, order)
        visit.en_route_at = work.now
        _move(work, visit, VisitStatus.EN_ROUTE)
    return await _shown(work, visit_id)


async def check_in(work: Work, visit_id: UUID, said: CheckIn, if_match: int | None) -> VisitPublic:
    """The caregiver is at the door. Only the first check-in counts; a repeat gets the same answer.

    A wrong code, place or clock flags the visit and lets care begin.
    """
    order, visit = await _lock(work, visit_id)
    if visit.status in (VisitStatus.SCHEDULED, VisitStatus.EN_ROUTE):
        expect_version(visit, if_match)
        _begin_order(work, order)
        rules, stamp = verification_rules(), _stamp(work, said)
        wrong_code = code_flags(said.start_code, order.start_code)
        visit.check_in_at, visit.check_in_device_at = work.now, said.device_at
        visit.care_started_at = care_time(stamp, rules)
        visit.check_in_evidence = _evidence(order, said) | {
            "start_code": str(wrong_code[0]) if wrong_code else "matched"
        }
        where = place_flags(_place(said), _home(order), rules)
        _flag(visit, [*wrong_code, *where, *time_flags(stamp, order.placed_at, rules)])
        _move(work, visit, VisitStatus.IN_SERVICE)
    return await _shown(work, visit_id)


async def check_out(work: Work, visit_id: UUID, said: CheckOut, if_match: int | None) -> VisitPublic:
    """The visit ends, verified or flagged; the last one completes the order. A repeat changes nothing.

    Raises ``UnknownTask`` for a code that is not on the item's checklist.
    """
    order, visit = await _lock(work, visit_id)
    if visit.status not in ENDED:
        expect_version(visit, if_match)
        _begin_order(work, order)
        if visit.status is not VisitStatus.IN_SERVICE:
            VISIT.move(work, visit, VisitStatus.IN_SERVICE, "no_check_in")
        _end(work, order, visit, said)
        await work.session.flush()
        await _complete_order(work, order)
    return await _shown(work, visit_id)


async def review(work: Work, visit_id: UUID, said: ReviewRequest, if_match: int | None) -> VisitPublic:
    """A dispatcher has looked at the flags. Accepting lets the visit count; a repeat changes nothing.

    Raises ``NotUnderReview`` for a visit without flags.
    """
    _, visit = await _lock(work, visit_id)
    if visit.status is not VisitStatus.REVIEWED:
        if visit.status is not VisitStatus.FLAGGED:
            raise NotUnderReview(current=str(visit.status))
        expect_version(visit, if_match)
        visit.review_note, visit.reviewed_by = said.note, work.actor.account_id
        if said.accept:
            VISIT.move(work, visit, VisitStatus.REVIEWED, said.note)
            work.record(_ended(visit))
        else:
            visit.version += 1
    return await _shown(work, visit_id)


async def get_visit(work: Work, visit_id: UUID) -> VisitPublic:
    """One visit in reach; leaves a row in the access log."""
    shown = await _shown(work, visit_id)
    await record_read(work, [shown.resident_id], "visit", ["address", "tasks", "readings", "note"])
    return shown


async def list_visits(
    work: Work,
    limit: int,
    cursor: UUID | None,
    day: date | None,
    statuses: list[VisitStatus],
    caregiver_id: UUID | None,
) -> list[VisitPublic]:
    """A page of visits in reach, of one local day or of all; leaves rows in the access log."""
    span = None
    if day is not None:
        midnight = datetime.combine(day, time(), BUSINESS_ZONE)
        span = (midnight, midnight + timedelta(days=1))
    rows = await repository.visits_page(work, limit, cursor, span, statuses, caregiver_id)
    await record_read(work, [row.visit.resident_id for row in rows], "visits", ["address", "note"])
    return [visit_public(work, row) for row in rows]


async def _lock(work: Work, visit_id: UUID) -> tuple[Order, Visit]:
    """The order, then the visit, locked and read anew; raises ``VisitCancelled``."""
    order = await lock_order(work, await repository.order_of(work, visit_id))
    visit = await repository.lock_visit(work, visit_id)
    if visit.status is VisitStatus.CANCELLED:
        raise VisitCancelled
    return order, visit


def _begin_order(work: Work, order: Order) -> None:
    if order.status in (OrderStatus.PLACED, OrderStatus.OFFERED):
        raise TeamIncomplete
    if order.status is OrderStatus.ASSIGNED:
        ORDER.move(work, order, OrderStatus.IN_PROGRESS)


def _end(work: Work, order: Order, visit: Visit, said: CheckOut) -> None:
    rules, stamp = verification_rules(), _stamp(work, said)
    checklist = {task.code: task for task in checklist_of(lines_of(order))}
    unknown = sorted(set(said.tasks_done) - checklist.keys())
    if unknown:
        raise UnknownTask(field="tasks_done", unknown=unknown)
    ended_at = care_time(stamp, rules)
    started_at = visit.care_started_at
    planned = timedelta(minutes=order.duration_minutes)
    _flag(
        visit,
        [
            *place_flags(_place(said), _home(order), rules),
            *time_flags(stamp, order.placed_at, rules),
            *ending_flags(started_at, ended_at, planned, checklist.keys(), said.tasks_done, rules),
        ],
    )
    visit.check_out_at, visit.check_out_device_at = work.now, said.device_at
    visit.care_ended_at = ended_at if started_at is None else max(started_at, ended_at)
    visit.check_out_evidence = _evidence(order, said)
    visit.tasks = [{**task.model_dump(), "done": code in said.tasks_done} for code, task in checklist.items()]
    visit.readings = [reading.model_dump(mode="json", exclude_none=True) for reading in said.readings]
    visit.note = said.note
    VISIT.move(work, visit, VisitStatus.FLAGGED if visit.flags else VisitStatus.VERIFIED)
    work.record(_ended(visit))


async def _complete_order(work: Work, order: Order) -> None:
    visits = await repository.visits_of_order(work, order.id)
    if all(visit.status in ENDED or visit.status is VisitStatus.CANCELLED for visit in visits):
        ORDER.move(work, order, OrderStatus.COMPLETED)
        work.record(OrderCompleted(area_code=order.area_code, centre_id=order.centre_id, order_id=order.id))


def _move(work: Work, visit: Visit, target: VisitStatus) -> None:
    VISIT.move(work, visit, target)
    work.record(
        VisitMoved(
            area_code=visit.area_code,
            centre_id=visit.centre_id,
            visit_id=visit.id,
            order_id=visit.order_id,
            status=str(target),
        )
    )


def _ended(visit: Visit) -> VisitEnded:
    return VisitEnded(
        area_code=visit.area_code,
        centre_id=visit.centre_id,
        visit_id=visit.id,
        order_id=visit.order_id,
        status=str(visit.status),
    )


def _flag(visit: Visit, flags: list[Any]) -> None:
    """Add flags once each; a new list, so that the change is noticed."""
    visit.flags = list(dict.fromkeys([*visit.flags, *(str(flag) for flag in flags)]))


def _stamp(work: Work, said: Evidence) -> Stamp:
    return Stamp(device_at=said.device_at, received_at=work.now, sent_at=said.sent_at)


def _place(said: Evidence) -> Place:
    known = said.latitude is not None and said.longitude is not None
    point = Point(said.latitude or 0.0, said.longitude or 0.0) if known else None
    return Place(point=point, accuracy_m=said.accuracy_m, is_mock=said.mock_location)


def _home(order: Order) -> Point:
    return Point(order.latitude, order.longitude)


def _evidence(order: Order, said: Evidence) -> dict[str, Any]:
    """What is kept of the phone's word; the start code itself is not."""
    place = _place(said)
    kept = said.model_dump(
        mode="json",
        include={"device_at", "sent_at", "latitude", "longitude", "accuracy_m", "mock_location"},
    )
    kept["distance_m"] = None if place.point is None else round(distance_m(place.point, _home(order)))
    return kept


async def _shown(work: Work, visit_id: UUID) -> VisitPublic:
    await work.session.flush()
    return visit_public(work, await repository.visit_row(work, visit_id))


def visit_public(work: Work, row: VisitRow) -> VisitPublic:
    """The visit as the acting reader may see it."""
    visit, order = row.visit, row.order
    own = work.actor.role is Role.CAREGIVER
    to_do = visit.status in _TO_DO
    located = not own or to_do
    shown = visit.model_dump(exclude={"booking_id", "check_in_evidence", "check_out_evidence", "reviewed_by"})
    first = order.lines[0]["item"]
    supervises = work.actor.role in SUPERVISING_ROLES
    if supervises:
        shown |= {"readings": [], "note": "", "review_note": None}
    return VisitPublic(
        **shown,
        caregiver_name=row.caregiver_name,
        resident_name=row.resident_name if own and to_do else masked_name(row.resident_name),
        item_code=order.item_code,
        item_name_zh=first["name_zh"],
        item_name_en=first["name_en"],
        checklist=checklist_of(lines_of(order)),
        order_note="" if supervises else order.note,
        address=order.address if located else None,
        latitude=order.latitude if located else None,
        longitude=order.longitude if located else None,
    )
