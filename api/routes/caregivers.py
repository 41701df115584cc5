"""Caregivers' files and credentials."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import HouseDep, IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.caregivers import service
from services.caregivers.credentials import service as credentials
from services.caregivers.credentials.models import (
    CheckNote,
    CredentialFields,
    CredentialPublic,
    NewCredential,
    RefusalNote,
)
from services.caregivers.file_models import (
    CaregiverFields,
    CaregiverPublic,
    CaregiverSummary,
    Departure,
    LimitFields,
    LogLine,
    NewCaregiver,
    NumberRequest,
    NumberRevealed,
    Numbers,
    Travel,
)

router = APIRouter(tags=["caregivers"])


@router.get("/caregivers", operation_id="list_caregivers", summary="List or find caregivers in one's area")
async def list_caregivers(
    work: WorkDep,
    page: PageDep,
    centre_id: UUID | None = None,
    name: Annotated[str | None, Query(min_length=1, max_length=40, description="A part of the name.")] = None,
    with_left: bool = False,
) -> Page[CaregiverSummary]:
    """Newest first; who has left only when asked for."""
    rows = await service.list_caregivers(work, page.limit, page.cursor, centre_id, name, with_left=with_left)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/caregivers",
    operation_id="take_on_caregiver",
    summary="Open a caregiver's file",
    status_code=status.HTTP_201_CREATED,
    response_model=CaregiverPublic,
)
async def take_on(work: WorkDep, house: HouseDep, once: OnceDep, body: NewCaregiver) -> Any:
    """At a centre in reach. Refusals: `caregiver_on_file`, `invalid_input`."""
    return await once(work, lambda: service.take_on(work, house.vault, body))


@router.get("/caregivers/{caregiver_id}", operation_id="get_caregiver", summary="Read a caregiver's file")
async def get_caregiver(work: WorkDep, house: HouseDep, caregiver_id: UUID) -> CaregiverPublic:
    """With credentials and working-time limits; numbers are masked."""
    return await service.read_caregiver(work, house.vault, caregiver_id)


@router.put("/caregivers/{caregiver_id}", operation_id="change_caregiver", summary="Change a caregiver's file")
async def change_caregiver(
    work: WorkDep, house: HouseDep, if_match: IfMatch, caregiver_id: UUID, body: CaregiverFields
) -> CaregiverPublic:
    """The whole file but for the numbers. A skill that is taken away counts no more from this minute."""
    return await service.change(work, house.vault, caregiver_id, body, if_match)


@router.put(
    "/caregivers/{caregiver_id}/travel",
    operation_id="change_caregiver_travel",
    summary="Change how a caregiver gets about",
)
async def change_travel(
    work: WorkDep, house: HouseDep, if_match: IfMatch, caregiver_id: UUID, body: Travel
) -> CaregiverPublic:
    """Travel mode, and the place from which the day's first way begins."""
    return await service.change_travel(work, house.vault, caregiver_id, body, if_match)


@router.put(
    "/caregivers/{caregiver_id}/numbers",
    operation_id="keep_caregiver_numbers",
    summary="Keep phone and identity number",
)
async def keep_numbers(
    work: WorkDep, house: HouseDep, if_match: IfMatch, caregiver_id: UUID, body: Numbers
) -> CaregiverPublic:
    """Kept sealed and shown masked; null leaves a number as it is, an empty text takes it off the file."""
    return await service.keep_numbers(work, house.vault, caregiver_id, body, if_match)


@router.post(
    "/caregivers/{caregiver_id}/reveal",
    operation_id="reveal_caregiver_number",
    summary="Reveal a phone or identity number, with a purpose",
)
async def reveal(work: WorkDep, house: HouseDep, caregiver_id: UUID, body: NumberRequest) -> NumberRevealed:
    """Who opened it and what for stands in the file's log."""
    return await service.reveal(work, house.vault, caregiver_id, body)


@router.post(
    "/caregivers/{caregiver_id}/departure",
    operation_id="record_departure",
    summary="Record from when a caregiver no longer works here",
)
async def record_departure(
    work: WorkDep, house: HouseDep, if_match: IfMatch, caregiver_id: UUID, body: Departure
) -> CaregiverPublic:
    """Visits booked beyond it are work to be moved. Repeating it gives the same answer."""
    return await service.record_departure(work, house.vault, caregiver_id, body, if_match)


@router.put(
    "/caregivers/{caregiver_id}/limits",
    operation_id="set_work_limits",
    summary="Give a caregiver working-time limits of her own",
)
async def set_limits(
    work: WorkDep, house: HouseDep, if_match: IfMatch, caregiver_id: UUID, body: LimitFields
) -> CaregiverPublic:
    """With the reason. What is null is the general limit."""
    return await service.set_limits(work, house.vault, caregiver_id, body, if_match)


@router.get("/caregivers/{caregiver_id}/log", operation_id="list_caregiver_log", summary="A file's log")
async def list_log(work: WorkDep, page: PageDep, caregiver_id: UUID) -> Page[LogLine]:
    """Newest first: who changed what, and who opened a number. Names of fields, never values."""
    rows = await service.list_log(work, caregiver_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/caregivers/{caregiver_id}/credentials",
    operation_id="record_caregiver_credential",
    summary="Record a credential",
    status_code=status.HTTP_201_CREATED,
    response_model=CredentialPublic,
)
async def record(work: WorkDep, house: HouseDep, once: OnceDep, caregiver_id: UUID, body: NewCredential) -> Any:
    """It counts for nothing until it is verified. Refusal: `credential_on_file`."""
    return await once(work, lambda: credentials.record(work, house.vault, caregiver_id, body))


@router.put(
    "/credentials/{credential_id}",
    operation_id="change_caregiver_credential",
    summary="Correct what stands on a credential",
)
async def change_credential(
    work: WorkDep, house: HouseDep, if_match: IfMatch, credential_id: UUID, body: CredentialFields
) -> CredentialPublic:
    """A verified one must be verified again. For a renewal record a new one: the old one counts to its end."""
    return await credentials.change(work, house.vault, credential_id, body, if_match)


@router.post(
    "/credentials/{credential_id}/verify",
    operation_id="verify_caregiver_credential",
    summary="Verify a credential",
)
async def verify(
    work: WorkDep, house: HouseDep, if_match: IfMatch, credential_id: UUID, body: CheckNote
) -> CredentialPublic:
    """The original or the register was looked at: it counts from now on."""
    return await credentials.verify(work, house.vault, credential_id, body.note, if_match)


@router.post(
    "/credentials/{credential_id}/reject",
    operation_id="reject_caregiver_credential",
    summary="Reject a credential",
)
async def reject(
    work: WorkDep, house: HouseDep, if_match: IfMatch, credential_id: UUID, body: RefusalNote
) -> CredentialPublic:
    """It does not stand up to a look."""
    return await credentials.reject(work, house.vault, credential_id, body.reason, if_match)


@router.post(
    "/credentials/{credential_id}/revoke",
    operation_id="revoke_caregiver_credential",
    summary="Revoke a credential",
)
async def revoke(
    work: WorkDep, house: HouseDep, if_match: IfMatch, credential_id: UUID, body: RefusalNote
) -> CredentialPublic:
    """It counts no more from this minute; visits that need it are work to be moved."""
    return await credentials.revoke(work, house.vault, credential_id, body.reason, if_match)
