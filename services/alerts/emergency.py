"""120: what the desk sees on one screen, that 120 was called, and who took the resident over.

The platform never replaces 120; it helps to call it with everything at hand.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from services.alerts import checklist, queries, repository, scripts
from services.alerts.announcing import announce
from services.alerts.desk import locked
from services.alerts.errors import AlertOver, AlreadyHandedOver, NoEmergencyCall, NoPhone
from services.alerts.history import write_log
from services.alerts.models import Alert, EmergencyCall
from services.alerts.panic.models import PanicCaller
from services.alerts.panic.service import caller_of
from services.alerts.policy_models import PolicyDocument
from services.alerts.reading import alert_detail, read_alert
from services.alerts.screen_models import (
    AlertScreen,
    CallHandOver,
    ChecklistItem,
    EmergencyCallPublic,
    LadderPublic,
    LastVital,
    NewEmergencyCall,
    Responder,
    RevealedPhone,
)
from services.alerts.states import LIVE
from services.audit.service import record_read
from services.centres.service import get_centre
from services.core.clock import BUSINESS_ZONE
from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.geo import Point, distance_m
from services.events import EmergencyCalled
from services.residents.models import EmergencyCard
from services.residents.service import read_emergency_card
from services.terminals.models import Terminal
from services.vitals import repository as vitals

PHONE_PURPOSE: Final = "caregiver.phone"
_RESPONDERS_SHOWN: Final = 8
EARLIER: Final = timedelta(days=1)
CLOCKS_APART: Final = timedelta(minutes=5)
"""Between a dispatcher's clock and ours."""


async def screen(work: Work, vault: Vault, alert_id: UUID) -> AlertScreen:
    """One alert with all that a dispatcher needs for it; the card and the readings leave access rows."""
    detail = await alert_detail(work, alert_id)
    alert = await read_alert(work, alert_id)
    card = None
    if alert.resident_id is not None:
        card = await read_emergency_card(work, vault, alert.resident_id)
    caller = await caller_of(work, vault, alert)
    facts = await _facts(work, alert, card) | _of_caller(caller)
    return AlertScreen(
        alert=detail,
        statement=scripts.statement(),
        card=card,
        script_resident=scripts.to_resident(alert.kind, facts),
        caller=caller,
        script_120=scripts.to_120(facts, has_resident=card is not None, is_caregiver=caller is not None),
        script_source=scripts.source(),
        responders=await _responders(work, alert, card, caller),
        last_vitals=await _last_vitals(work, alert),
        ladder=await _ladder(work, alert),
        emergency_calls=[_call(row) for row in await repository.emergency_calls_of(work, alert_id)],
        aiding_centres=[aid.centre_id for aid in await queries.aid_of(work, alert_id) if aid.ended_at is None],
        checklist=[
            ChecklistItem(code=item.code, zh=item.zh, en=item.en, answers=list(item.answers))
            for item in checklist.items_for(alert.kind)
        ],
        at=work.now,
    )


def _of_caller(caller: PanicCaller | None) -> dict[str, str]:
    """What is said of a caregiver who calls for herself; what is not known is left blank to be asked for."""
    if caller is None:
        return {}
    position = "" if caller.latitude is None else f"{caller.latitude:.5f}, {caller.longitude:.5f}"
    facts = {"name": caller.name, "phone": caller.phone, "position": position, "address": caller.visit_address}
    return {name: value for name, value in facts.items() if value}


async def _facts(
    work: Work, alert: Alert, card: EmergencyCard | None
) -> dict[str, str | Sequence[str] | Mapping[str, str]]:
    centre = await get_centre(work, alert.centre_id)
    facts: dict[str, str | Sequence[str] | Mapping[str, str]] = {
        "centre": {"zh": centre.name_zh, "en": centre.name_en},
        "kind": str(alert.kind),
        "time": f"{alert.received_at.astimezone(BUSINESS_ZONE):%H:%M}",
        "minutes": str(int((work.now - alert.received_at).total_seconds() // 60)),
    }
    if card is None:
        terminal = None if alert.terminal_id is None else await work.session.get(Terminal, alert.terminal_id)
        return facts | {
            "centre_phone": centre.phone,
            "terminal": "" if terminal is None else str(terminal.kind),
            "room": [terminal.room] if terminal is not None and terminal.room else [],
        }
    return facts | {
        "name": card.name,
        "gender": str(card.gender),
        "age": str(card.age),
        "address": card.address,
        "access": card.access_note,
        "conditions": card.conditions,
        "allergies": card.allergies,
        "medicines": card.medicines,
    }


async def _responders(
    work: Work, alert: Alert, card: EmergencyCard | None, caller: PanicCaller | None
) -> list[Responder]:
    """Those of the desk's own centre: a helper sends its own people. Nobody is sent to herself."""
    centre_id = work.actor.centre_id or alert.centre_id
    if card is not None:
        home = Point(card.latitude, card.longitude)
    elif caller is not None and caller.latitude is not None and caller.longitude is not None:
        home = Point(caller.latitude, caller.longitude)
    else:
        centre = await get_centre(work, alert.centre_id)
        home = Point(centre.latitude, centre.longitude)
    found = [
        Responder(
            caregiver_id=caregiver.id,
            name=caregiver.name,
            profession=caregiver.profession,
            distance_m=round(distance_m(home, Point(caregiver.home_latitude, caregiver.home_longitude))),
            has_phone=caregiver.phone_encrypted is not None,
        )
        for caregiver in await queries.caregivers_on_shift(work, centre_id)
        if caller is None or caregiver.id != caller.caregiver_id
    ]
    return sorted(found, key=lambda one: (one.distance_m, one.name, one.caregiver_id))[:_RESPONDERS_SHOWN]


async def _last_vitals(work: Work, alert: Alert) -> list[LastVital]:
    """Not for a helper from outside: aid opens the alert and the card, not the history of readings."""
    if alert.resident_id is None or not work.actor.covers_area(alert.area_code):
        return []
    await record_read(work, [alert.resident_id], "vitals.latest", ["vitals"], "emergency")
    return [LastVital.model_validate(row) for row in await vitals.latest(work, alert.resident_id)]


async def _ladder(work: Work, alert: Alert) -> LadderPublic | None:
    ladder = await queries.read_ladder(work, alert.id)
    if ladder is None:
        return None
    try:
        policy = PolicyDocument.model_validate(ladder.policy)
    except ValidationError:
        policy = None
    left = None if ladder.next_at is None else (ladder.next_at - work.now).total_seconds()
    return LadderPublic(
        policy=policy,
        is_frozen=ladder.frozen_at is not None,
        loop=ladder.loops,
        step=ladder.step,
        repeat=ladder.repeat,
        next_at=ladder.next_at,
        seconds_left=left,
        nobody_since=ladder.nobody_since,
    )


async def reveal_phone(work: Work, vault: Vault, alert_id: UUID, caregiver_id: UUID) -> RevealedPhone:
    """A responder's number in full; who asked for it stands in the alert's log. ``NoPhone`` when there is none."""
    alert = await read_alert(work, alert_id)
    caregiver = await queries.caregiver_of(work, work.actor.centre_id or alert.centre_id, caregiver_id)
    if caregiver is None:
        raise NotFound
    if caregiver.phone_encrypted is None:
        raise NoPhone
    write_log(work, alert.id, alert.area_code, "phone_revealed", caregiver_id=str(caregiver_id))
    return RevealedPhone(caregiver_id=caregiver_id, phone=vault.decrypt(caregiver.phone_encrypted, PHONE_PURPOSE))


async def record_call(work: Work, alert_id: UUID, call: NewEmergencyCall) -> EmergencyCallPublic:
    """Write down that 120 was called: by whom, when, what was said, what came of it."""
    alert = await locked(work, alert_id)
    account_id = work.actor.account_id
    if alert.status not in LIVE:
        raise AlertOver
    assert account_id is not None  # noqa: S101  only people record calls
    row = EmergencyCall(
        alert_id=alert.id,
        resident_id=alert.resident_id,
        area_code=alert.area_code,
        called_at=_when(work, alert, call.called_at, "called_at"),
        called_by=account_id,
        said=call.said,
        outcome=call.outcome,
        recorded_at=work.now,
    )
    work.session.add(row)
    await _announce(work, alert, row, "called_120", outcome=str(call.outcome))
    return _call(row)


async def hand_over_to(work: Work, alert_id: UUID, handed: CallHandOver) -> EmergencyCallPublic:
    """Write down who took the resident over, on the last call of 120. ``NoEmergencyCall`` when there is none."""
    alert = await locked(work, alert_id)
    calls = await repository.emergency_calls_of(work, alert_id)
    if not calls:
        raise NoEmergencyCall
    row = calls[-1]
    if row.handed_over_to is not None:
        raise AlreadyHandedOver
    row.handed_over_at = _when(work, alert, handed.handed_over_at, "handed_over_at")
    row.handed_over_to = handed.handed_over_to
    await _announce(work, alert, row, "handed_over", outcome=str(row.outcome))
    return _call(row)


def _when(work: Work, alert: Alert, said: datetime | None, field: str) -> datetime:
    """A moment of this alert. Somebody may have called 120 before the resident pressed, but not days before."""
    if said is None:
        return work.now
    if not alert.received_at - EARLIER <= said <= work.now + CLOCKS_APART:
        raise InvalidInput("around this alert, and not in the future", field=field)
    return min(said, work.now)


async def _announce(work: Work, alert: Alert, row: EmergencyCall, what: str, **detail: str) -> None:
    write_log(work, alert.id, alert.area_code, what, call_id=str(row.id), **detail)
    await announce(
        work,
        EmergencyCalled(area_code=alert.area_code, centre_id=alert.centre_id, alert_id=alert.id, call_id=row.id),
    )


def _call(row: EmergencyCall) -> EmergencyCallPublic:
    return EmergencyCallPublic.model_validate(row)
