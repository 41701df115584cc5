"""Residents, their emergency card, and who read their data."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import HouseDep, IfMatch, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.audit import service as audit
from services.audit.models import AccessLogPublic
from services.residents import service
from services.residents.models import (
    EmergencyCard,
    KeyBox,
    KeyBoxKept,
    ResidentPublic,
    ResidentSummary,
    Revealed,
    RevealRequest,
)

router = APIRouter(tags=["residents"])


@router.get("/residents", operation_id="list_residents", summary="List or find residents in one's area")
async def list_residents(
    work: WorkDep,
    house: HouseDep,
    page: PageDep,
    name: Annotated[
        str | None, Query(min_length=1, max_length=40, description="A part of the name.", examples=["李"])
    ] = None,
    phone: Annotated[
        str | None, Query(min_length=5, max_length=20, description="The whole mobile number.")
    ] = None,
) -> Page[ResidentSummary]:
    """Newest entry first; neither health data nor numbers."""
    rows = await service.list_residents(work, house.vault, page.limit, page.cursor, name, phone)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/residents/{resident_id}", operation_id="get_resident", summary="Read one resident")
async def get_resident(work: WorkDep, house: HouseDep, resident_id: UUID) -> ResidentPublic:
    """What the reader's role and relationship do not reach is `null`. Leaves a row in the access log."""
    return await service.read_resident(work, house.vault, resident_id)


@router.post(
    "/residents/{resident_id}/reveal",
    operation_id="reveal_resident_number",
    summary="Reveal a phone or identity number, with a purpose",
)
async def reveal(work: WorkDep, house: HouseDep, resident_id: UUID, body: RevealRequest) -> Revealed:
    """The purpose stands in the access log, which the resident can read. Not found when never recorded."""
    return await service.reveal(work, house.vault, resident_id, body)


@router.get(
    "/residents/{resident_id}/emergency-card",
    operation_id="get_emergency_card",
    summary="What a responder needs at once",
)
async def get_emergency_card(work: WorkDep, house: HouseDep, resident_id: UUID) -> EmergencyCard:
    """Conditions, allergies, medicines, contacts in order with numbers, way in. Leaves a row in the log."""
    return await service.read_emergency_card(work, house.vault, resident_id)


@router.put(
    "/residents/{resident_id}/key-box",
    operation_id="keep_key_box",
    summary="Put on record where the key is",
)
async def keep_key_box(
    work: WorkDep, house: HouseDep, resident_id: UUID, body: KeyBox, if_match: IfMatch
) -> KeyBoxKept:
    """Kept sealed; read on the emergency card only, which is audited."""
    return await service.keep_key_box(work, house.vault, resident_id, body.key_box, if_match)


@router.get(
    "/residents/{resident_id}/access-log",
    operation_id="list_resident_access_log",
    summary="Who read this resident's data",
)
async def list_access_log(work: WorkDep, page: PageDep, resident_id: UUID) -> Page[AccessLogPublic]:
    """Newest first."""
    await service.require_resident(work, resident_id)
    rows = await audit.list_reads_of_residents(work, page.limit, page.cursor, resident_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))
