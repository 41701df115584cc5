"""What happens next: which handlers follow which event, on one page.

A handler runs in a transaction of its own, marked done in that same transaction, and may run again after a
failure: it must be idempotent. What must never be missing (an alert's ladder, an order's place on the board)
is not a handler but part of the verb's own transaction.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from services.alerts.handover import page_asked
from services.billing.adjusting import propose_from_correction
from services.billing.service import settle
from services.complaints.reminding import tell_of_step
from services.complaints.states import ComplaintStatus
from services.core.database import Work
from services.core.outbox import Event
from services.dispatch.day_plans.repairing import repair_absence
from services.dispatch.telling import (
    tell_asked,
    tell_booked,
    tell_cancelled,
    tell_county,
    tell_helper,
    tell_offer_closed,
    tell_reassigned,
    tell_released,
)
from services.dispatch.waves.service import begin_by_policy
from services.events import (
    AbsenceMoved,
    AlertHandoverMoved,
    AlertMoved,
    BillAdjusted,
    CaregiverAbsent,
    CaregiverBooked,
    CaregiverReleased,
    ComplaintMoved,
    CredentialExpiring,
    DutySwapMoved,
    InstitutionDue,
    InstitutionSuspended,
    OfferAnswered,
    OfferSent,
    OrderAidRequested,
    OrderCancelled,
    OrderCompleted,
    OrderNotServed,
    OrderPlaced,
    OrderRated,
    OrderReassigned,
    OrderUntaken,
    RotaPublished,
    ShiftSwapMoved,
    VisitCorrected,
    VisitEnded,
    VisitIncidentMoved,
    VisitMoved,
    VisitReadingTaken,
    VisitReadingVoided,
)
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify
from services.notifications.staffing.service import (
    tell_of_absence,
    tell_of_closed_institution,
    tell_of_rota,
    tell_of_shift_swap,
    warn_of_credential,
    warn_of_institution,
)
from services.orders import service as orders
from services.packages import service as packages
from services.payments.service import want_refund
from services.quality.service import ask_after_poor_rating, plan_callback
from services.terminals.commands import service as commands
from services.visits.feed.service import tell_family
from services.visits.incidents.service import tell_managers
from services.visits.readings.service import into_vital_record, out_of_vital_record
from services.workload.service import write_visits

Handler = Callable[[Work, Any], Awaitable[None]]


async def settle_completed_order(work: Work, event: OrderCompleted) -> None:
    """An order whose visits have all ended is billed: due, or held while a visit is flagged."""
    await settle(work, event.order_id)


async def settle_unserved_order(work: Work, event: OrderNotServed) -> None:
    """A bill of nothing, so that the household reads in words that nothing is owed."""
    await settle(work, event.order_id)


async def settle_reviewed_visit(work: Work, event: VisitEnded) -> None:
    """A review lets a held bill become due; where the bill was due before, it may call for an adjustment."""
    if event.status == "reviewed":
        await settle(work, event.order_id)
        await propose_from_correction(work, event.order_id, None)


async def bill_corrected_visit(work: Work, event: VisitCorrected) -> None:
    """A corrected visit may let a held bill become due, or call for an adjustment of one that is."""
    await settle(work, event.order_id)
    await propose_from_correction(work, event.order_id, event.correction_id)


async def use_entitlements(work: Work, event: OrderCompleted) -> None:
    """What a completed order held of the resident's packages is used."""
    await orders.use_entitlements(work, event.order_id)


async def give_back_entitlements(work: Work, event: OrderNotServed) -> None:
    """Nobody was at home and nothing was done: what the order held of the resident's packages is free again."""
    await packages.release(work, event.order_id)


async def tell_of_swap(work: Work, event: DutySwapMoved) -> None:
    """Whoever is asked, or waits for the answer, hears of it in the app."""
    is_answer = event.status in ("accepted", "declined")
    notice = Notice(
        key=f"swap:{event.swap_id}:{event.status}",
        template="duty_swap",
        area_code=event.area_code,
        centre_id=event.centre_id,
        parameters={"status": event.status},
        is_life_safety=False,
    )
    recipient = Recipient(account_id=event.from_account_id if is_answer else event.to_account_id)
    await notify(work, notice, [recipient], [Channel.APP])


async def say_help_is_coming(work: Work, event: AlertMoved) -> None:
    """Somebody has set out: what can speak at the caller's says so."""
    if event.status == "responding" and event.terminal_id is not None:
        await commands.say_help_is_coming(work, event.alert_id, event.terminal_id)


async def page_for_handover(work: Work, event: AlertHandoverMoved) -> None:
    """Who is asked to take an alert over is paged for it."""
    if event.status == "requested":
        await page_asked(work, event.alert_id, event.handover_id)


async def plan_call_back(work: Work, event: OrderCompleted) -> None:
    """Whether somebody asks how it was."""
    await plan_callback(work, event.order_id)


async def ask_what_went_wrong(work: Work, event: OrderRated) -> None:
    """A poor rating is called back soon."""
    await ask_after_poor_rating(work, event.order_id)


async def tell_of_complaint(work: Work, event: ComplaintMoved) -> None:
    """Whoever must act on a complaint, and whoever waits for it, hears of its step."""
    await tell_of_step(work, event.complaint_id, ComplaintStatus(event.status))


async def propose_stand_ins(work: Work, event: CaregiverAbsent) -> None:
    """Whoever waits for a caregiver who cannot come: a proposal who else does."""
    await repair_absence(work, event)


async def dispatch_by_policy(work: Work, event: OrderPlaced) -> None:
    """What the centre's policy lets the system do with a new order: suggest, ask in waves, or assign."""
    await begin_by_policy(work, event.order_id)


async def dispatch_again(work: Work, event: CaregiverReleased) -> None:
    """Somebody was taken off it: the order looks for somebody anew, by the same policy."""
    await begin_by_policy(work, event.order_id, again=True)


async def give_back_overpaid(work: Work, event: BillAdjusted) -> None:
    """What a correction takes off a bill that was paid is wanted back for the household."""
    await want_refund(work, event.order_id, "bill_adjusted")


async def write_work_down(work: Work, event: VisitEnded | VisitCorrected) -> None:
    """A visit that counts is work done, and earns what the county has set."""
    await write_visits(work, event.order_id)


HANDLERS: dict[type[Event], tuple[Handler, ...]] = {
    OrderPlaced: (dispatch_by_policy,),
    CaregiverReleased: (dispatch_again, tell_released),
    CaregiverBooked: (tell_booked,),
    OrderReassigned: (tell_reassigned,),
    OrderCancelled: (tell_cancelled,),
    OfferSent: (tell_asked,),
    OfferAnswered: (tell_offer_closed,),
    OrderAidRequested: (tell_helper,),
    OrderUntaken: (tell_county,),
    CredentialExpiring: (warn_of_credential,),
    AbsenceMoved: (tell_of_absence,),
    ShiftSwapMoved: (tell_of_shift_swap,),
    RotaPublished: (tell_of_rota,),
    InstitutionDue: (warn_of_institution,),
    InstitutionSuspended: (tell_of_closed_institution,),
    OrderCompleted: (
        settle_completed_order,
        use_entitlements,
        plan_call_back,
    ),
    OrderNotServed: (give_back_entitlements, settle_unserved_order),
    VisitMoved: (tell_family,),
    VisitEnded: (
        write_work_down,
        settle_reviewed_visit,
        tell_family,
    ),
    VisitCorrected: (
        write_work_down,
        bill_corrected_visit,
    ),
    VisitIncidentMoved: (tell_managers,),
    VisitReadingTaken: (into_vital_record,),
    VisitReadingVoided: (out_of_vital_record,),
    DutySwapMoved: (tell_of_swap,),
    BillAdjusted: (give_back_overpaid,),
    OrderRated: (ask_what_went_wrong,),
    ComplaintMoved: (tell_of_complaint,),
    CaregiverAbsent: (propose_stand_ins,),
    AlertMoved: (say_help_is_coming,),
    AlertHandoverMoved: (page_for_handover,),
}

_BY_EVENT = {event.name: tuple(h.__name__ for h in handlers) for event, handlers in HANDLERS.items()}
_BY_NAME = {handler.__name__: handler for handlers in HANDLERS.values() for handler in handlers}


def handlers_of(event_name: str) -> tuple[str, ...]:
    """The names of an event's handlers, as they are stored with its deliveries."""
    return _BY_EVENT.get(event_name, ())


def handler_named(name: str) -> Handler:
    """The handler of a stored delivery; ``KeyError`` for one that no longer exists."""
    return _BY_NAME[name]
