"""Tables for people's spreadsheet programs: .xlsx in and out, CSV out. Nothing in a cell is ever a formula."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from services.core.errors import InvalidInput

Cell = str | int | float | datetime | None

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_BYTES: Final = 5_000_000
MAX_UNPACKED: Final = 50_000_000
MAX_ROWS: Final = 10_000
MAX_COLUMNS: Final = 200
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class SheetUnreadable(InvalidInput):
    """``reason`` in ``extra``: not_xlsx, too_large, too_many_rows, missing_columns (with ``columns``)."""

    code = "sheet_unreadable"
    title_zh = "表格无法读取"
    title_en = "The sheet cannot be read"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row by column name; ``number`` as the spreadsheet program shows it. Empty cells are ``""``."""

    number: int
    cells: dict[str, str]


def read_sheet(content: bytes, columns: Sequence[str]) -> list[SheetRow]:
    """The rows below the header of the first sheet; rows without any content are left out.

    Columns may stand in any order; unknown ones are ignored. Raises ``SheetUnreadable``.
    """
    if len(content) > MAX_BYTES or _unpacked(content) > MAX_UNPACKED:
        raise SheetUnreadable(reason="too_large")
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            found = book.worksheets[0].iter_rows(values_only=True, max_col=MAX_COLUMNS)
            rows = list(_rows(found, columns))
        finally:
            book.close()
    except SheetUnreadable:
        raise
    except Exception as error:  # a parser of other people's files: whatever it trips over, the file is to blame
        raise SheetUnreadable(reason="not_xlsx") from error
    return rows


def write_xlsx(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet with a bold header that stays in sight."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    bold = []
    for name in header:
        cell = WriteOnlyCell(sheet, value=name)
        cell.font = Font(bold=True)
        bold.append(cell)
    sheet.append(bold)
    for row in rows:
        cells = []
        for value in row:
            shown = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
            cell = WriteOnlyCell(sheet, value=shown)
            if isinstance(value, str):
                cell.data_type = "s"  # a text that begins with = stays a text
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a mark, so that spreadsheet programs show Chinese; what would be a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_harmless(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def _harmless(value: Cell) -> Cell:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _unpacked(content: bytes) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except Exception as error:  # the same for its container
        raise SheetUnreadable(reason="not_xlsx") from error


def _rows(found: Iterator[tuple[object, ...]], columns: Sequence[str]) -> Iterator[SheetRow]:
    header = [_text(value) for value in next(found, ())]
    missing = [name for name in columns if name not in header]
    if missing:
        raise SheetUnreadable(reason="missing_columns", columns=missing)
    places = {name: header.index(name) for name in columns}
    for number, values in enumerate(found, start=2):
        if number > MAX_ROWS + 1:
            raise SheetUnreadable(reason="too_many_rows", most=MAX_ROWS)
        cells = {name: _text(values[at]) if at < len(values) else "" for name, at in places.items()}
        if any(cells.values()):
            yield SheetRow(number, cells)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and (value.hour, value.minute, value.second) == (0, 0, 0):
        return value.date().isoformat()
    return str(value).strip()
