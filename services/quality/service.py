"""What residents say of the service: their own ratings, and what they say when the centre calls back."""

from collections.abc import Sequence
from uuid import UUID

from services.audit.service import record_read
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import Forbidden
from services.core.versions import expect_version
from services.events import OrderRated
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.rules import name_for
from services.orders.states import OrderStatus
from services.quality import repository
from services.quality.errors import AlreadyRated, CallbackEnded, NotRateable, UnknownWord
from services.quality.models import (
    Callback,
    CallbackPublic,
    CallbackReason,
    CallbackResult,
    RatedBy,
    Rating,
    RatingCreate,
    RatingPublic,
    RatingWords,
)
from services.quality.repository import CallbackRow
from services.quality.rules import face_of, is_poor, quality_rules, reason_to_call
from services.quality.states import CALLBACK, CallbackStatus
from services.visits.repository import visits_of_order
from services.visits.states import VisitStatus


async def rate(work: Work, order_id: UUID, said: RatingCreate) -> RatingPublic:
    """Rate a completed order, once: the order's lock decides between two at the same time.

    Raises ``NotFound``, ``Forbidden`` for anybody but the household, ``UnknownWord``, ``NotRateable``,
    ``AlreadyRated``.
    """
    rules = quality_rules()
    if work.actor.role not in (Role.RESIDENT, Role.FAMILY) or work.actor.account_id is None:
        raise Forbidden
    unknown = sorted(set(said.tags) - rules.words.keys())
    if unknown:
        raise UnknownWord(field="tags", unknown=unknown)
    order = await lock_order(work, order_id)
    if order.status is not OrderStatus.COMPLETED:
        raise NotRateable(current=str(order.status))
    if await repository.rating_of(work, order.id) is not None:
        raise AlreadyRated
    score = said.score if said.score is not None else rules.scores[said.face or face_of(3, rules)]
    rating = _rating(work, order, score, said.words, work.actor.account_id, RatedBy.APP, said.tags)
    await work.session.flush()
    return _rating_public(rating)


def rating_words() -> RatingWords:
    """The ready words, in the order in which pages offer them."""
    return RatingWords(items=list(quality_rules().words.values()))


async def plan_callback(work: Work, order_id: UUID) -> None:
    """Decide whether a completed order is asked about; once an order. For the handlers."""
    order = await lock_order(work, order_id)
    if order.status is not OrderStatus.COMPLETED:
        return
    flagged = any(visit.status is VisitStatus.FLAGGED for visit in await visits_of_order(work, order.id))
    is_first = not await repository.has_earlier_service(work, order)
    reason = reason_to_call(order.id, flagged=flagged, is_first=is_first, rules=quality_rules())
    if reason is not None:
        await _add_callback(work, order, reason)


async def ask_after_poor_rating(work: Work, order_id: UUID) -> None:
    """A poor rating is asked about soon, whatever was planned before; idempotent. For the handlers."""
    order = await lock_order(work, order_id)
    rating, rules = await repository.rating_of(work, order.id), quality_rules()
    if rating is None or rating.channel is RatedBy.PHONE or not is_poor(rating.score, rules):
        return
    planned = await repository.lock_callback_of(work, order.id)
    if planned is None:
        await _add_callback(work, order, CallbackReason.POOR_RATING)
    elif planned.status is CallbackStatus.DUE and planned.reason is not CallbackReason.POOR_RATING:
        planned.reason = CallbackReason.POOR_RATING
        planned.due_by = min(planned.due_by, work.now + rules.due_within[CallbackReason.POOR_RATING])
        planned.version += 1


async def list_callbacks(
    work: Work, limit: int, cursor: UUID | None, statuses: Sequence[CallbackStatus], overdue: bool
) -> list[CallbackPublic]:
    """The centre's calls back, newest first; leaves rows in the access log."""
    rows = await repository.callbacks_page(work, limit, cursor, statuses, overdue)
    await record_read(work, [row.callback.resident_id for row in rows], "callbacks", ["words", "item"])
    return [_callback_public(work, row) for row in rows]


async def note_attempt(work: Work, callback_id: UUID, if_match: int | None) -> CallbackPublic:
    """Nobody answered; after as many attempts as the rules ask for the call is given up.

    Raises ``CallbackEnded``.
    """
    callback = await _lock_due(work, callback_id, if_match)
    callback.attempts += 1
    callback.last_attempt_at, callback.called_by = work.now, work.actor.account_id
    if callback.attempts >= quality_rules().attempts:
        callback.ended_at = work.now
        CALLBACK.move(work, callback, CallbackStatus.UNREACHABLE)
    else:
        callback.version += 1
    return await _shown(work, callback_id)


async def note_result(work: Work, callback_id: UUID, said: CallbackResult, if_match: int | None) -> CallbackPublic:
    """What she said. Where the household has not rated, this is the rating. A repeat of the same words changes
    nothing; raises ``CallbackEnded`` for others.
    """
    order = await lock_order(work, await repository.order_of(work, callback_id))
    callback = await repository.lock_callback(work, callback_id)
    answers = said.model_dump()
    if callback.status is CallbackStatus.DONE and answers == callback.model_dump(include=set(answers)):
        return await _shown(work, callback_id)
    if callback.status is not CallbackStatus.DUE:
        raise CallbackEnded(current=str(callback.status))
    expect_version(callback, if_match)
    callback.sqlmodel_update(answers)
    callback.attempts += 1
    callback.last_attempt_at = callback.ended_at = work.now
    callback.called_by = work.actor.account_id
    CALLBACK.move(work, callback, CallbackStatus.DONE)
    if await repository.rating_of(work, order.id) is None and work.actor.account_id is not None:
        score = quality_rules().scores[said.face]
        _rating(work, order, score, said.words, work.actor.account_id, RatedBy.PHONE, [])
    return await _shown(work, callback_id)


async def _lock_due(work: Work, callback_id: UUID, if_match: int | None) -> Callback:
    callback = await repository.lock_callback(work, callback_id)
    if callback.status is not CallbackStatus.DUE:
        raise CallbackEnded(current=str(callback.status))
    expect_version(callback, if_match)
    return callback


async def _add_callback(work: Work, order: Order, reason: CallbackReason) -> None:
    callback = Callback(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        reason=reason,
        status=CallbackStatus.DUE,
        created_at=work.now,
        due_by=work.now + quality_rules().due_within[reason],
    )
    if await repository.add_callback(work, callback):
        CALLBACK.begin(work, callback)


def _rating(
    work: Work, order: Order, score: int, words: str, account_id: UUID, channel: RatedBy, tags: Sequence[str]
) -> Rating:
    rating = Rating(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        score=score,
        tags=list(dict.fromkeys(tags)),
        words=words,
        channel=channel,
        rated_by=account_id,
        rated_at=work.now,
    )
    work.session.add(rating)
    work.record(OrderRated(area_code=order.area_code, centre_id=order.centre_id, order_id=order.id, score=score))
    return rating


def _rating_public(rating: Rating) -> RatingPublic:
    return RatingPublic(**rating.model_dump(), face=face_of(rating.score, quality_rules()))


async def _shown(work: Work, callback_id: UUID) -> CallbackPublic:
    await work.session.flush()
    return _callback_public(work, await repository.callback_row(work, callback_id))


def _callback_public(work: Work, row: CallbackRow) -> CallbackPublic:
    callback, first = row.callback, row.order.lines[0]["item"]
    return CallbackPublic(
        **callback.model_dump(exclude={"area_code", "called_by"}),
        resident_name=name_for(work.actor.role, row.resident_name),
        item_name_zh=first["name_zh"],
        item_name_en=first["name_en"],
        is_overdue=callback.status is CallbackStatus.DUE and callback.due_by < work.now,
    )
