"""Corrections: asked for by one person, agreed to by another; both values stay, and the bill hears of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.core.actor import SUPERVISING_ROLES
from services.core.database import Work
from services.core.errors import Forbidden
from services.core.versions import expect_version
from services.events import VisitCorrected, VisitCorrectionMoved
from services.orders.lines import checklist_of
from services.visits.acts.scene import Scene, open_scene
from services.visits.acts.supplying import record_supply, void_supply
from services.visits.corrections import repository
from services.visits.corrections.errors import (
    AlreadyDecided,
    ChangedSince,
    CorrectionInvalid,
    CorrectionWaits,
    NotOverYet,
    OwnCorrection,
)
from services.visits.corrections.models import (
    CorrectionDecision,
    CorrectionPublic,
    CorrectionRequest,
    VisitCorrection,
)
from services.visits.corrections.states import CORRECTION, CorrectionStatus
from services.visits.errors import UnknownTask
from services.visits.readings.plausibility import require_plausible
from services.visits.readings.service import record_reading, void_reading
from services.visits.repository import supplies_of_visit
from services.visits.states import OVER
from services.visits.supplies.models import SupplyPublic


async def request(work: Work, visit_id: UUID, said: CorrectionRequest) -> CorrectionPublic:
    """Ask for a correction of a visit that is over; nothing changes yet.

    Raises ``NotFound``, ``NotOverYet``, ``CorrectionWaits``, ``CorrectionInvalid``, ``UnknownTask``.
    """
    scene = await open_scene(work, visit_id)
    visit, account_id = scene.visit, work.actor.account_id
    if account_id is None:
        raise Forbidden
    if visit.status not in OVER:
        raise NotOverYet(current=str(visit.status))
    if await repository.requested_of(work, visit_id) is not None:
        raise CorrectionWaits
    await _check(scene, said)
    row = VisitCorrection(
        visit_id=visit.id,
        order_id=visit.order_id,
        resident_id=visit.resident_id,
        caregiver_id=visit.caregiver_id,
        centre_id=visit.centre_id,
        area_code=visit.area_code,
        status=CorrectionStatus.REQUESTED,
        reason=said.reason,
        words=said.words,
        visit_version=visit.version,
        before=await _as_it_stands(scene),
        wanted=said.model_dump(mode="json", exclude={"reason", "words"}, exclude_defaults=True),
        requested_by=account_id,
        requested_at=work.now,
    )
    work.session.add(row)
    CORRECTION.begin(work, row)
    _announce(work, row)
    await work.session.flush()
    return _public(work, row)


async def approve(
    work: Work, correction_id: UUID, said: CorrectionDecision, if_match: int | None
) -> CorrectionPublic:
    """A second person agrees: the visit says what is right from now on. A repeat changes nothing.

    Raises ``NotFound``, ``OwnCorrection``, ``AlreadyDecided``, ``ChangedSince``.
    """
    scene = await open_scene(work, await repository.visit_of(work, correction_id))
    row = await repository.lock_correction(work, correction_id)
    if row.status is CorrectionStatus.APPROVED:
        return _public(work, row)
    _require_decidable(work, row, if_match)
    if scene.visit.version != row.visit_version:
        raise ChangedSince
    wanted = CorrectionRequest.model_validate({**row.wanted, "reason": row.reason, "words": row.words})
    await _check(scene, wanted)
    await _write(scene, wanted, row.id)
    scene.visit.version += 1
    await work.session.flush()
    row.after = await _as_it_stands(scene)
    _decide(work, row, CorrectionStatus.APPROVED, said.note)
    work.record(
        VisitCorrected(
            area_code=row.area_code,
            centre_id=row.centre_id,
            visit_id=row.visit_id,
            order_id=row.order_id,
            correction_id=row.id,
        )
    )
    return _public(work, row)


async def reject(
    work: Work, correction_id: UUID, said: CorrectionDecision, if_match: int | None
) -> CorrectionPublic:
    """A second person does not agree: the visit stays as it is. A repeat changes nothing.

    Raises ``NotFound``, ``OwnCorrection``, ``AlreadyDecided``.
    """
    await open_scene(work, await repository.visit_of(work, correction_id))
    row = await repository.lock_correction(work, correction_id)
    if row.status is not CorrectionStatus.REJECTED:
        _require_decidable(work, row, if_match)
        _decide(work, row, CorrectionStatus.REJECTED, said.note)
        _announce(work, row)
    return _public(work, row)


async def list_corrections(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: Sequence[CorrectionStatus],
    visit_id: UUID | None = None,
) -> list[CorrectionPublic]:
    """A page of the corrections in reach, newest first; leaves rows in the access log."""
    rows = await repository.corrections_page(work, limit, cursor, statuses, visit_id)
    await record_read(work, [row.resident_id for row in rows], "visit_corrections", ["before", "wanted", "after"])
    return [_public(work, row) for row in rows]


def _require_decidable(work: Work, row: VisitCorrection, if_match: int | None) -> None:
    own = row.requested_by == work.actor.account_id or row.caregiver_id == work.actor.person_id
    if own:
        raise OwnCorrection
    if row.status is not CorrectionStatus.REQUESTED:
        raise AlreadyDecided(current=str(row.status))
    expect_version(row, if_match)


def _decide(work: Work, row: VisitCorrection, target: CorrectionStatus, note: str) -> None:
    row.decided_by, row.decided_at, row.decision_note = work.actor.account_id, work.now, note
    CORRECTION.move(work, row, target, note)


async def _check(scene: Scene, said: CorrectionRequest) -> None:
    """Whether it can be so at all."""
    visit, now = scene.visit, scene.work.now
    started = said.care_started_at or visit.care_started_at
    ended = said.care_ended_at or visit.care_ended_at
    if started is not None and ended is not None and ended < started:
        raise CorrectionInvalid(field="care_ended_at", problem="ends_before_start")
    if any(moment is not None and moment > now for moment in (said.care_started_at, said.care_ended_at)):
        raise CorrectionInvalid(field="care_ended_at", problem="in_the_future")
    unknown = sorted({mark.code for mark in said.tasks} - {task.code for task in checklist_of(scene.lines)})
    if unknown:
        raise UnknownTask(field="tasks", unknown=unknown)
    for reading in said.readings_add:
        require_plausible(reading)
        if reading.at is not None and reading.at > now:
            raise CorrectionInvalid(field="readings_add", problem="in_the_future")
    supplies = await repository.standing_supplies(scene.work, visit.id, said.supplies_void)
    if len(supplies) != len(set(said.supplies_void)):
        raise CorrectionInvalid(field="supplies_void", problem="not_of_this_visit")
    readings = await repository.standing_readings(scene.work, visit.id, said.readings_void)
    if len(readings) != len(set(said.readings_void)):
        raise CorrectionInvalid(field="readings_void", problem="not_of_this_visit")


async def _write(scene: Scene, said: CorrectionRequest, correction_id: UUID) -> None:
    work, visit = scene.work, scene.visit
    visit.care_started_at = said.care_started_at or visit.care_started_at
    visit.care_ended_at = said.care_ended_at or visit.care_ended_at
    for mark in said.tasks:
        scene.mark(mark, work.now)
    for supply in await repository.standing_supplies(work, visit.id, said.supplies_void):
        void_supply(work, supply, correction_id)
    used_at = visit.care_ended_at or work.now
    for used in said.supplies_add:
        record_supply(work, visit, used, used_at, correction_id)
    for row in await repository.standing_readings(work, visit.id, said.readings_void):
        void_reading(work, visit, row, correction_id)
    for reading in said.readings_add:
        record_reading(work, visit, reading, reading.at or work.now, correction_id)


async def _as_it_stands(scene: Scene) -> dict[str, Any]:
    """Everything that a correction may change."""
    visit = scene.visit
    supplies = await supplies_of_visit(scene.work, visit.id)
    return {
        "care_started_at": None if visit.care_started_at is None else visit.care_started_at.isoformat(),
        "care_ended_at": None if visit.care_ended_at is None else visit.care_ended_at.isoformat(),
        "tasks": visit.tasks,
        "readings": visit.readings,
        "supplies": [SupplyPublic.model_validate(one).model_dump(mode="json") for one in supplies],
    }


def _announce(work: Work, row: VisitCorrection) -> None:
    work.record(
        VisitCorrectionMoved(
            area_code=row.area_code,
            centre_id=row.centre_id,
            visit_id=row.visit_id,
            correction_id=row.id,
            status=str(row.status),
        )
    )


def _public(work: Work, row: VisitCorrection) -> CorrectionPublic:
    """Who supervises sees times and people, and nothing of health."""
    shown = CorrectionPublic.model_validate(row)
    if work.actor.role not in SUPERVISING_ROLES:
        return shown
    times = ("care_started_at", "care_ended_at")
    cut = {
        name: None if values is None else {key: values[key] for key in times if key in values}
        for name, values in (("before", row.before), ("wanted", row.wanted), ("after", row.after))
    }
    return shown.model_copy(update={**cut, "words": "", "decision_note": None})
