"""Handing an alert over: one asks, the other accepts or declines; both sides stay on record.

Until it is accepted the responsibility, and the lease, stay where they were. With the acceptance both go over: the
deadline by which somebody must have come is the resident's, and does not move because the desk changes hands.
"""

from uuid import UUID

from services.alerts import queries, repository
from services.alerts.announcing import announce
from services.alerts.errors import AlertTaken, CannotTakeOver, HandoverPending, NoHandover, NotResponder
from services.alerts.escalation import BEFORE_FIRST, Rung
from services.alerts.history import write_log
from services.alerts.models import Alert, AlertHandover
from services.alerts.paging import Person, page, seen
from services.alerts.policies import default_for
from services.alerts.states import HANDOVER, AlertStatus, HandoverStatus
from services.core.database import Work
from services.events import AlertHandoverMoved

HELD = (AlertStatus.ACKNOWLEDGED, AlertStatus.RESPONDING, AlertStatus.ON_SCENE)


async def request(work: Work, alert: Alert, to_account_id: UUID, note: str) -> AlertHandover:
    """Ask somebody to take over. The alert is locked by the caller.

    ``NotResponder`` for anybody but the one who holds it, ``CannotTakeOver`` for who could not take it,
    ``HandoverPending`` while another request waits.
    """
    holder = alert.responder_account_id
    if alert.status not in HELD or holder is None or holder != work.actor.account_id:
        raise NotResponder
    if to_account_id == holder or not await _may_take(work, alert, to_account_id):
        raise CannotTakeOver
    if await queries.open_handover(work, alert.id) is not None:
        raise HandoverPending
    asked = AlertHandover(
        alert_id=alert.id,
        area_code=alert.area_code,
        from_account_id=holder,
        to_account_id=to_account_id,
        status=HandoverStatus.REQUESTED,
        note=note,
        requested_at=work.now,
    )
    work.session.add(asked)
    await work.session.flush()
    HANDOVER.begin(work, asked)
    await _tell(work, alert, asked)
    return asked


async def _may_take(work: Work, alert: Alert, account_id: UUID) -> bool:
    """Somebody of the desk whom the actor can see, or who was paged for this alert (the county, a helper)."""
    seen = await queries.accounts_named(work, [account_id])
    if seen:
        is_helper = alert.id in work.actor.aided_alerts and seen[0].centre_id == work.actor.centre_id
        reaches = is_helper or alert.area_code.startswith(seen[0].area_code)
        return reaches and seen[0].role in queries.DESK_ROLES
    return account_id in await queries.paged_accounts(work, alert.id)


async def page_asked(work: Work, alert_id: UUID, handover_id: UUID) -> None:
    """Tell the one who was asked, while the answer is still awaited; the system's to do, after the request."""
    alert = await repository.find_alert(work, alert_id)
    asked = await queries.handover_by_id(work, handover_id)
    if alert is None or asked is None or asked.status is not HandoverStatus.REQUESTED:
        return
    person = Person("handover", account_id=asked.to_account_id)
    ladder = await queries.read_ladder(work, alert_id)
    rung = BEFORE_FIRST if ladder is None else Rung(ladder.loops, max(ladder.step, 0), ladder.repeat)
    channels = default_for(alert.severity).steps[0].channels
    await page(work, alert, [person], channels, rung, f"alert:{alert_id}:handover:{handover_id}")


async def answer(work: Work, alert: Alert, accept: bool, note: str) -> AlertHandover:
    """The one who was asked answers. ``NoHandover`` when nothing waits for this person, ``AlertTaken`` when the
    alert is no longer with the one who asked."""
    asked = await queries.open_handover(work, alert.id)
    if asked is None or asked.to_account_id != work.actor.account_id:
        raise NoHandover
    if alert.status not in HELD or alert.responder_account_id != asked.from_account_id:
        raise AlertTaken(alert_status=str(alert.status))
    asked.answered_at, asked.answer_note = work.now, note
    HANDOVER.move(work, asked, HandoverStatus.ACCEPTED if accept else HandoverStatus.DECLINED)
    if accept:
        alert.responder_account_id = work.actor.account_id
        alert.version += 1
        await seen(work, alert)
    await _tell(work, alert, asked)
    return asked


async def lapse(work: Work, alert: Alert) -> None:
    """A request that nobody answered in time: its lease or its alert has ended."""
    asked = await queries.open_handover(work, alert.id)
    if asked is not None:
        HANDOVER.move(work, asked, HandoverStatus.LAPSED)
        await _tell(work, alert, asked)


async def _tell(work: Work, alert: Alert, asked: AlertHandover) -> None:
    write_log(
        work,
        alert.id,
        alert.area_code,
        f"handover_{asked.status}",
        handover_id=str(asked.id),
        asked_by=str(asked.from_account_id),
        asked=str(asked.to_account_id),
    )
    await announce(
        work,
        AlertHandoverMoved(
            area_code=alert.area_code,
            centre_id=alert.centre_id,
            alert_id=alert.id,
            handover_id=asked.id,
            from_account_id=asked.from_account_id,
            to_account_id=asked.to_account_id,
            status=str(asked.status),
        ),
    )
