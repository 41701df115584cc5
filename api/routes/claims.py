"""Settlement batches by payer and month."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.claims import reading, service
from services.claims.models import ClaimAnswer, ClaimCreate, ClaimLinePublic, ClaimPaid, ClaimPublic, LineDecision
from services.core.sheets import XLSX

router = APIRouter(tags=["claims"])


@router.post(
    "/claims",
    operation_id="make_claim",
    summary="Put together what a payer is asked for",
    status_code=status.HTTP_201_CREATED,
    response_model=ClaimPublic,
)
async def make_claim(work: WorkDep, once: OnceDep, said: ClaimCreate) -> Any:
    """Every bill of the month and every correction since earlier claims; suspicious ones are held back."""
    return await once(work, lambda: service.make_claim(work, said))


@router.get("/claims", operation_id="list_claims", summary="Settlement batches in reach")
async def list_claims(
    work: WorkDep,
    page: PageDep,
    payer: Annotated[str | None, Query(max_length=60)] = None,
    month: Annotated[str | None, Query(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$")] = None,
) -> Page[ClaimPublic]:
    """Newest first."""
    rows = await reading.list_claims(work, page.limit, page.cursor, payer, month)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/claims/{claim_id}", operation_id="get_claim", summary="Read one batch")
async def get_claim(work: WorkDep, claim_id: UUID) -> ClaimPublic:
    """Its lines are a list of their own."""
    return await reading.get_claim(work, claim_id)


@router.get("/claims/{claim_id}/lines", operation_id="list_claim_lines", summary="The lines of a batch")
async def list_claim_lines(work: WorkDep, page: PageDep, claim_id: UUID) -> Page[ClaimLinePublic]:
    """With what speaks against a line, and what the payer said. Leaves rows in the access log."""
    rows = await reading.list_lines(work, claim_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/claims/{claim_id}/lines/{claim_line_id}",
    operation_id="decide_claim_line",
    summary="Hold a line back or let it in",
)
async def decide_claim_line(
    work: WorkDep, if_match: IfMatch, claim_id: UUID, claim_line_id: UUID, said: LineDecision
) -> ClaimPublic:
    """A person has looked; the reason stays with the line."""
    return await service.decide_line(work, claim_id, claim_line_id, said, if_match)


@router.post("/claims/{claim_id}/submit", operation_id="submit_claim", summary="To the payer")
async def submit_claim(work: WorkDep, if_match: IfMatch, claim_id: UUID) -> ClaimPublic:
    """The lines stand from now on. `claim_changed` where bills have changed since the draft was made."""
    return await service.submit(work, claim_id, if_match)


@router.post("/claims/{claim_id}/drop", operation_id="drop_claim", summary="A draft that is not wanted")
async def drop_claim(work: WorkDep, if_match: IfMatch, claim_id: UUID) -> ClaimPublic:
    """Nothing is asked by it."""
    return await service.drop(work, claim_id, if_match)


@router.post("/claims/{claim_id}/answer", operation_id="answer_claim", summary="What the payer says")
async def answer_claim(work: WorkDep, if_match: IfMatch, claim_id: UUID, said: ClaimAnswer) -> ClaimPublic:
    """Lines that it cuts, each with a reason and whether it is asked for again or written off."""
    return await service.take_answer(work, claim_id, said, if_match)


@router.post("/claims/{claim_id}/paid", operation_id="pay_claim", summary="The payer's money is there")
async def pay_claim(work: WorkDep, if_match: IfMatch, claim_id: UUID, said: ClaimPaid) -> ClaimPublic:
    """Exactly what was approved; booked once."""
    return await service.take_money(work, claim_id, said, if_match)


@router.get(
    "/claims/{claim_id}/statement.xlsx",
    operation_id="get_claim_statement_xlsx",
    summary="The statement as a workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "One row a line."}},
)
async def get_claim_statement_xlsx(work: WorkDep, claim_id: UUID) -> Response:
    """Residents by masked name and bill number only."""
    headers = {"content-disposition": f'attachment; filename="claim-{claim_id}.xlsx"'}
    return Response(await reading.statement_xlsx(work, claim_id), media_type=XLSX, headers=headers)


@router.get(
    "/claims/{claim_id}/statement.csv",
    operation_id="get_claim_statement_csv",
    summary="The same as CSV",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "One row a line."}},
)
async def get_claim_statement_csv(work: WorkDep, claim_id: UUID) -> Response:
    """UTF-8 with its mark."""
    headers = {"content-disposition": f'attachment; filename="claim-{claim_id}.csv"'}
    content = await reading.statement_csv(work, claim_id)
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
