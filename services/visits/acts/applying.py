"""What each act does to a visit: the one way, for what is done live and for what comes in later.

An act either raises, and then nothing of it has been done, or is written down. Acts other than an end are written
so that the order in which they arrive does not matter: times and numbers of the phone say what came first.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from services.consents.models import ConsentPurpose
from services.consents.service import has_consent
from services.core.errors import DomainError
from services.core.ids import new_id
from services.orders.states import OrderStatus
from services.visits.acts.ending import apply_check_out, apply_no_show
from services.visits.acts.models import ActKind
from services.visits.acts.scene import Scene, evidence_of, place_of
from services.visits.acts.supplying import record_supply
from services.visits.cards.service import check_card
from services.visits.errors import (
    AlreadyCheckedIn,
    GivenToOther,
    NoPhotoConsent,
    VisitCancelled,
    VisitClosed,
    VitalCheckFirst,
)
from services.visits.incidents.models import IncidentReport
from services.visits.incidents.service import report
from services.visits.models import (
    CheckIn,
    CheckOut,
    NoShow,
    NoteAct,
    ReadingAct,
    SetOut,
    TaskAct,
    TaskState,
)
from services.visits.proofs.models import ProofKind, ProofNotice, VisitProof
from services.visits.proofs.repository import find_proof
from services.visits.readings.service import record_reading
from services.visits.states import CLOSED, VisitStatus
from services.visits.supplies.models import SupplyUse
from services.visits.verification import Flag, care_time, code_flags, place_flags, time_flags
from services.visits.vital_check import is_missing, waiting_tasks

_BEFORE = (VisitStatus.SCHEDULED, VisitStatus.EN_ROUTE)
_IS_CARE: Final = (ActKind.CHECK_IN, ActKind.TASK, ActKind.READING, ActKind.SUPPLY, ActKind.CHECK_OUT)
"""What proves that somebody was there and did something."""


async def apply(scene: Scene, kind: ActKind, said: Any) -> DomainError | None:
    """Write one act down; ``said`` is the body of the verb. Raises what the act refuses.

    Gives back a conflict when the act is written down and a person must know that it does not fit: care at a visit
    that had been cancelled, or given to somebody else.
    """
    conflict = None
    if scene.visit.status is VisitStatus.CANCELLED and kind is not ActKind.INCIDENT:
        conflict = _after_cancel(scene, kind)
    await _APPLY[kind](scene, said)
    return conflict


def _after_cancel(scene: Scene, kind: ActKind) -> DomainError:
    """Live, a cancelled visit is refused; what was done before its caregiver could know is kept and flagged."""
    given_away = scene.order.status is not OrderStatus.CANCELLED
    conflict = GivenToOther() if given_away else VisitCancelled()
    if scene.live or kind in (ActKind.SET_OUT, ActKind.NO_SHOW):
        raise conflict
    if kind in _IS_CARE:
        scene.flag(Flag.CARE_AFTER_HANDOVER if given_away else Flag.CARE_AFTER_CANCEL)
        scene.move(VisitStatus.FLAGGED, conflict.code)
    return conflict


async def _set_out(scene: Scene, said: SetOut) -> None:
    visit = scene.visit
    if visit.status is VisitStatus.SCHEDULED:
        scene.begin_order()
        visit.en_route_at = scene.moment(said.device_at, said.sent_at)
        scene.move(VisitStatus.EN_ROUTE)
    elif visit.en_route_at is None and not scene.live:
        visit.en_route_at = scene.moment(said.device_at, said.sent_at)


async def _check_in(scene: Scene, said: CheckIn) -> None:
    visit = scene.visit
    if visit.check_in_at is not None:
        if not scene.live and not _is_same_check_in(scene, said):
            raise AlreadyCheckedIn
        return
    if visit.status in CLOSED:
        if scene.live:
            return
        raise VisitClosed(current=str(visit.status))
    if visit.status in _BEFORE:
        scene.begin_order()
    elif scene.live:
        return
    stamp = scene.stamp(said.device_at, said.sent_at)
    card = None if said.card is None else await check_card(scene.work, scene.vault, visit.resident_id, said.card)
    wrong_code = code_flags(said.start_code, scene.order.start_code, card)
    visit.check_in_at, visit.check_in_device_at = scene.heard_at, said.device_at
    visit.check_in_device = scene.device_id
    visit.care_started_at = care_time(stamp, scene.rules)
    proved = str(wrong_code[0]) if wrong_code else "matched"
    visit.check_in_evidence = evidence_of(scene, said) | {
        "start_code": proved,
        "card": None if card is None else str(card),
    }
    where = place_flags(place_of(said), scene.home, scene.rules)
    scene.flag(*wrong_code, *where, *time_flags(stamp, scene.order.placed_at, scene.rules))
    if visit.status in _BEFORE:
        scene.move(VisitStatus.IN_SERVICE)


def _is_same_check_in(scene: Scene, said: CheckIn) -> bool:
    """The same phone again, or the one that was already told live and whose answer got lost."""
    visit = scene.visit
    if visit.check_in_device is not None and visit.check_in_device == scene.device_id:
        return True
    return visit.check_in_device is None and visit.check_in_device_at == said.device_at


async def _task(scene: Scene, said: TaskAct) -> None:
    scene.require_writable()
    at = scene.moment(said.device_at, said.sent_at)
    waits = said.state is TaskState.DONE and said.code in waiting_tasks(scene.lines)
    if scene.live and waits:
        mark = {"code": said.code, "done": True, "at": at.isoformat()}
        if is_missing(scene.lines, [mark], scene.readings):
            raise VitalCheckFirst(field="code")
    scene.mark(said, at)


async def _reading(scene: Scene, said: ReadingAct) -> None:
    if scene.live:
        scene.require_writable()
    record_reading(scene.work, scene.visit, said, scene.moment(said.at or said.device_at, said.sent_at))


async def _supply(scene: Scene, said: SupplyUse) -> None:
    scene.require_writable()
    record_supply(scene.work, scene.visit, said, scene.moment(said.device_at, said.sent_at))


async def _note(scene: Scene, said: NoteAct) -> None:
    if scene.visit.status in CLOSED:
        raise VisitClosed(current=str(scene.visit.status))
    scene.add_note(said.text, scene.moment(said.device_at, said.sent_at))


async def _proof(scene: Scene, said: ProofNotice) -> None:
    """A picture is announced; the picture itself may have come before, or follows."""
    await announce_proof(scene, said)


async def announce_proof(scene: Scene, said: ProofNotice) -> VisitProof:
    """The record of a picture, made once. Raises ``NoPhotoConsent``: a signature is consent in itself."""
    known = await find_proof(scene.work, scene.visit.caregiver_id, said.proof_id)
    if known is not None:
        return known
    visit = scene.visit
    if said.kind is ProofKind.PHOTO and not await has_consent(
        scene.work, visit.resident_id, ConsentPurpose.VISIT_PHOTOS
    ):
        raise NoPhotoConsent
    taken_at = scene.moment(said.device_at, said.sent_at)
    proof = VisitProof(
        id=new_id(),
        client_id=said.proof_id,
        visit_id=visit.id,
        resident_id=visit.resident_id,
        caregiver_id=visit.caregiver_id,
        centre_id=visit.centre_id,
        area_code=visit.area_code,
        kind=said.kind,
        taken_at=taken_at,
    )
    scene.work.session.add(proof)
    if said.kind is ProofKind.SIGNATURE:
        signed = [taken_at] if visit.confirmed_at is None else [taken_at, visit.confirmed_at]
        visit.confirmed_at = min(signed)
    return proof


async def _incident(scene: Scene, said: IncidentReport) -> None:
    report(scene.work, scene.visit, said, scene.moment(said.device_at, said.sent_at))


_APPLY: Final[dict[ActKind, Callable[[Scene, Any], Awaitable[None]]]] = {
    ActKind.SET_OUT: _set_out,
    ActKind.CHECK_IN: _check_in,
    ActKind.TASK: _task,
    ActKind.READING: _reading,
    ActKind.SUPPLY: _supply,
    ActKind.NOTE: _note,
    ActKind.PROOF: _proof,
    ActKind.INCIDENT: _incident,
    ActKind.NO_SHOW: apply_no_show,
    ActKind.CHECK_OUT: apply_check_out,
}

BODIES: Final[dict[ActKind, type[Any]]] = {
    ActKind.SET_OUT: SetOut,
    ActKind.CHECK_IN: CheckIn,
    ActKind.TASK: TaskAct,
    ActKind.READING: ReadingAct,
    ActKind.SUPPLY: SupplyUse,
    ActKind.NOTE: NoteAct,
    ActKind.PROOF: ProofNotice,
    ActKind.INCIDENT: IncidentReport,
    ActKind.NO_SHOW: NoShow,
    ActKind.CHECK_OUT: CheckOut,
}
"""What each act says."""
