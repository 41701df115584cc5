"""The visits' verbs. Every change locks the order first, then the visit."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.core.actor import SUPERVISING_ROLES, Role
from services.core.clock import BUSINESS_ZONE
from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import VersionMismatch
from services.core.versions import expect_version
from services.orders.lines import checklist_of
from services.orders.models import Order
from services.orders.rules import masked_name
from services.orders.service import lines_of
from services.visits import repository
from services.visits.acts.applying import apply
from services.visits.acts.ending import ended
from services.visits.acts.models import ActKind
from services.visits.acts.scene import open_scene
from services.visits.errors import NotUnderReview, VisitCancelled
from services.visits.models import CheckIn, CheckOut, ReviewRequest, SetOut, Visit, VisitPublic
from services.visits.repository import VisitRow
from services.visits.states import VISIT, VisitStatus

_TO_DO = (VisitStatus.SCHEDULED, VisitStatus.EN_ROUTE, VisitStatus.IN_SERVICE)
_NOT_SHOWN = {
    "booking_id",
    "check_in_device",
    "check_in_evidence",
    "check_out_evidence",
    "notes",
    "reviewed_by",
}


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


async def set_out(work: Work, visit_id: UUID, if_match: int | None, said: SetOut | None = None) -> VisitPublic:
    """The caregiver is on the way; a repeat changes nothing.

    Raises ``VisitCancelled``, ``TeamIncomplete``.
    """
    return await act(work, visit_id, ActKind.SET_OUT, said or SetOut(device_at=work.now), if_match)


async def check_in(
    work: Work, visit_id: UUID, said: CheckIn, if_match: int | None, vault: Vault | None = None
) -> VisitPublic:
    """The caregiver is at the door. Only the first check-in counts; a repeat gets the same answer.

    A wrong code, card, place or clock flags the visit and lets care begin.
    """
    return await act(work, visit_id, ActKind.CHECK_IN, said, if_match, vault)


async def check_out(work: Work, visit_id: UUID, said: CheckOut, if_match: int | None) -> VisitPublic:
    """The visit ends, verified or flagged; the last one completes the order. A repeat changes nothing.

    Raises ``UnknownTask`` for a code that is not on the items' checklists, ``ImplausibleReading``.
    """
    return await act(work, visit_id, ActKind.CHECK_OUT, said, if_match)


async def act(
    work: Work, visit_id: UUID, kind: ActKind, said: Any, if_match: int | None, vault: Vault | None = None
) -> VisitPublic:
    """Any act, live. ``if_match`` is asked of acts that change something; a repeat gets the same answer."""
    scene = await open_scene(work, visit_id, vault)
    version, before = scene.visit.version, _mark_of(scene.visit)
    conflict = await apply(scene, kind, said)
    if conflict is not None:
        raise conflict
    if _mark_of(scene.visit) != before:
        if if_match is not None and if_match != version:
            raise VersionMismatch(current=version, expected=if_match)
        scene.visit.version = version + 1
    return await shown(work, visit_id)


def _mark_of(visit: Visit) -> tuple[Any, ...]:
    """What an act may change of a visit; a copy, for the lists are always made anew."""
    return (
        visit.status,
        visit.en_route_at,
        visit.check_in_at,
        visit.check_out_at,
        visit.tasks,
        visit.notes,
        visit.readings,
        visit.confirmed_at,
    )


async def review(work: Work, visit_id: UUID, said: ReviewRequest, if_match: int | None) -> VisitPublic:
    """A dispatcher has looked at the flags. Accepting lets the visit count; a repeat changes nothing.

    Raises ``NotUnderReview`` for a visit without flags.
    """
    visit = (await open_scene(work, visit_id)).visit
    if visit.status is VisitStatus.CANCELLED:
        raise VisitCancelled
    if visit.status is not VisitStatus.REVIEWED:
        if visit.status is not VisitStatus.FLAGGED:
            raise NotUnderReview(current=str(visit.status))
        expect_version(visit, if_match)
        visit.review_note, visit.reviewed_by = said.note, work.actor.account_id
        if said.accept:
            VISIT.move(work, visit, VisitStatus.REVIEWED, said.note)
            work.record(ended(visit))
        else:
            visit.version += 1
    return await shown(work, visit_id)


async def get_visit(work: Work, visit_id: UUID) -> VisitPublic:
    """One visit in reach; leaves a row in the access log."""
    found = await shown(work, visit_id)
    await record_read(work, [found.resident_id], "visit", ["address", "tasks", "readings", "note"])
    return found


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


async def shown(work: Work, visit_id: UUID) -> VisitPublic:
    """A visit in reach, as it stands in this transaction."""
    await work.session.flush()
    return visit_public(work, await repository.visit_row(work, visit_id))


def visit_public(work: Work, row: VisitRow) -> VisitPublic:
    """The visit as the acting reader may see it."""
    visit, order = row.visit, row.order
    own = work.actor.role is Role.CAREGIVER
    to_do = visit.status in _TO_DO
    located = not own or to_do
    values = visit.model_dump(exclude=_NOT_SHOWN)
    first = order.lines[0]["item"]
    supervises = work.actor.role in SUPERVISING_ROLES
    if supervises:
        values |= {"readings": [], "note": "", "review_note": None}
    return VisitPublic(
        **values,
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
