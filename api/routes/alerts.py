"""The alert desk."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.deps import HouseDep, IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.alerts import emergency, service
from services.alerts.models import AlertDetail, AlertPublic, HandoverPublic
from services.alerts.resolutions import CancelConfirmed, Classification, Resolution
from services.alerts.screen_models import (
    AlertScreen,
    CallHandOver,
    EmergencyCallPublic,
    NewEmergencyCall,
    RevealedPhone,
)
from services.alerts.states import AlertStatus, Severity

router = APIRouter(prefix="/alerts", tags=["alerts"])


class Note(BaseModel):
    """Free words for the alert's log."""

    note: str = Field("", max_length=500, examples=["村医已出发，约 8 分钟到达"])


class Resolve(Note):
    """How an alert ended, with its checklist; the screen of the alert lists the items and their answers."""

    resolution: Resolution
    checklist: dict[str, str] = Field(
        default_factory=dict,
        max_length=20,
        description="Every item of the alert's checklist. `unknown` anywhere needs a note.",
        examples=[
            {"spoke_with_resident": "yes", "condition": "well", "contacts_told": "yes", "terminal_ready": "yes"}
        ],
    )


class Classify(Note):
    """The first judgement."""

    classification: Classification


class SetSeverity(BaseModel):
    """How grave a person judges it to be."""

    severity: Severity = Field(description="1 notice, 2 warning, 3 high, 4 life safety.", examples=[4])
    reason: str = Field(min_length=2, max_length=500, examples=["电话中长者诉胸痛"])


class Cancel(BaseModel):
    """That the resident meant to take the alarm back, and how that was made sure."""

    confirmed: CancelConfirmed
    reason: str = Field(min_length=2, max_length=500, examples=["长者本人接听，确认误碰"])


class HandOver(Note):
    """Who is asked to take over."""

    to_account_id: UUID = Field(examples=["019ab1c2-0000-7000-8000-000000000001"])


@router.get("", operation_id="list_alerts", summary="Alerts in one's reach, newest first")
async def list_alerts(
    work: WorkDep,
    page: PageDep,
    status: Annotated[list[AlertStatus] | None, Query(description="Only these statuses.")] = None,
    centre_id: UUID | None = None,
) -> Page[AlertPublic]:
    """Live ones are `open`, `acknowledged`, `responding` and `on_scene`. Aided ones are among them."""
    alerts = await service.list_alerts(work, status or [], centre_id, page.limit, page.cursor)
    items = [service.public(work, alert) for alert in alerts]
    return Page(items=items, next_cursor=next_cursor([alert.id for alert in alerts], page))


@router.get("/{alert_id}", operation_id="get_alert", summary="One alert with all that happened to it")
async def get_alert(alert_id: UUID, work: WorkDep) -> AlertDetail:
    """The resident's emergency card is a read of its own: `GET /residents/{id}/emergency-card`."""
    return await service.alert_detail(work, alert_id)


@router.get("/{alert_id}/screen", operation_id="get_alert_screen", summary="Everything for one alert at once")
async def get_alert_screen(alert_id: UUID, work: WorkDep, house: HouseDep) -> AlertScreen:
    """What to say to resident and 120, card with key box, contacts, responders, readings, ladder, checklist.

    The platform never replaces 120. Card and readings leave rows in the access log.
    """
    return await emergency.screen(work, house.vault, alert_id)


@router.post("/{alert_id}/acknowledge", operation_id="acknowledge_alert", summary="Take an alert")
async def acknowledge_alert(alert_id: UUID, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """The taker holds it for the lease; with no response by then it is open again and escalates."""
    return service.public(work, await service.acknowledge(work, alert_id, if_match))


@router.post("/{alert_id}/page-seen", operation_id="acknowledge_page", summary="I have seen the page")
async def acknowledge_page(alert_id: UUID, work: WorkDep) -> AlertPublic:
    """For steps whose people must all acknowledge. Takes nothing over."""
    return service.public(work, await service.acknowledge_page(work, alert_id))


@router.post("/{alert_id}/classify", operation_id="classify_alert", summary="Say what it seems to be")
async def classify_alert(alert_id: UUID, body: Classify, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """The time of the first judgement is kept (t3). Closes nothing."""
    alert = await service.classify(work, alert_id, body.classification, body.note, if_match)
    return service.public(work, alert)


@router.post("/{alert_id}/severity", operation_id="set_alert_severity", summary="Make it graver or lighter")
async def set_alert_severity(alert_id: UUID, body: SetSeverity, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """A reading can only make it graver; a person either, with a reason that stands in the log."""
    alert = await service.set_severity(work, alert_id, body.severity, body.reason, if_match)
    return service.public(work, alert)


@router.post("/{alert_id}/respond", operation_id="respond_to_alert", summary="Somebody is on the way")
async def respond_to_alert(alert_id: UUID, body: Note, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """The terminal is told so, and can say it aloud. What somebody else holds is refused: hand it over."""
    return service.public(work, await service.respond(work, alert_id, body.note, if_match))


@router.post("/{alert_id}/arrive", operation_id="arrive_at_alert", summary="Somebody is with the resident")
async def arrive_at_alert(alert_id: UUID, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """Ends the lease; the desk asks again when nobody closes the alert for long."""
    return service.public(work, await service.arrive(work, alert_id, if_match))


@router.post("/{alert_id}/handover", operation_id="request_handover", summary="Ask somebody to take over")
async def request_handover(alert_id: UUID, body: HandOver, work: WorkDep, if_match: IfMatch) -> HandoverPublic:
    """Until it is accepted, the one who asks goes on being responsible, and the lease goes on running."""
    asked = await service.request_handover(work, alert_id, body.to_account_id, body.note, if_match)
    return HandoverPublic.model_validate(asked)


@router.post("/{alert_id}/handover/accept", operation_id="accept_handover", summary="Take it over")
async def accept_handover(alert_id: UUID, body: Note, work: WorkDep, if_match: IfMatch) -> HandoverPublic:
    """Only the one who was asked. The lease goes over as it stands."""
    return HandoverPublic.model_validate(
        await service.answer_handover(work, alert_id, accept=True, note=body.note, if_match=if_match)
    )


@router.post("/{alert_id}/handover/decline", operation_id="decline_handover", summary="Do not take it over")
async def decline_handover(alert_id: UUID, body: Note, work: WorkDep, if_match: IfMatch) -> HandoverPublic:
    """The alert stays with the one who asked."""
    return HandoverPublic.model_validate(
        await service.answer_handover(work, alert_id, accept=False, note=body.note, if_match=if_match)
    )


@router.post(
    "/{alert_id}/emergency-call",
    operation_id="record_emergency_call",
    summary="Write down that 120 was called",
    status_code=201,
)
async def record_emergency_call(
    alert_id: UUID, body: NewEmergencyCall, work: WorkDep, once: OnceDep
) -> EmergencyCallPublic:
    """The call itself is made by telephone: the platform never replaces 120."""
    answer: EmergencyCallPublic = await once(work, lambda: emergency.record_call(work, alert_id, body))
    return answer


@router.post(
    "/{alert_id}/emergency-call/handed-over",
    operation_id="record_call_handed_over",
    summary="Write down who took the resident over",
)
async def record_call_handed_over(alert_id: UUID, body: CallHandOver, work: WorkDep) -> EmergencyCallPublic:
    """Stands on the last call of 120."""
    return await emergency.hand_over_to(work, alert_id, body)


@router.post(
    "/{alert_id}/responders/{caregiver_id}/phone",
    operation_id="reveal_responder_phone",
    summary="A responder's number",
)
async def reveal_responder_phone(
    alert_id: UUID, caregiver_id: UUID, work: WorkDep, house: HouseDep
) -> RevealedPhone:
    """Who asked for it stands in the alert's log."""
    return await emergency.reveal_phone(work, house.vault, alert_id, caregiver_id)


@router.post("/{alert_id}/resolve", operation_id="resolve_alert", summary="Close an alert with its reason")
async def resolve_alert(alert_id: UUID, body: Resolve, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """`checklist_incomplete` names what is missing. The next press opens a new alert."""
    alert = await service.resolve(work, alert_id, body.resolution, body.checklist, body.note, if_match)
    return service.public(work, alert)


@router.post("/{alert_id}/cancel", operation_id="cancel_alert", summary="Confirm that it was taken back")
async def cancel_alert(alert_id: UUID, body: Cancel, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """Only what the resident took back on the terminal and has not pressed again since."""
    alert = await service.cancel(work, alert_id, body.confirmed, body.reason, if_match)
    return service.public(work, alert)


@router.post("/{alert_id}/review", operation_id="review_alert", summary="Look back at an alert")
async def review_alert(alert_id: UUID, body: Note, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """By somebody who leads, once it is over."""
    return service.public(work, await service.review(work, alert_id, body.note, if_match))
