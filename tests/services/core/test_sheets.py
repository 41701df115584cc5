"""Spreadsheets in and out."""

import csv
import io
import zipfile
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


GOOD = write_xlsx("目录", HEADER, [["a1", "助餐", None], ["b2", 15.5, None]])
PARTS = {
    name: zipfile.ZipFile(io.BytesIO(GOOD)).read(name) for name in zipfile.ZipFile(io.BytesIO(GOOD)).namelist()
}


def expect_refusal_or_rows(content: bytes) -> None:
    """Whatever a file holds, it is read or refused by its one name."""
    rows, reason = [], ""
    try:
        rows = read_sheet(content, HEADER)
    except SheetUnreadable as refused:
        reason = refused.extra["reason"]
    assert reason in ("", "not_xlsx", "too_large", "too_many_rows", "missing_columns")
    assert all(set(row.cells) == set(HEADER) for row in rows)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_file_that_was_damaged_anywhere_is_refused_by_name(data: st.DataObject) -> None:
    """Bytes of the container are changed, cut off or put in."""
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    expect_refusal_or_rows(bytes(content))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_workbook_that_was_damaged_inside_is_refused_by_name(data: st.DataObject) -> None:
    """The container is whole, one of its documents is not: the parser sees every kind of nonsense."""
    name = data.draw(st.sampled_from(sorted(PARTS)))
    inside = bytearray(PARTS[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(inside) - 1, 0)))
        inside[at : at + data.draw(st.integers(0, 12))] = data.draw(
            st.sampled_from(
                [b"", b"<", b">", b"&", b"<!--", b"x" * 9, b"-1", b"1e400", b"\x00", b'"', b"<c/>", b't="s"']
            )
        )
    expect_refusal_or_rows(_zip({**PARTS, name: bytes(inside)}))


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_workbook_without_one_of_its_documents_is_refused_by_name(name: str) -> None:
    expect_refusal_or_rows(_zip({part: content for part, content in PARTS.items() if part != name}))
    expect_refusal_or_rows(_zip({**PARTS, name: b""}))
    expect_refusal_or_rows(_zip({**PARTS, name: BOMB}))


@given(st.binary(max_size=200))
def test_what_is_no_workbook_at_all_is_refused(content: bytes) -> None:
    with pytest.raises(SheetUnreadable):
        read_sheet(content, HEADER)


def test_an_encrypted_container_is_refused() -> None:
    content = bytearray(_zip({"xl/workbook.xml": b"x"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag of encryption in the directory
    with pytest.raises(SheetUnreadable):
        read_sheet(bytes(content), HEADER)


def test_characters_that_no_sheet_holds_are_left_out() -> None:
    rows = read_sheet(write_xlsx("x", ["a"], [["one\x07two\x00"]]), ["a"])
    assert rows[0].cells == {"a": "onetwo"}


def test_a_sheet_of_endless_width_is_cut_off() -> None:
    rows = read_sheet(write_xlsx("x", [str(n) for n in range(400)], [["v"] * 400]), ["0", "199"])
    assert rows[0].cells == {"0": "v", "199": "v"}
    with pytest.raises(SheetUnreadable):
        read_sheet(write_xlsx("x", [str(n) for n in range(400)], [["v"] * 400]), ["300"])
