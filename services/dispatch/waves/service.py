"""Rounds of automatic dispatch: what follows a placed order by its centre's policy, or what a desk starts.

A round is a row; what is due is done by the worker, one round a transaction, the order locked. Killed in between,
it is done again or has been done: never half.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from services.caregivers.repository import caregivers_of_centre, lock_caregivers
from services.core.actor import SYSTEM
from services.core.database import Database, Work
from services.dispatch import repository as offers
from services.dispatch.acts import ActKind, write_act
from services.dispatch.booking import answer, back_on_the_board, book, close_when_full, note_booked
from services.dispatch.errors import NoRound, OrderNotOpen, RoundRunning
from services.dispatch.facts import Match, weights
from services.dispatch.loading import read_candidates
from services.dispatch.matching import common_start, issues_at
from services.dispatch.models import Booking, Offer
from services.dispatch.needs import OPEN
from services.dispatch.offering import Asking, ask
from services.dispatch.policies.models import AutoMode, PolicyDocument
from services.dispatch.policies.service import policy_for
from services.dispatch.states import OfferStatus
from services.dispatch.suggesting import Field, needed, places_of, survey
from services.dispatch.travel import known_ways
from services.dispatch.waves import repository
from services.dispatch.waves.choosing import circle_of, grounds, team_for
from services.dispatch.waves.models import (
    ActPublic,
    DispatchHistory,
    DispatchRound,
    RoundPublic,
    WavesStart,
)
from services.dispatch.waves.states import ROUND, RoundStatus
from services.events import DispatchMoved
from services.orders.models import Order
from services.orders.repository import lock_order, order_in_reach
from services.orders.service import lines_of
from services.orders.states import OrderStatus

log = structlog.get_logger("dispatch")

AUTOMATIC: Final = (AutoMode.OFFER_WAVES, AutoMode.ASSIGN_BEST)
SUGGESTED: Final = 5
ACTS_SHOWN: Final = 500
_TRIES: Final = 5
_HOLD: Final = timedelta(seconds=15)


async def begin_by_policy(work: Work, order_id: UUID, *, again: bool = False) -> None:
    """What the centre's policy wants done with an order; nothing when it was done already. For handlers.

    ``again``: the order looks for somebody anew, so an earlier round is no reason to do nothing.
    """
    order = await lock_order(work, order_id)
    if order.status not in OPEN or (not again and await repository.rounds_of(work, order.id)):
        return
    chosen = await policy_for(work, order.centre_id, str(lines_of(order)[0].item.category))
    if chosen.mode is AutoMode.SUGGEST and not again:
        bookings = await offers.active_bookings(work, order.id)
        field = await survey(work, order, bookings, may_ask=False)
        write_act(work, order, ActKind.SUGGESTED, grounds(field.fits[:SUGGESTED], field.out))
    elif chosen.mode in AUTOMATIC and await repository.running_round(work, order.id) is None:
        await _begin(
            work, order, chosen.mode, chosen.document, {"policy": chosen.source, "version": chosen.version}
        )


async def start_waves(work: Work, order_id: UUID, wish: WavesStart) -> RoundPublic:
    """The desk lets the system ask. Raises ``NotFound``, ``OrderNotOpen``, ``RoundRunning``."""
    order = await lock_order(work, order_id)
    if order.status not in OPEN:
        raise OrderNotOpen(current=str(order.status))
    if await repository.running_round(work, order.id) is not None:
        raise RoundRunning
    chosen = await policy_for(work, order.centre_id, str(lines_of(order)[0].item.category))
    mode = wish.mode if wish.mode in AUTOMATIC else AutoMode.OFFER_WAVES
    running = await _begin(
        work, order, mode, chosen.document, {"policy": chosen.source, "version": chosen.version}
    )
    return RoundPublic.model_validate(running)


async def stop_waves(work: Work, order_id: UUID) -> RoundPublic:
    """The desk takes over: no further wave, and the round's pending offers are withdrawn. Raises ``NoRound``."""
    order = await lock_order(work, order_id)
    running = await repository.running_round(work, order.id)
    if running is None:
        raise NoRound
    also = await offers.helping(work, order.id)
    for offer in await offers.pending_offers(work, order.id):
        if offer.round_id == running.id:
            answer(work, offer, OfferStatus.WITHDRAWN, "round_stopped", also)
    await _end(work, order, running, RoundStatus.STOPPED, also)
    await work.session.flush()
    await back_on_the_board(work, order)
    return RoundPublic.model_validate(running)


async def dispatch_history(work: Work, order_id: UUID) -> DispatchHistory:
    """Every round of an order in reach and every act, with the reasons that were kept."""
    order = await order_in_reach(work, order_id)
    return DispatchHistory(
        order_id=order.id,
        rounds=[RoundPublic.model_validate(row) for row in await repository.rounds_of(work, order.id)],
        acts=[ActPublic.model_validate(row) for row in await repository.acts_of(work, order.id, ACTS_SHOWN)],
    )


async def advance_one(database: Database) -> bool:
    """Do what is due on one round, in a transaction of its own; ``False`` when nothing is. For the worker."""
    async with database.unit_of_work(SYSTEM) as work:
        taken = await repository.take_due(work)
        if taken is None:
            return False
        running, order = taken
        round_id = running.id
        try:
            async with work.session.begin_nested():
                await advance(work, order, running)
                await work.session.flush()
        except Exception as error:
            log.error("round_failed", round_id=str(round_id), error=type(error).__name__, exc_info=error)
            work.session.expunge_all()
            await repository.hold(work, round_id, type(error).__name__, _HOLD)
    return True


async def advance(work: Work, order: Order, running: DispatchRound) -> None:
    """The next step of a locked round of a locked order."""
    also = await offers.helping(work, order.id)
    running.failed_at = running.failed_with = None
    if order.status not in OPEN:
        taken = order.status is not OrderStatus.CANCELLED
        await _end(work, order, running, RoundStatus.FILLED if taken else RoundStatus.STOPPED, also)
        return
    bookings = await offers.active_bookings(work, order.id)
    if running.mode is AutoMode.ASSIGN_BEST:
        await _assign_best(work, order, running, bookings, also)
    else:
        await _next_wave(work, order, running, bookings, also)


async def _begin(
    work: Work, order: Order, mode: AutoMode, document: PolicyDocument, said: dict[str, Any]
) -> DispatchRound:
    running = DispatchRound(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        status=RoundStatus.RUNNING,
        mode=mode,
        policy=document.model_dump(mode="json"),
        started_by=work.actor.account_id,
        started_at=work.now,
        next_at=work.now,
    )
    work.session.add(running)
    ROUND.begin(work, running)
    write_act(work, order, ActKind.ROUND_STARTED, {"mode": str(mode), **said}, running.id)
    await work.session.flush()
    return running


async def _next_wave(
    work: Work, order: Order, running: DispatchRound, bookings: Sequence[Booking], also: Sequence[UUID]
) -> None:
    """Ask the next circle in which there is anybody; circles without anybody are passed over at once."""
    document = PolicyDocument.model_validate(running.policy)
    waves = document.waves_for(urgent=order.is_urgent)
    pending = await offers.pending_offers(work, order.id)
    field = await survey(work, order, bookings, may_ask=False)
    gone = await repository.spoken_for(work, order.id, running.id) | {offer.caregiver_id for offer in pending}
    missing = order.caregivers_required - len(bookings)
    while running.wave < len(waves):
        wave = waves[running.wave]
        chosen = circle_of(wave.circle, field.fits, field.need, timedelta(minutes=document.near_minutes), gone)
        team = team_for(
            chosen,
            wave,
            missing,
            _agreed(bookings, pending),
            weights().grid,
            team=order.caregivers_required > 1,
        )
        running.wave += 1
        if team is None:
            continue
        scores = {match.caregiver.id: match.score for match in team.matches}
        how = Asking(wave.seconds, running.id, running.wave, scores, document.remind_share)
        await ask(work, order, team.starts, how)
        said = {"wave": running.wave, "circle": str(wave.circle), "seconds": wave.seconds}
        write_act(work, order, ActKind.WAVE_SENT, said | grounds(team.matches, field.out), running.id)
        running.next_at = work.now + timedelta(seconds=wave.seconds)
        _tell(work, order, running, also)
        return
    if pending:
        running.next_at = repository.latest_end(pending, work.now)
        return
    if running.wave == len(waves) and not gone:
        write_act(work, order, ActKind.NOBODY_FITS, grounds((), field.out), running.id)
    await _end(work, order, running, RoundStatus.EXHAUSTED, also)


async def _assign_best(
    work: Work, order: Order, running: DispatchRound, bookings: Sequence[Booking], also: Sequence[UUID]
) -> None:
    """Book the best, if nothing at all speaks against them once their rows are locked; never around a reason."""
    field = await survey(work, order, bookings, may_ask=False)
    gone = set(await repository.spoken_for(work, order.id, running.id))
    missing = order.caregivers_required - len(bookings)
    for _ in range(_TRIES):
        best = [match for match in field.fits if match.caregiver.id not in gone][:missing]
        start = common_start([match.starts for match in best], weights().grid) if len(best) == missing else None
        if start is None:
            break
        ids = [match.caregiver.id for match in best]
        await lock_caregivers(work, ids)
        refused = await _refused(work, order, field, ids, start)
        if not refused:
            for caregiver in await caregivers_of_centre(work, order.centre_id, ids):
                note_booked(work, order, await book(work, order, caregiver, start), also)
            said = {"starts_at": start.isoformat(), "caregiver_ids": [str(one) for one in ids]}
            write_act(work, order, ActKind.ASSIGNED, said | grounds(best, field.out), running.id)
            await close_when_full(work, order, "assign_best")
            await _end(work, order, running, RoundStatus.FILLED, also)
            return
        gone |= refused
    write_act(work, order, ActKind.NOBODY_FITS, grounds(_left(field, gone), field.out), running.id)
    await _end(work, order, running, RoundStatus.EXHAUSTED, also)


async def _refused(work: Work, order: Order, field: Field, ids: Sequence[UUID], start: datetime) -> set[UUID]:
    """Against whom something speaks now that nobody else can book them."""
    need = await needed(work, order, await offers.active_bookings(work, order.id))
    candidates = await read_candidates(work, order, field.need, ids)
    ways = known_ways(need.place, places_of(candidates))
    return {one.id for one in candidates if issues_at(need, one, start, ways)}


def _left(field: Field, gone: set[UUID]) -> list[Match]:
    return [match for match in field.fits if match.caregiver.id not in gone][:SUGGESTED]


def _agreed(bookings: Sequence[Booking], pending: Sequence[Offer]) -> datetime | None:
    """The start that members of a team are asked for already."""
    starts = [booking.starts_at for booking in bookings] + [offer.starts_at for offer in pending]
    return starts[0] if starts else None


async def _end(
    work: Work, order: Order, running: DispatchRound, status: RoundStatus, also: Sequence[UUID]
) -> None:
    ROUND.move(work, running, status)
    running.ended_at, running.next_at = work.now, None
    write_act(work, order, ActKind.ROUND_ENDED, {"status": str(status), "waves": running.wave}, running.id)
    _tell(work, order, running, also)


def _tell(work: Work, order: Order, running: DispatchRound, also: Sequence[UUID]) -> None:
    work.record(
        DispatchMoved(
            area_code=order.area_code,
            centre_id=order.centre_id,
            order_id=order.id,
            round_id=running.id,
            status=str(running.status),
            wave=running.wave,
        ),
        also,
    )
