"""The alert desk."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.deps import IfMatch, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.alerts import service
from services.alerts.models import AlertDetail, AlertPublic
from services.alerts.resolutions import Resolution
from services.alerts.states import AlertStatus

router = APIRouter(prefix="/alerts", tags=["alerts"])


class Note(BaseModel):
    """Free words for the alert's log."""

    note: str = Field("", max_length=500, examples=["村医已出发，约 8 分钟到达"])


class Resolve(Note):
    """How an alert ended."""

    resolution: Resolution


@router.get("", operation_id="list_alerts", summary="Alerts in one's reach, newest first")
async def list_alerts(
    work: WorkDep,
    page: PageDep,
    status: Annotated[list[AlertStatus] | None, Query(description="Only these statuses.")] = None,
    centre_id: UUID | None = None,
) -> Page[AlertPublic]:
    """Live ones are `open`, `acknowledged`, `responding` and `on_scene`."""
    alerts = await service.list_alerts(work, status or [], centre_id, page.limit, page.cursor)
    items = [AlertPublic.model_validate(alert) for alert in alerts]
    return Page(items=items, next_cursor=next_cursor([alert.id for alert in alerts], page))


@router.get("/{alert_id}", operation_id="get_alert", summary="One alert with all that happened to it")
async def get_alert(alert_id: UUID, work: WorkDep) -> AlertDetail:
    """The resident's emergency card is a read of its own: `GET /residents/{id}/emergency-card`."""
    return await service.alert_detail(work, alert_id)


@router.post("/{alert_id}/acknowledge", operation_id="acknowledge_alert", summary="Take an alert")
async def acknowledge_alert(alert_id: UUID, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """The taker holds it for the lease; with no response by then it is open again and escalates."""
    return AlertPublic.model_validate(await service.acknowledge(work, alert_id, if_match))


@router.post("/{alert_id}/respond", operation_id="respond_to_alert", summary="Somebody is on the way")
async def respond_to_alert(alert_id: UUID, body: Note, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """The terminal is told so, and can say it aloud."""
    return AlertPublic.model_validate(await service.respond(work, alert_id, body.note, if_match))


@router.post("/{alert_id}/arrive", operation_id="arrive_at_alert", summary="Somebody is with the resident")
async def arrive_at_alert(alert_id: UUID, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """Ends the lease."""
    return AlertPublic.model_validate(await service.arrive(work, alert_id, if_match))


@router.post("/{alert_id}/resolve", operation_id="resolve_alert", summary="Close an alert with its reason")
async def resolve_alert(alert_id: UUID, body: Resolve, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """The next press opens a new alert."""
    alert = await service.resolve(work, alert_id, body.resolution.value, body.note, if_match)
    return AlertPublic.model_validate(alert)


@router.post("/{alert_id}/review", operation_id="review_alert", summary="Look back at an alert")
async def review_alert(alert_id: UUID, body: Note, work: WorkDep, if_match: IfMatch) -> AlertPublic:
    """By somebody who leads, once it is resolved."""
    return AlertPublic.model_validate(await service.review(work, alert_id, body.note, if_match))
