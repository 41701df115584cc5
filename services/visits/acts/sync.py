"""What a phone did without network comes in: in any parts and order, each act once, none lost.

Everything of one visit happens under the order's and the visit's locks; visits are taken in the order of their
orders' keys, so that two phones that send at once never lock crosswise.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import DomainError, Forbidden
from services.core.ids import new_id
from services.events import VisitConflictMoved
from services.visits import errors
from services.visits.acts import repository
from services.visits.acts.applying import BODIES, apply
from services.visits.acts.gaps import missing_before
from services.visits.acts.models import (
    ActAnswer,
    ActKind,
    OfflineAct,
    SyncAnswer,
    SyncedVisit,
    SyncRequest,
    VisitAct,
)
from services.visits.acts.scene import Scene, open_scene
from services.visits.acts.states import ACT, ActStatus
from services.visits.models import Visit
from services.visits.repository import orders_of
from services.visits.verification import Flag

_ENDS = (ActKind.CHECK_OUT, ActKind.NO_SHOW)
AT_ONCE = 50


@cache
def patience() -> timedelta:
    """For how long an end waits for what came before it (``data/sync.json``)."""
    raw = json.loads((files("services.visits") / "data" / "sync.json").read_text("utf-8"))
    return timedelta(minutes=raw["patience_minutes"])


async def sync(work: Work, batch: SyncRequest, vault: Vault | None = None) -> SyncAnswer:
    """Take a batch in. One act's trouble is its own: the others are applied where they do not depend on it."""
    caregiver_id = work.actor.person_id
    if caregiver_id is None:
        raise Forbidden
    answers: dict[UUID, ActAnswer] = {}
    released: list[ActAnswer] = []
    visits: list[SyncedVisit] = []
    by_visit: dict[UUID, list[OfflineAct]] = {}
    for act in sorted(batch.acts, key=lambda one: (one.seq, one.device_at, one.id)):
        by_visit.setdefault(act.visit_id, []).append(act)
    orders = await orders_of(work, list(by_visit))
    for visit_id in [one for one in by_visit if one not in orders]:
        for act in by_visit[visit_id]:
            answers[act.id] = await _keep_stray(work, caregiver_id, batch, act)
    for visit_id in sorted(orders, key=lambda one: (orders[one], one)):
        scene = await open_scene(work, visit_id, vault)
        scene.live, scene.device_id, scene.sent_at = False, batch.device_id, batch.sent_at
        for act in by_visit[visit_id]:
            answers[act.id] = answers.get(act.id) or await _take(scene, caregiver_id, batch, act)
        released += [one for one in await _release(scene) if one.id not in answers]
        answers |= {one.id: one for one in await _now(work, caregiver_id, answers, by_visit[visit_id])}
        await work.session.flush()
        visits.append(_synced(scene.visit))
    return SyncAnswer(items=[answers[act.id] for act in batch.acts], released=released, visits=visits)


async def release_overdue(work: Work) -> int:
    """Ends that have waited too long are applied and flagged. For the worker; gives how many visits."""
    overdue = await repository.overdue_visits(work, work.now - patience(), AT_ONCE)
    orders = await orders_of(work, overdue)
    for visit_id in sorted(orders, key=lambda one: (orders[one], one)):
        scene = await open_scene(work, visit_id)
        scene.live = False
        await _release(scene, whatever_is_missing=True)
        await work.session.flush()
    return len(orders)


async def _take(scene: Scene, caregiver_id: UUID, batch: SyncRequest, act: OfflineAct) -> ActAnswer:
    row = _row(scene.work, caregiver_id, batch, act, scene.visit)
    if not await repository.add_act(scene.work, row):
        return await _repeated(scene.work, caregiver_id, act)
    known = (await repository.known_acts(scene.work, caregiver_id, [act.id]))[act.id]
    return await _apply(scene, known, whatever_is_missing=False)


async def _apply(scene: Scene, row: VisitAct, *, whatever_is_missing: bool) -> ActAnswer:
    """Apply one stored act that is new or waits, and write down what became of it."""
    scene.seq, scene.device_id = row.seq, row.device_id
    scene.sent_at, scene.received_at = row.sent_at, row.received_at
    try:
        kind, said = _read(row)
        if kind in _ENDS:
            numbers = await repository.numbers_of(scene.work, row.visit_id, row.device_id)
            missing = missing_before(row.seq, numbers)
            if missing and not whatever_is_missing:
                return _wait(row, missing)
            if missing:
                scene.flag(Flag.GAP_IN_ACTS)
        conflict = await apply(scene, kind, said)
    except DomainError as error:
        return _conflict(scene.work, row, error, recorded=False)
    if conflict is not None:
        return _conflict(scene.work, row, conflict, recorded=True)
    if row.status is not ActStatus.APPLIED:
        ACT.move(scene.work, row, ActStatus.APPLIED)
    row.code, row.detail = None, {}
    return _answer(row, "applied")


def _wait(row: VisitAct, missing: list[int]) -> ActAnswer:
    row.code, row.detail = errors.WaitsForEarlier.code, {"missing": missing[:50]}
    return _answer(row, "waiting")


def _conflict(work: Work, row: VisitAct, error: DomainError, *, recorded: bool) -> ActAnswer:
    row.code = error.code
    row.detail = {name: value for name, value in error.extra.items() if value is not None} | {"recorded": recorded}
    ACT.move(work, row, ActStatus.CONFLICT, error.code)
    work.record(
        VisitConflictMoved(
            area_code=row.area_code,
            centre_id=row.centre_id,
            visit_id=row.visit_id,
            act_id=row.id,
            code=error.code,
            status=str(row.status),
        )
    )
    return _answer(row, "conflict")


def _read(row: VisitAct) -> tuple[ActKind, Any]:
    """The act as the verb's own body; ``UnreadableAct`` names the fields that are wrong, never the values."""
    try:
        kind = ActKind(row.kind)
    except ValueError:
        raise errors.UnreadableAct(fields=["do"]) from None
    told = {"device_at": row.device_at, **row.said}
    try:
        return kind, BODIES[kind].model_validate(told)
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in one["loc"]) or "said" for one in error.errors()})
        raise errors.UnreadableAct(fields=fields) from None


async def _release(scene: Scene, *, whatever_is_missing: bool = False) -> list[ActAnswer]:
    """Apply what no longer waits, in its order."""
    found = []
    for row in await repository.waiting_of(scene.work, scene.visit.id):
        answer = await _apply(scene, row, whatever_is_missing=whatever_is_missing)
        if answer.result != "waiting":
            found.append(answer)
    return found


async def _now(
    work: Work, caregiver_id: UUID, answers: dict[UUID, ActAnswer], acts: Sequence[OfflineAct]
) -> list[ActAnswer]:
    """An end that waited at the beginning of its own batch's turn may have come free at its end."""
    waiting = [act.id for act in acts if answers[act.id].result == "waiting"]
    rows = await repository.known_acts(work, caregiver_id, waiting) if waiting else {}
    free = [row for row in rows.values() if row.status is not ActStatus.WAITING]
    return [_answer(row, "conflict" if row.status is ActStatus.CONFLICT else "applied") for row in free]


async def _keep_stray(work: Work, caregiver_id: UUID, batch: SyncRequest, act: OfflineAct) -> ActAnswer:
    """An act of a visit that is not hers, or of none: kept for the dispatcher of her centre."""
    row = _row(work, caregiver_id, batch, act, None)
    if not await repository.add_act(work, row):
        return await _repeated(work, caregiver_id, act)
    known = (await repository.known_acts(work, caregiver_id, [act.id]))[act.id]
    return _conflict(work, known, errors.UnknownVisit(), recorded=False)


async def _repeated(work: Work, caregiver_id: UUID, act: OfflineAct) -> ActAnswer:
    """The answer of the first time; the same id for something else is told apart and changes nothing."""
    row = (await repository.known_acts(work, caregiver_id, [act.id]))[act.id]
    if (row.visit_id, row.kind, row.seq) != (act.visit_id, act.do, act.seq):
        reused = errors.ActIdReused
        return ActAnswer(
            id=act.id,
            seq=act.seq,
            visit_id=act.visit_id,
            result="conflict",
            became=row.status,
            code=reused.code,
            words_zh=reused.title_zh,
            words_en=reused.title_en,
        )
    return _answer(row, "waiting" if row.status is ActStatus.WAITING else "repeated")


def _row(work: Work, caregiver_id: UUID, batch: SyncRequest, act: OfflineAct, visit: Visit | None) -> VisitAct:
    """The act as it came. ``WAITING`` until it is known what becomes of it, within the same transaction."""
    centre_id = work.actor.centre_id if visit is None else visit.centre_id
    if centre_id is None:
        raise Forbidden
    return VisitAct(
        id=new_id(),
        client_id=act.id,
        caregiver_id=caregiver_id,
        visit_id=act.visit_id,
        resident_id=None if visit is None else visit.resident_id,
        centre_id=centre_id,
        area_code=work.actor.area_code if visit is None else visit.area_code,
        device_id=batch.device_id,
        seq=act.seq,
        kind=act.do,
        device_at=act.device_at,
        sent_at=batch.sent_at,
        received_at=work.now,
        said=act.said,
        status=ActStatus.WAITING,
    )


_WORDS = {
    error.code: (error.title_zh, error.title_en)
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, DomainError)
}


def words_of(code: str | None) -> tuple[str | None, str | None]:
    """A code's words in both languages."""
    return _WORDS.get(code or "", (code, code))


def _answer(row: VisitAct, result: Any) -> ActAnswer:
    words_zh, words_en = words_of(row.code)
    return ActAnswer(
        id=row.client_id,
        seq=row.seq,
        visit_id=row.visit_id,
        result=result,
        became=row.status,
        code=row.code,
        words_zh=words_zh,
        words_en=words_en,
        detail=row.detail,
    )


def _synced(visit: Visit) -> SyncedVisit:
    return SyncedVisit(visit_id=visit.id, status=visit.status, version=visit.version, flags=visit.flags)
