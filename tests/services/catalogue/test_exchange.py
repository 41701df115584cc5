"""The catalogue out to a spreadsheet and back in."""

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from services.catalogue.editing import create_item, publish, read_item, save_draft
from services.catalogue.errors import NoSuchItem, WrongMediaType
from services.catalogue.exchange import MOST_ITEMS, export_items, import_items
from services.catalogue.models import ItemContent
from services.catalogue.sheet import HEADINGS, to_cells
from services.catalogue.views import ImportReport, Publish
from services.core.actor import Actor, Role
from services.core.database import Database
from services.core.sheets import XLSX, SheetUnreadable, read_sheet, write_xlsx
from tests.drafts import draft, new_code, published
from tests.world import World

HEADS = list(HEADINGS.values())


@pytest.fixture
async def officer(world: World) -> Actor:
    return await world.actor(Role.COUNTY_OFFICER)


def sheet(*rows: tuple[ItemContent, dict[str, Any]]) -> bytes:
    """Rows of items, with some cells by field written over."""
    lines = []
    for item, said in rows:
        cells: dict[str, Any] = dict(zip(HEADINGS, to_cells(item, True), strict=True)) | said
        lines.append([cells[name] for name in HEADINGS])
    return write_xlsx("x", HEADS, lines)


async def take(database: Database, officer: Actor, content: bytes, **how: bool) -> ImportReport:
    given = {"preview": False, "only_valid": False} | how
    async with database.unit_of_work(officer) as work:
        return await import_items(work, content, XLSX, **given)


async def test_what_was_exported_is_imported_without_a_change(database: Database, officer: Actor) -> None:
    code = new_code()
    await published(database, officer, code, description_zh="一行\n又一行 | 竖线 \\ 斜线", checklist=[])
    async with database.unit_of_work(officer) as work:
        await save_draft(work, code, draft(code, duration_minutes=75), None)
        before = await read_item(work, code)
        content = await export_items(work)
    report = await take(database, officer, content)
    assert report.errors == []
    assert (report.created, report.changed, report.written) == ([], [], True)
    assert report.rows == report.unchanged >= 28
    async with database.unit_of_work(officer) as work:
        assert await read_item(work, code) == before
        assert await export_items(work) is not None


async def test_a_workbook_that_people_have_edited_is_understood(database: Database, officer: Actor) -> None:
    """Numbers and days become real ones when somebody types in a cell; columns may be moved."""
    code = new_code()
    await published(database, officer, code)
    async with database.unit_of_work(officer) as work:
        book = load_workbook(io.BytesIO(await export_items(work)))
    page = book.active
    assert page is not None
    row = next(n for n in range(2, page.max_row + 1) if page.cell(n, 1).value == code)
    page.cell(row, HEADS.index("时长（分钟）") + 1).value = 80
    page.cell(row, HEADS.index("收入类别") + 1).value = "eldercare"
    page.move_range(f"A1:A{page.max_row}", cols=len(HEADS) + 2)
    out = io.BytesIO()
    book.save(out)
    report = await take(database, officer, out.getvalue())
    assert (report.errors, report.changed) == ([], [code])
    async with database.unit_of_work(officer) as work:
        detail = await read_item(work, code)
    assert detail.draft is not None
    assert detail.in_force is not None
    assert (detail.draft.facts.duration_minutes, detail.in_force.facts.duration_minutes) == (80, 60)


async def test_a_preview_tells_and_writes_nothing(database: Database, officer: Actor) -> None:
    new, known = new_code(), new_code()
    await published(database, officer, known)
    content = sheet((draft(new), {}), (draft(known), {"name_zh": "大扫除"}))
    report = await take(database, officer, content, preview=True)
    assert (report.written, report.created, report.changed, report.errors) == (False, [new], [known], [])
    async with database.unit_of_work(officer) as work:
        assert (await read_item(work, known)).draft is None
        with pytest.raises(NoSuchItem):
            await read_item(work, new)
    assert (await take(database, officer, content)).written
    async with database.unit_of_work(officer) as work:
        made = await read_item(work, new)
        assert made.draft is not None
        assert (made.in_force, made.draft.state, made.draft.saved_by) == (None, "draft", officer.account_id)
        assert (await publish(work, new, Publish(reason="导入"), None)).in_force is not None


async def test_one_error_keeps_everything_back_unless_told_otherwise(database: Database, officer: Actor) -> None:
    good, bad, twice = new_code(), new_code(), new_code()
    content = sheet(
        (draft(good), {}),
        (draft(bad), {"required_skill": "飞行", "duration_minutes": "一小时"}),
        (draft(bad + "x"), {"required_skill": "飞行"}),
        (draft(twice), {}),
        (draft(twice), {}),
    )
    report = await take(database, officer, content)
    assert (report.written, report.rows, report.created) == (False, 5, [good])
    found = [(one.row, one.column, one.field, one.code) for one in report.errors]
    assert found == [
        (3, "时长（分钟）", "duration_minutes", "not_a_number"),
        (4, "技能", "required_skill", "unknown_skill"),
        (5, "编码", "code", "twice"),
        (6, "编码", "code", "twice"),
    ]
    assert all(one.zh and one.en for one in report.errors)
    async with database.unit_of_work(officer) as work:
        with pytest.raises(NoSuchItem):
            await read_item(work, good)
    again = await take(database, officer, content, only_valid=True)
    assert (again.written, again.created, len(again.errors)) == (True, [good], 4)
    async with database.unit_of_work(officer) as work:
        assert (await read_item(work, good)).draft is not None
        for code in (bad, twice):
            with pytest.raises(NoSuchItem):
                await read_item(work, code)


async def test_importing_twice_makes_one_draft(database: Database, officer: Actor) -> None:
    code = new_code()
    content = sheet((draft(code), {}))
    assert (await take(database, officer, content)).created == [code]
    second = await take(database, officer, content)
    assert (second.created, second.changed, second.unchanged) == ([], [], 1)
    async with database.unit_of_work(officer) as work:
        detail = await read_item(work, code)
    assert detail.draft is not None
    assert detail.draft.number == 1


async def test_a_file_of_another_kind_is_refused(database: Database, officer: Actor) -> None:
    async with database.unit_of_work(officer) as work:
        with pytest.raises(WrongMediaType):
            await import_items(work, b"a,b", "text/csv", preview=True, only_valid=False)
        with pytest.raises(SheetUnreadable) as refused:
            await import_items(work, write_xlsx("x", HEADS[1:], []), XLSX, preview=True, only_valid=False)
    assert refused.value.extra == {"reason": "missing_columns", "columns": ["编码"]}


async def test_a_sheet_of_thousands_of_items_is_refused(database: Database, officer: Actor) -> None:
    rows = [["x", *[""] * (len(HEADS) - 1)]] * (MOST_ITEMS + 1)
    with pytest.raises(SheetUnreadable) as refused:
        await take(database, officer, write_xlsx("x", HEADS, rows))
    assert refused.value.extra == {"reason": "too_many_rows", "most": MOST_ITEMS}


async def test_text_that_looks_like_a_formula_stays_text(database: Database, officer: Actor) -> None:
    code = new_code()
    async with database.unit_of_work(officer) as work:
        await create_item(work, draft(code, name_zh="=1+1"))
        rows = read_sheet(await export_items(work), HEADS)
    assert next(row for row in rows if row.cells["编码"] == code).cells["名称"] == "=1+1"
