"""The whole catalogue out to a spreadsheet, and changed rows back in as drafts."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.catalogue import repository
from services.catalogue.editing import keep_draft
from services.catalogue.errors import WrongMediaType
from services.catalogue.models import ItemContent, ServiceItem, ServiceItemVersion
from services.catalogue.sheet import HEADINGS, CellProblem, from_cells, to_cells
from services.catalogue.views import ImportReport, ItemDraft, RowError
from services.catalogue.vocabulary import vocabulary
from services.core.database import Work
from services.core.sheets import XLSX, SheetRow, SheetUnreadable, read_sheet, write_xlsx

MOST_ITEMS = 2_000
"""Rows of one import; a county's menu has dozens of items."""
_TITLE = "服务目录"
_TWICE = ("这个编码在表中出现了不止一次", "stands in the sheet more than once")


class _Row(NamedTuple):
    """One row that can be kept."""

    number: int
    draft: ItemDraft
    cells: Mapping[str, str]


async def export_items(work: Work) -> bytes:
    """Every item as its editors have it: the draft, or else what was published last; by code."""
    pairs = sorted(await repository.working_versions(work), key=lambda pair: pair[0].code)
    rows = [to_cells(ItemContent.model_validate(v[0].facts), v[0].is_active) for _, v in pairs if v]
    return await asyncio.to_thread(write_xlsx, _TITLE, list(HEADINGS.values()), rows)


async def import_items(
    work: Work, content: bytes, media_type: str, *, preview: bool, only_valid: bool
) -> ImportReport:
    """Make drafts of the rows that say something new. Any error keeps all rows back, unless ``only_valid``.

    Items that stand in no row stay as they are. Raises ``WrongMediaType``, ``SheetUnreadable``.
    """
    if media_type.partition(";")[0].strip().lower() != XLSX:
        raise WrongMediaType(expected=XLSX)
    # Reading takes seconds for a large sheet: beside the event loop, not in it.
    sheet = await asyncio.to_thread(read_sheet, content, list(HEADINGS.values()))
    if len(sheet) > MOST_ITEMS:
        raise SheetUnreadable(reason="too_many_rows", most=MOST_ITEMS)
    rows, errors = await asyncio.to_thread(_read, sheet)
    codes = [row.draft.code for row in rows]
    if not preview:  # what is compared must be what is written over
        await repository.lock_items(work, codes)
    stands = await _standing(work, codes)
    changed = [row for row in rows if not _says_nothing_new(row, stands.get(row.draft.code))]
    report = ImportReport(
        preview=preview,
        written=not preview and (only_valid or not errors),
        rows=len(sheet),
        created=[row.draft.code for row in changed if row.draft.code not in stands],
        changed=[row.draft.code for row in changed if row.draft.code in stands],
        unchanged=len(rows) - len(changed),
        errors=errors,
    )
    if report.written:
        await _keep(work, changed)
    return report


def _read(sheet: Sequence[SheetRow]) -> tuple[list[_Row], list[RowError]]:
    """The rows that can be kept, and what is wrong with the others."""
    words = vocabulary()
    times = Counter(row.cells[HEADINGS["code"]] for row in sheet)
    rows: list[_Row] = []
    errors: list[RowError] = []
    for row in sheet:
        draft, problems = from_cells(row.cells, words)
        code = row.cells[HEADINGS["code"]]
        if code and times[code] > 1:
            problems = [CellProblem("code", "twice", *_TWICE), *problems]
        errors += [RowError(row=row.number, column=HEADINGS[one.field], **one._asdict()) for one in problems]
        if draft is not None and not problems:
            rows.append(_Row(row.number, draft, row.cells))
    return rows, errors


async def _standing(work: Work, codes: Sequence[str]) -> dict[str, ServiceItemVersion]:
    """What an export would write of each item."""
    pairs = await repository.working_versions(work, codes=codes)
    return {item.code: versions[0] for item, versions in pairs if versions}


def _says_nothing_new(row: _Row, stands: ServiceItemVersion | None) -> bool:
    if stands is None:
        return False
    content = ItemContent.model_validate(stands.facts)
    if row.draft == ItemDraft(**content.model_dump(), is_active=stands.is_active):
        return True
    # A spreadsheet trims what it shows: a row as it was exported is no change.
    cells = zip(HEADINGS.values(), to_cells(content, stands.is_active), strict=True)
    return all(row.cells[heading] == str(cell).strip() for heading, cell in cells)


async def _keep(work: Work, rows: Sequence[_Row]) -> None:
    drafts = {row.draft.code: row.draft for row in rows}
    known = await repository.lock_items(work, sorted(drafts))
    for code in sorted(drafts):
        item: ServiceItem | None = known.get(code) or await repository.begin_item(work, code)
        if item is None:  # somebody else has just made it
            item = await repository.lock_item(work, code)
        assert item is not None  # noqa: S101  an item is never deleted
        await keep_draft(work, item, drafts[code])
