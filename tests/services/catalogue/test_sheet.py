"""An item as a row of a spreadsheet, and back without loss."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.models import (
    Category,
    Contraindication,
    Effect,
    Income,
    ItemContent,
    NursingList,
    OrderedBy,
    Precondition,
    Task,
)
from services.catalogue.pricing import Component, ComponentKind, PriceRule
from services.catalogue.service import _seeds
from services.catalogue.sheet import HEADINGS, from_cells, to_cells
from services.catalogue.views import ItemDraft
from services.catalogue.vocabulary import vocabulary
from services.core.sheets import read_sheet, write_xlsx

SEEDS = {item.code: item for item in _seeds()}
HEADS = list(HEADINGS.values())
WORDS = vocabulary()

# What people type, the separators of a line among it; edges are trimmed by a spreadsheet.
TEXT = st.text("甲乙ab |\\n=;,:'\"{}1", min_size=1, max_size=12).map(str.strip).filter(bool)
CODES = st.from_regex(r"[a-z][a-z0-9_]{1,10}", fullmatch=True)
PARTS = st.builds(
    Component,
    code=CODES,
    name_zh=TEXT,
    name_en=TEXT,
    kind=st.sampled_from([ComponentKind.FLAT, ComponentKind.TIMED]),
    unit_fen=st.integers(0, 10_000_000),
    per_minutes=st.integers(1, 90),
    step_minutes=st.integers(1, 90),
    when=st.none() | CODES,
    range_fen=st.none() | st.tuples(st.integers(0, 9), st.integers(9, 99)),
)
SHARES = st.builds(
    Component,
    code=CODES,
    name_zh=TEXT,
    name_en=TEXT,
    kind=st.just(ComponentKind.PERCENT),
    basis_points=st.integers(0, 20_000),
)
RULES = st.builds(
    lambda parts, shares, **rest: PriceRule(components=[*parts, *shares], **rest),
    st.lists(PARTS, min_size=1, max_size=3, unique_by=lambda part: part.code),
    st.lists(SHARES, max_size=1),
    source=TEXT,
    version=TEXT,
    effective_date=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    verified=st.booleans(),
    note_zh=TEXT,
)
CONTRA = st.builds(
    Contraindication,
    condition=TEXT,
    effect=st.sampled_from(Effect),
    zh=TEXT,
    en=TEXT,
    source=TEXT,
    verified=st.booleans(),
)
ITEMS = st.builds(
    ItemContent,
    code=CODES,
    category=st.sampled_from(Category).filter(lambda one: one is not Category.BATHING),
    name_zh=TEXT,
    name_en=TEXT,
    description_zh=TEXT,
    unit=TEXT,
    duration_minutes=st.integers(1, 1440),
    caregivers_required=st.integers(1, 4),
    required_skill=st.sampled_from(sorted(WORDS.skills)),
    required_licences=st.lists(st.sampled_from(sorted(WORDS.licences)), unique=True, min_size=1),
    practice_years=st.integers(0, 40),
    checklist=st.lists(
        st.builds(Task, code=CODES, zh=TEXT, en=TEXT), max_size=4, unique_by=lambda task: task.code
    ),
    preconditions=st.permutations(list(Precondition)),
    contraindications=st.lists(CONTRA, max_size=3, unique_by=lambda one: one.condition),
    may_order=st.lists(st.sampled_from(OrderedBy), min_size=1, unique=True),
    offered_areas=st.lists(st.sampled_from(["430121107", "430121108", "430121"]), unique=True),
    income=st.sampled_from(Income),
    nursing_list=st.sampled_from(NursingList),
    list_source=TEXT,
    list_verified=st.booleans(),
    price_rule=RULES,
)


def cells_of(item: ItemContent, is_active: bool = True) -> dict[str, str]:
    return dict(zip(HEADS, (str(cell).strip() for cell in to_cells(item, is_active)), strict=True))


@given(ITEMS, st.booleans())
def test_a_row_says_all_that_the_item_says(item: ItemContent, is_active: bool) -> None:
    draft, problems = from_cells(cells_of(item, is_active), WORDS)
    names = [part.code for part in item.price_rule.components]
    assert [one.code for one in problems] == (["repeated"] if len(names) != len(set(names)) else [])
    assert draft == ItemDraft(**item.model_dump(), is_active=is_active)


def test_the_default_menu_survives_a_workbook() -> None:
    rows = read_sheet(write_xlsx("x", HEADS, [to_cells(item, True) for item in SEEDS.values()]), HEADS)
    assert len(rows) == len(SEEDS)
    for row in rows:
        draft, problems = from_cells(row.cells, WORDS)
        assert problems == []
        assert draft is not None
        assert draft == ItemDraft(**SEEDS[draft.code].model_dump())


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        ("code", "", "missing"),
        ("code", "Aa", "bad_code"),
        ("is_active", "也许", "not_yes_or_no"),
        ("is_active", "", "missing"),
        ("category", "助飞", "not_allowed"),
        ("category", "", "missing"),
        ("duration_minutes", "一小时", "not_a_number"),
        ("duration_minutes", "-5", "not_a_number"),
        ("duration_minutes", "1e3", "not_a_number"),
        ("duration_minutes", "30.5", "not_a_number"),
        ("duration_minutes", "٣", "not_a_number"),
        ("duration_minutes", "0", "not_valid"),
        ("duration_minutes", "99999", "not_valid"),
        ("caregivers_required", "5", "not_valid"),
        ("required_skill", "飞行", "unknown_skill"),
        ("required_licences", "飞行证", "unknown_licence"),
        ("checklist", "identity|核对", "bad_line"),
        ("preconditions", "会飞", "not_allowed"),
        ("contraindications", "骨折|禁止", "bad_line"),
        ("contraindications", "骨折|也许|a|b|c|是", "not_allowed"),
        ("may_order", "", "nobody_may_order"),
        ("offered_areas", "果园", "unknown_area"),
        ("income", "混合", "not_allowed"),
        ("nursing_list", "正面清单", "nursing_needs_assessment"),
        ("price_components", "", "not_valid"),
        ("price_components", "service|服务费", "bad_line"),
        ("price_components", "service|服务费|Fee|按次|十元", "not_a_number"),
        ("price_components", "service|服务费|Fee|按次|1.005", "not_a_number"),
        ("price_components", "service|服务费|Fee|按次|NaN", "not_a_number"),
        ("price_components", "service|服务费|Fee|按次|Infinity", "not_a_number"),
        ("price_components", "service|服务费|Fee|按次|-1", "not_valid"),
        ("price_components", "service|服务费|Fee|按次|1|colour=1", "bad_line"),
        ("price_components", "service|服务费|Fee|按次|1|step_minutes=[", "bad_line"),
        ("price_components", "a|甲|a|按比例|5%\nb|乙|b|按次|1", "not_valid"),
        ("price_effective_date", "明天", "not_valid"),
        ("price_verified", "?", "not_yes_or_no"),
        ("price_more", "{", "bad_line"),
        ("price_more", '{"source": "x"}', "bad_line"),
    ],
)
def test_a_cell_that_cannot_be_is_named(field: str, cell: str, code: str) -> None:
    cells = cells_of(SEEDS["cleaning"]) | {HEADINGS[field]: cell}
    draft, problems = from_cells(cells, WORDS)
    columns = {one.field for one in problems}
    assert code in {one.code for one in problems}
    assert columns & {field, "preconditions", "list_source"}
    assert all(one.zh and one.en for one in problems)
    assert draft is None or code in ("bad_code", "unknown_skill", "unknown_licence", "unknown_area",
                                     "nobody_may_order", "nursing_needs_assessment")  # fmt: skip


@given(st.fixed_dictionaries({head: st.text(max_size=30) for head in HEADS}))
def test_no_row_whatever_breaks_the_reader(cells: dict[str, Any]) -> None:
    draft, problems = from_cells(cells, WORDS)
    assert problems or draft is not None
