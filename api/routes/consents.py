"""What residents have agreed to."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.consents import service
from services.consents.models import ConsentGive, ConsentPublic, ConsentRevoke, ConsentText
from services.consents.texts import all_texts

router = APIRouter(tags=["consents"])


@router.get("/consent-texts", operation_id="list_consent_texts", summary="What is shown before a consent")
async def list_consent_texts() -> list[ConsentText]:
    """Every version of every text; the newest one in force of a purpose is the one to show."""
    return list(all_texts())


@router.get(
    "/residents/{resident_id}/consents", operation_id="list_consents", summary="What a resident has agreed to"
)
async def list_consents(work: WorkDep, page: PageDep, resident_id: UUID) -> Page[ConsentPublic]:
    """Newest first, ended ones too. The read is audited."""
    rows = await service.list_consents(work, resident_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/residents/{resident_id}/consents",
    operation_id="give_consent",
    summary="Give or record a consent",
    status_code=status.HTTP_201_CREATED,
    response_model=ConsentPublic,
)
async def give_consent(work: WorkDep, once: OnceDep, resident_id: UUID, body: ConsentGive) -> Any:
    """In the app by herself or her guardian; staff record what was signed or said. The same twice is one."""
    return await once(work, lambda: service.give_consent(work, resident_id, body))


@router.post("/consents/{consent_id}/revoke", operation_id="revoke_consent", summary="Revoke a consent at once")
async def revoke_consent(work: WorkDep, consent_id: UUID, body: ConsentRevoke) -> ConsentPublic:
    """From this moment on. It stays in the history; a second time changes nothing."""
    return await service.revoke_consent(work, consent_id, body)
