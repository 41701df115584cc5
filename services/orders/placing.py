"""Placing an order: one transaction from the wish to the row on the board."""

import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.core.database import Work
from services.events import OrderPlaced
from services.orders import repository
from services.orders.errors import CallerNotByPhone, CaregiverUnknown, GenderMissing
from services.orders.lines import OrderLine
from services.orders.models import Channel, Order, OrderPublic, OrderQuote
from services.orders.quoting import Wanted, WorkedOut, keep, take, wanted_by, work_out
from services.orders.rules import read_windows
from services.orders.showing import order_public
from services.orders.states import ORDER, OrderStatus
from services.orders.wishes import Access, Caller, OrderCreate, Wishes
from services.packages import service as packages
from services.residents.models import Resident


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an order says besides what it costs."""

    wishes: Wishes
    caller: Caller | None = None
    care_plan_id: UUID | None = None


async def place_order(work: Work, wish: OrderCreate) -> OrderPublic:
    """Take an order and route it to the centre of the resident's area.

    With ``quote_id`` exactly what was quoted is ordered, at that price; else the order makes its own quote.
    Raises ``NotFound`` for a resident or quote out of reach, ``MayNotOrder``, ``NoCentre``, ``ItemsRefused``,
    ``WindowInvalid``, ``EntitlementExhausted``, ``QuoteRefused`` and what ``require_wishes`` raises.
    """
    kept = None
    if wish.quote_id is not None:
        await repository.resident_in_reach(work, wish.resident_id)
        kept = await take(work, wish.quote_id, wish)
    wanted = await wanted_by(work, wish, kept)
    if wish.caller is not None and wanted.channel is not Channel.PHONE:
        raise CallerNotByPhone(field="caller")
    wishes = Wishes(**wish.model_dump(include=set(Wishes.model_fields)))
    order = await place(work, wanted, Circumstances(wishes, wish.caller), kept)
    return order_public(work, order, wanted.resident.name)


async def place(work: Work, wanted: Wanted, around: Circumstances, kept: OrderQuote | None = None) -> Order:
    """Place a wish that is known to be somebody's to make. For the verbs above and for recurring plans."""
    quoted = await work_out(work, wanted, kept)
    await require_wishes(work, quoted.centre.id, wanted.resident, around.wishes)
    await _reserve(work, wanted, quoted.lines, kept is not None)
    if kept is None:
        kept = keep(work, wanted, quoted)
        kept.used_at = work.now
    await work.session.flush()
    order = _order(work, wanted, quoted, around, kept)
    work.session.add(order)
    ORDER.begin(work, order)
    work.record(
        OrderPlaced(
            area_code=order.area_code,
            centre_id=order.centre_id,
            order_id=order.id,
            resident_id=order.resident_id,
            item_code=order.item_code,
            is_urgent=order.is_urgent,
        )
    )
    await work.session.flush()
    _draw(work, order, quoted.lines)
    await work.session.flush()
    return order


async def require_wishes(work: Work, centre_id: UUID, resident: Resident, wishes: Wishes) -> None:
    """Wishes that somebody can fulfil. Raises ``GenderMissing``, ``CaregiverUnknown``."""
    if wishes.gender_is_must and (wishes.preferred_gender or resident.preferred_gender) is None:
        raise GenderMissing(field="preferred_gender")
    known = wishes.preferred_caregiver_id
    if known is not None and not await repository.is_known_caregiver(work, known, centre_id, resident.id):
        raise CaregiverUnknown(field="preferred_caregiver_id")


def access_of(resident: Resident, access: Access) -> dict[str, Any]:
    """How to get in. That a key box is on record is known; where it is stays sealed."""
    told = access.model_dump(exclude_none=True)
    told.setdefault("key_box_known", resident.key_box_encrypted is not None)
    return told


async def _reserve(work: Work, wanted: Wanted, lines: list[OrderLine], is_quoted: bool) -> None:
    """Let packages pay, where they can and should: what was quoted as paid by a package must be."""
    if is_quoted:
        quantities = {line.item.code: line.quantity for line in lines if line.entitlement_id is not None}
        required = list(quantities)
    else:
        quantities = {} if wanted.packages == "none" else wanted.quantities()
        required = list(quantities) if wanted.packages == "required" else []
    if not quantities:
        return
    taken = await packages.reserve(work, wanted.resident.id, quantities, *wanted.days, required)
    for line in lines:
        line.entitlement_id = taken.get(line.item.code)


def _draw(work: Work, order: Order, lines: list[OrderLine]) -> None:
    whose = (order.resident_id, order.area_code)
    for line in lines:
        if line.entitlement_id is not None:
            packages.draw(work, order.id, whose, line.line_no, line.entitlement_id, line.quantity)


def _order(work: Work, wanted: Wanted, quoted: WorkedOut, around: Circumstances, kept: OrderQuote) -> Order:
    resident, wishes, demand = wanted.resident, around.wishes, quoted.demand
    windows = read_windows(kept.windows)
    return Order(
        resident_id=resident.id,
        centre_id=quoted.centre.id,
        area_code=resident.area_code,
        item_code=quoted.lines[0].item.code,
        lines=[line.model_dump(mode="json") for line in quoted.lines],
        skills=sorted(demand.skills),
        licences=sorted(demand.licences),
        practice_years=demand.practice_years,
        quote=quoted.price.model_dump(mode="json"),
        quote_id=kept.id,
        care_plan_id=around.care_plan_id,
        status=OrderStatus.PLACED,
        channel=wanted.channel,
        placed_by=wanted.account_id,
        placed_at=work.now,
        windows=kept.windows,
        window_start=windows[0][0],
        window_end=max(end for _, end in windows),
        duration_minutes=demand.minutes,
        caregivers_required=demand.caregivers,
        address=resident.address,
        latitude=resident.latitude,
        longitude=resident.longitude,
        note=wishes.note,
        preferred_gender=wishes.preferred_gender or resident.preferred_gender,
        gender_is_must=wishes.gender_is_must,
        preferred_caregiver_id=wishes.preferred_caregiver_id,
        preferred_dialect=wishes.preferred_dialect or resident.dialect,
        access=access_of(resident, wishes.access),
        caller=None if around.caller is None else around.caller.model_dump(),
        is_urgent=wanted.is_urgent,
        start_code=f"{secrets.randbelow(10_000):04d}",
    )
