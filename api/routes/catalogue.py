"""What can be ordered; writing it, publishing it, and taking it in and out as a spreadsheet."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.assessments.menu import menu
from services.catalogue import editing, exchange, offering
from services.catalogue.models import CataloguePublic
from services.catalogue.views import (
    CentreItemPublic,
    CentreItemSwitch,
    ImportReport,
    ItemDetail,
    ItemDraft,
    ItemVersionPublic,
    Publish,
)
from services.core.sheets import XLSX

router = APIRouter(tags=["catalogue"])

_WORKBOOK: dict[str, Any] = {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/catalogue", operation_id="get_catalogue", summary="The menu, by category")
async def get_catalogue(
    work: WorkDep,
    resident_id: Annotated[
        UUID | None, Query(description="For whom; what stands in her way is then told for each item.")
    ] = None,
) -> CataloguePublic:
    """Items with `orderable`, `refusals` and `warnings`. A rule with `verified: false` holds a placeholder price.

    With `resident_id`: for the centre of her area and her record; the read is audited.
    """
    return await menu(work, resident_id)


@router.get("/catalogue/items", operation_id="list_items", summary="Every item, on the menu or not")
async def list_items(work: WorkDep, page: PageDep) -> Page[ItemDetail]:
    """Newest entry first: what counts today, what will, the draft."""
    items = await editing.list_items(work, page.limit, page.cursor)
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.post(
    "/catalogue/items",
    operation_id="create_item",
    summary="Add an item",
    status_code=status.HTTP_201_CREATED,
    response_model=ItemDetail,
)
async def create_item(work: WorkDep, once: OnceDep, body: ItemDraft) -> Any:
    """As a draft: nobody can order it before it is published. `item_invalid` lists every problem."""
    return await once(work, lambda: editing.create_item(work, body))


@router.get("/catalogue/items/{item_code}", operation_id="get_item", summary="One item with its draft")
async def get_item(work: WorkDep, item_code: str) -> ItemDetail:
    """`version` is what a change names in `If-Match`."""
    return await editing.read_item(work, item_code)


@router.get(
    "/catalogue/items/{item_code}/versions", operation_id="list_item_versions", summary="Every version of an item"
)
async def list_item_versions(work: WorkDep, page: PageDep, item_code: str) -> Page[ItemVersionPublic]:
    """Newest first: whose work, when published, from which day in force, why."""
    rows = await editing.item_history(work, item_code, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.put("/catalogue/items/{item_code}/draft", operation_id="save_item_draft", summary="Save an item's draft")
async def save_item_draft(work: WorkDep, if_match: IfMatch, item_code: str, body: ItemDraft) -> ItemDetail:
    """The whole item. What is published stays as it is. `item_invalid` lists every problem."""
    return await editing.save_draft(work, item_code, body, if_match)


@router.post(
    "/catalogue/items/{item_code}/publish", operation_id="publish_item", summary="Publish an item's draft"
)
async def publish_item(work: WorkDep, if_match: IfMatch, item_code: str, body: Publish) -> ItemDetail:
    """In force from `effective_from`; orders placed before keep what they have. `no_draft`: there is none."""
    return await editing.publish(work, item_code, body, if_match)


@router.post(
    "/catalogue/items/{item_code}/draft/discard", operation_id="discard_item_draft", summary="Put a draft away"
)
async def discard_item_draft(work: WorkDep, if_match: IfMatch, item_code: str) -> ItemDetail:
    """It stays in the history. `no_draft` when there is none."""
    return await editing.discard_draft(work, item_code, if_match)


@router.post(
    "/catalogue/items/{item_code}/recall", operation_id="recall_item", summary="Take back what is not in force yet"
)
async def recall_item(work: WorkDep, if_match: IfMatch, item_code: str) -> ItemDetail:
    """The version published last, before its first day. `nothing_upcoming` when there is none."""
    return await editing.recall(work, item_code, if_match)


@router.get(
    "/catalogue/export",
    operation_id="export_catalogue",
    summary="All items as a spreadsheet",
    response_class=Response,
    responses={200: _WORKBOOK},
)
async def export_catalogue(work: WorkDep) -> Response:
    """One row an item: its draft, or else what was published last. Imported unchanged it changes nothing."""
    content = await exchange.export_items(work)
    headers = {"content-disposition": 'attachment; filename="catalogue.xlsx"'}
    return Response(content, media_type=XLSX, headers=headers)


@router.post(
    "/catalogue/import",
    operation_id="import_catalogue",
    summary="Make drafts from a spreadsheet",
    openapi_extra={"requestBody": {"required": True, **_WORKBOOK}},
)
async def import_catalogue(
    work: WorkDep,
    request: Request,
    content_type: Annotated[str, Header()] = "",
    preview: Annotated[bool, Query(description="Tell what would happen; write nothing.")] = False,
    only_valid: Annotated[bool, Query(description="Keep the good rows although others have errors.")] = False,
) -> ImportReport:
    """The workbook itself is the body, up to 1 MiB. Drafts only: nothing is published, nothing removed.

    Without `only_valid` one error keeps everything back; `errors` names row, column and reason of each.
    """
    content = await request.body()
    return await exchange.import_items(work, content, content_type, preview=preview, only_valid=only_valid)


@router.get("/centres/{centre_id}/catalogue", operation_id="list_centre_items", summary="What a centre offers")
async def list_centre_items(work: WorkDep, centre_id: UUID) -> Page[CentreItemPublic]:
    """Every item on the menu, by code: whether the county lists it here and the centre offers it; one page."""
    return Page(items=await offering.centre_offer(work, centre_id))


@router.put(
    "/centres/{centre_id}/catalogue/{item_code}",
    operation_id="switch_centre_item",
    summary="Switch an item on or off for a centre",
)
async def switch_centre_item(
    work: WorkDep, if_match: IfMatch, centre_id: UUID, item_code: str, body: CentreItemSwitch
) -> CentreItemPublic:
    """New orders only; what has been ordered stays. An item that the county does not list here stays unlisted."""
    return await offering.switch_item(work, centre_id, item_code, body, if_match)
