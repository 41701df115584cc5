"""Every override of a month: who passed which rule for whom, and why."""

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from pydantic import Field as Described

from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.dispatch import repository

DAYS: Final = 31


class OverriddenPublic(BaseModel):
    """A booking that was made although something spoke against it."""

    booking_id: UUID
    order_id: UUID
    centre_id: UUID
    caregiver_id: UUID
    caregiver_name: str
    starts_at: datetime
    assigned_by: UUID | None
    assigned_at: datetime
    reason: str
    issues: list[str] = Described(description="Codes of what was passed.")
    is_active: bool


async def list_overridden(
    work: Work, since: date | None, until: date | None, limit: int, cursor: UUID | None
) -> list[OverriddenPublic]:
    """Those of some days of the business calendar (both inclusive; else the last 31), newest first."""
    last = until or work.now.astimezone(BUSINESS_ZONE).date()
    begin = datetime.combine(since or last - timedelta(days=DAYS - 1), time(), BUSINESS_ZONE)
    end = datetime.combine(last, time(), BUSINESS_ZONE) + timedelta(days=1)
    return [
        OverriddenPublic(
            booking_id=booking.id,
            **booking.model_dump(
                include={
                    "order_id",
                    "centre_id",
                    "caregiver_id",
                    "starts_at",
                    "assigned_by",
                    "assigned_at",
                    "is_active",
                }
            ),
            caregiver_name=name,
            reason=(booking.override or {}).get("reason", ""),
            issues=(booking.override or {}).get("issues", []),
        )
        for booking, name in await repository.overridden_page(work, begin, end, limit, cursor)
    ]
