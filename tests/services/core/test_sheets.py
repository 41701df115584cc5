"""Spreadsheets in and out."""

import csv
import io
import zipfile
from datetime import datetime

import pytest
from openpyxl import load_workbook

from services.core.sheets import MAX_ROWS, SheetUnreadable, read_sheet, write_csv, write_xlsx

HEADER = ["编码", "名称", "日期"]


def test_what_is_written_is_read_again_whatever_the_order_of_the_columns() -> None:
    day = datetime(2026, 11, 22)  # noqa: DTZ001  spreadsheets know no zones
    content = write_xlsx("目录", HEADER, [["a1", "助餐", day], [None, None, None], ["b2", 15.0, None]])
    rows = read_sheet(content, ["名称", "编码", "日期"])
    assert [(row.number, row.cells) for row in rows] == [
        (2, {"名称": "助餐", "编码": "a1", "日期": "2026-11-22"}),
        (4, {"名称": "15", "编码": "b2", "日期": ""}),
    ]


def test_a_text_that_looks_like_a_formula_stays_a_text() -> None:
    sheet = load_workbook(io.BytesIO(write_xlsx("x", ["a"], [["=1+1"]]))).active
    assert sheet is not None
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")
    rows = list(csv.reader(io.StringIO(write_csv(["a"], [["=1+1"], [-5]]).decode("utf-8-sig"))))
    assert rows == [["a"], ["'=1+1"], ["-5"]]


def _zip(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<x>&b;</x>"""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_xlsx"),
        (b"not a sheet", "not_xlsx"),
        (_zip({"a.txt": b"x"}), "not_xlsx"),
        (_zip({"[Content_Types].xml": BOMB, "xl/workbook.xml": BOMB}), "not_xlsx"),
        (_zip({"a.xml": b"0" * 60_000_000}), "too_large"),
        (b"0" * 5_000_001, "too_large"),
        (write_xlsx("x", ["编码"], []), "missing_columns"),
        (write_xlsx("x", HEADER, [["a", "b", "c"]] * (MAX_ROWS + 1)), "too_many_rows"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(SheetUnreadable) as refused:
        read_sheet(content, HEADER)
    assert refused.value.extra["reason"] == reason
