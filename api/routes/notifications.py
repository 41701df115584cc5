"""Notifications: one's own inbox, who has been reached, and what gateways report."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request

from api.deps import HouseDep, IfMatch, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.actor import SYSTEM
from services.notifications import reading
from services.notifications.models import (
    Channel,
    DeliveryReport,
    InboxItem,
    NotificationPublic,
    ReportTaken,
    StaffPhoneChange,
    StaffPhonePublic,
)
from services.notifications.progress import report
from services.notifications.reports import check_signature

router = APIRouter(tags=["notifications"])


@router.get("/me/notifications", operation_id="list_my_notifications", summary="My inbox, newest first")
async def list_my_notifications(work: WorkDep, page: PageDep) -> Page[InboxItem]:
    """What is fetched here counts as delivered by the app channel."""
    items = await reading.read_inbox(work, page.limit, page.cursor)
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.get("/me/staff-phone", operation_id="get_my_staff_phone", summary="Where am I paged")
async def get_my_staff_phone(work: WorkDep, house: HouseDep) -> StaffPhonePublic:
    """Masked; `null` when there is none, and pages then go by the app only."""
    return await reading.read_own_phone(work, house.vault)


@router.put("/me/staff-phone", operation_id="set_my_staff_phone", summary="Say where I am paged")
async def set_my_staff_phone(
    body: StaffPhoneChange, work: WorkDep, house: HouseDep, if_match: IfMatch
) -> StaffPhonePublic:
    """A mobile number for text messages and calls; nobody signs in with it."""
    return await reading.set_own_phone(work, house.vault, body.phone, if_match)


@router.get("/notifications", operation_id="list_notifications", summary="Who has been told, and through what")
async def list_notifications(
    work: WorkDep, page: PageDep, alert_id: UUID | None = None
) -> Page[NotificationPublic]:
    """Newest first, with every channel that was tried; of one alert where it is named."""
    items = await reading.list_notifications(work, alert_id, page.limit, page.cursor)
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.post("/notifications/{notification_id}/read", operation_id="read_notification", summary="I have read this")
async def read_notification(notification_id: UUID, work: WorkDep) -> InboxItem:
    """By its recipient; again changes nothing."""
    return await reading.mark_read(work, notification_id)


@router.post(
    "/notifications/reports/{channel}",
    operation_id="report_delivery",
    summary="A gateway reports what became of a message",
)
async def report_delivery(
    channel: Channel,
    body: DeliveryReport,
    request: Request,
    house: HouseDep,
    timestamp: Annotated[str, Header(alias="X-Guoyuan-Timestamp", description="Seconds since 1970.")] = "",
    signature: Annotated[
        str, Header(alias="X-Guoyuan-Signature", description="`sha256=` and the HMAC of `<seconds>.<body>`.")
    ] = "",
) -> ReportTaken:
    """Signed with the secret of the channel's gateway. The same report again changes nothing."""
    raw = await request.body()
    check_signature(house.settings, channel, timestamp, signature, raw, house.clock.now())
    async with house.database.unit_of_work(SYSTEM) as work:
        return ReportTaken(status=(await report(work, channel, body)).status)
