"""The end of a visit: leaving after the service, or having found nobody at home; and what becomes of the order."""

from datetime import datetime, timedelta

from services.events import OrderCompleted, OrderNotServed, VisitEnded
from services.orders.lines import checklist_of
from services.orders.states import ORDER, OrderStatus
from services.visits import repository
from services.visits.acts.scene import Scene, evidence_of, place_of
from services.visits.acts.supplying import record_supply
from services.visits.errors import AlreadyCheckedOut, AlreadyServed, UnknownTask, VisitClosed
from services.visits.incidents.models import IncidentKind, IncidentReport, IncidentSeverity
from services.visits.incidents.service import report
from services.visits.models import CheckOut, NoShow, TaskMark, Visit
from services.visits.readings.plausibility import require_plausible
from services.visits.readings.service import record_reading
from services.visits.states import CLOSED, ENDED, OVER, VISIT, VisitStatus
from services.visits.verification import Flag, ending_flags, place_flags, time_flags
from services.visits.vital_check import is_missing

_BEFORE = (VisitStatus.SCHEDULED, VisitStatus.EN_ROUTE, VisitStatus.IN_SERVICE)


async def apply_check_out(scene: Scene, said: CheckOut) -> None:
    """The visit ends, verified or flagged; the last one completes the order. A repeat changes nothing.

    Raises ``UnknownTask`` for a code that is not on the items' checklists, ``ImplausibleReading``.
    """
    visit = scene.visit
    if visit.check_out_at is not None or visit.status in CLOSED:
        if scene.live or visit.check_out_device_at == said.device_at:
            return
        raise AlreadyCheckedOut if visit.check_out_at is not None else VisitClosed(current=str(visit.status))
    if scene.live and visit.status in ENDED:
        return
    _refuse_nonsense(scene, said)
    if visit.status in _BEFORE:
        scene.begin_order()
        if visit.status is not VisitStatus.IN_SERVICE:
            VISIT.move(scene.work, visit, VisitStatus.IN_SERVICE, "no_check_in")
    _write_down(scene, said)
    _flag_ending(scene, said)
    _fill_checklist(scene)
    if visit.status is VisitStatus.IN_SERVICE:
        VISIT.move(scene.work, visit, VisitStatus.FLAGGED if visit.flags else VisitStatus.VERIFIED)
    scene.work.record(ended(visit))
    await scene.work.session.flush()
    await close_order(scene)


def _refuse_nonsense(scene: Scene, said: CheckOut) -> None:
    """Everything that can be refused, before anything is written."""
    codes = {task.code for task in checklist_of(scene.lines)}
    unknown = sorted({*said.tasks_done, *(mark.code for mark in said.tasks_skipped)} - codes)
    if unknown:
        raise UnknownTask(field="tasks_done", unknown=unknown)
    for reading in said.readings:
        require_plausible(reading)


def _write_down(scene: Scene, said: CheckOut) -> None:
    visit, at = scene.visit, scene.moment(said.device_at, said.sent_at)
    for reading in said.readings:
        taken_at = at if reading.at is None else scene.moment(reading.at, said.sent_at)
        record_reading(scene.work, visit, reading, taken_at)
    for used in said.supplies:
        record_supply(scene.work, visit, used, at)
    for mark in (*(TaskMark(code=code) for code in said.tasks_done), *said.tasks_skipped):
        if not _is_marked_so(visit, mark):
            scene.mark(mark, at)
    if said.note:
        scene.add_note(said.note, at)
    visit.check_out_at, visit.check_out_device_at = scene.heard_at, said.device_at
    started_at = visit.care_started_at
    visit.care_ended_at = at if started_at is None else max(started_at, at)
    visit.check_out_evidence = evidence_of(scene, said)


def _is_marked_so(visit: Visit, mark: TaskMark) -> bool:
    """A list of all that was done says nothing new of when a task was ticked before."""
    return any(one["code"] == mark.code and one.get("state") == str(mark.state) for one in visit.tasks)


def _flag_ending(scene: Scene, said: CheckOut) -> None:
    visit, rules = scene.visit, scene.rules
    stamp = scene.stamp(said.device_at, said.sent_at)
    planned = timedelta(minutes=scene.order.duration_minutes)
    answered = [mark["code"] for mark in visit.tasks]
    codes = [task.code for task in checklist_of(scene.lines)]
    ended_at = scene.moment(said.device_at, said.sent_at)
    scene.flag(
        *place_flags(place_of(said), scene.home, rules),
        *time_flags(stamp, scene.order.placed_at, rules),
        *ending_flags(visit.care_started_at, ended_at, planned, codes, answered, rules),
    )
    if is_missing(scene.lines, visit.tasks, scene.readings):
        scene.flag(Flag.VITAL_CHECK_MISSING)


def _fill_checklist(scene: Scene) -> None:
    """What nobody has said anything of stands there as open."""
    known = {mark["code"]: mark for mark in scene.visit.tasks}
    scene.visit.tasks = [
        known.get(task.code, {**task.model_dump(), "done": False, "state": "open", "reason": ""})
        for task in checklist_of(scene.lines)
    ]


async def apply_no_show(scene: Scene, said: NoShow) -> None:
    """Nobody opens: the visit ends without a service, and the centre hears of it as an incident.

    Raises ``AlreadyServed`` once anything was done there, ``VisitClosed`` after another end.
    """
    visit = scene.visit
    if visit.status is VisitStatus.NO_SHOW:
        return
    if visit.status in OVER:
        raise VisitClosed(current=str(visit.status))
    if visit.tasks or visit.readings or await repository.supplies_of_visit(scene.work, visit.id):
        raise AlreadyServed
    scene.begin_order()
    at = scene.moment(said.device_at, said.sent_at)
    visit.check_out_at, visit.check_out_device_at = scene.heard_at, said.device_at
    visit.check_out_evidence = evidence_of(scene, said) | {"waited_minutes": said.waited_minutes}
    stamp = scene.stamp(said.device_at, said.sent_at)
    scene.flag(
        *place_flags(place_of(said), scene.home, scene.rules),
        *time_flags(stamp, scene.order.placed_at, scene.rules),
    )
    VISIT.move(scene.work, visit, VisitStatus.NO_SHOW)
    report(scene.work, visit, _nobody_home(said, at), at)
    scene.work.record(ended(visit))
    await scene.work.session.flush()
    await close_order(scene)


def _nobody_home(said: NoShow, at: datetime) -> IncidentReport:
    """Who does not open may be out, or lie inside: never a minor thing until somebody has asked."""
    return IncidentReport(
        kind=IncidentKind.NOBODY_HOME,
        severity=IncidentSeverity.SERIOUS,
        words=f"到门无人应答，等候 {said.waited_minutes} 分钟",
        done=said.tried,
        device_at=at,
    )


async def close_order(scene: Scene) -> None:
    """With its last visit the order is completed, or was not served when nobody was at home at any of them."""
    order, work = scene.order, scene.work
    visits = await repository.visits_of_order(work, order.id)
    if order.status is not OrderStatus.IN_PROGRESS:
        return
    if not all(one.status in OVER or one.status is VisitStatus.CANCELLED for one in visits):
        return
    area_code, centre_id = order.area_code, order.centre_id
    if any(one.status in ENDED for one in visits):
        ORDER.move(work, order, OrderStatus.COMPLETED)
        work.record(OrderCompleted(area_code=area_code, centre_id=centre_id, order_id=order.id))
    else:
        ORDER.move(work, order, OrderStatus.NOT_SERVED, "nobody_home")
        work.record(OrderNotServed(area_code=area_code, centre_id=centre_id, order_id=order.id))


def ended(visit: Visit) -> VisitEnded:
    """That a visit is over."""
    return VisitEnded(
        area_code=visit.area_code,
        centre_id=visit.centre_id,
        visit_id=visit.id,
        order_id=visit.order_id,
        status=str(visit.status),
    )
