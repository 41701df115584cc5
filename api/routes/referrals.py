"""Hand-overs to an ambulance, a hospital or a clinic."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.referrals import service
from services.referrals.models import ReferralCreate, ReferralMove, ReferralPublic
from services.referrals.states import ReferralStatus

router = APIRouter(tags=["referrals"])


@router.get("/referrals", operation_id="list_referrals", summary="Hand-overs in one's reach, newest first")
async def list_referrals(
    work: WorkDep,
    page: PageDep,
    statuses: Annotated[list[ReferralStatus], Query(alias="status", max_length=4)] = [],  # noqa: B006  never changed
    resident_id: UUID | None = None,
    alert_id: UUID | None = None,
) -> Page[ReferralPublic]:
    """`status` may be given several times. Every resident shown leaves a row in the access log."""
    rows = await service.list_referrals(work, page.limit, page.cursor, statuses, resident_id, alert_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/residents/{resident_id}/referrals",
    operation_id="refer_resident",
    summary="Hand a resident over",
    status_code=status.HTTP_201_CREATED,
    response_model=ReferralPublic,
)
async def refer_resident(work: WorkDep, once: OnceDep, resident_id: UUID, said: ReferralCreate) -> Any:
    """Without an alert, as after a visit. Calling 120 itself is done by telephone, first."""
    return await once(work, lambda: service.refer(work, resident_id, said))


@router.post(
    "/alerts/{alert_id}/referral",
    operation_id="refer_from_alert",
    summary="Hand over the resident of an alert",
    status_code=status.HTTP_201_CREATED,
    response_model=ReferralPublic,
)
async def refer_from_alert(work: WorkDep, once: OnceDep, alert_id: UUID, said: ReferralCreate) -> Any:
    """Leaves a line in the alert's log; the alert itself stays open until somebody resolves it."""
    return await once(work, lambda: service.refer_from_alert(work, alert_id, said))


@router.post(
    "/referrals/{referral_id}/status", operation_id="move_referral", summary="How far a hand-over has come"
)
async def move_referral(work: WorkDep, if_match: IfMatch, referral_id: UUID, said: ReferralMove) -> ReferralPublic:
    """`received`, `returned` or `closed`, with what the institution said."""
    return await service.move_referral(work, referral_id, said, if_match)
