"""Who pays what: exact to the fen, in order, within caps, with a reason for everybody."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payers.eligibility import AbilityCondition, NotCategoryCondition, ResidentFacts, Why, first_problem
from services.payers.models import Caps, Coverage, Terms
from services.payers.stacking import BillLine, Programme, Remaining, covers, split


def line(number: int, fen: int, **more: object) -> BillLine:
    given_facts: dict[str, object] = {
        "item_code": "cleaning",
        "category": "cleaning",
        "book": "eldercare",
        "item_line": number,
        **more,
    }
    return BillLine(line_no=number, amount_fen=fen, **given_facts)  # type: ignore[arg-type]


def programme(
    code: str, order: int, share: int = 10_000, left: Remaining | None = None, **terms: object
) -> Programme:
    made = Terms(share_basis_points=share, **terms)  # type: ignore[arg-type]
    return Programme(code, code, code, order, made, left or Remaining())


def told(lines: list[BillLine], programmes: list[Programme]) -> dict[str, tuple[int, str]]:
    """Payer → what it pays and why; the household last."""
    found = split(lines, programmes)
    return {one.code: (one.amount_fen, one.why.code) for one in found.payers} | {
        "self": (found.self_total_fen, "rest")
    }


@pytest.mark.parametrize(
    ("lines", "programmes", "expected"),
    [
        ([line(1, 10_500)], [], {"self": (10_500, "rest")}),
        ([line(1, 10_500)], [programme("v", 1, 4500)], {"v": (4725, "pays"), "self": (5775, "rest")}),
        # 45 % of 33.33 yuan is 1499.85 fen: half up, once
        ([line(1, 3333)], [programme("v", 1, 4500)], {"v": (1500, "pays"), "self": (1833, "rest")}),
        ([line(1, 1)], [programme("v", 1, 5000)], {"v": (1, "pays"), "self": (0, "rest")}),
        # the first in order pays first; the second finds less
        (
            [line(1, 1000)],
            [programme("b", 2), programme("a", 1, 6000)],
            {"a": (600, "pays"), "b": (400, "pays"), "self": (0, "rest")},
        ),
        (
            [line(1, 1000)],
            [programme("a", 1), programme("b", 2)],
            {"a": (1000, "pays"), "b": (0, "nothing_left"), "self": (0, "rest")},
        ),
        # caps, the smallest is the reason
        (
            [line(1, 1000)],
            [programme("a", 1, caps=Caps(visit_fen=300), left=Remaining(month_fen=200))],
            {"a": (200, "capped_per_month"), "self": (800, "rest")},
        ),
        (
            [line(1, 1000)],
            [programme("a", 1, caps=Caps(visit_fen=300))],
            {"a": (300, "capped_per_visit"), "self": (700, "rest")},
        ),
        (
            [line(1, 1000)],
            [programme("a", 1, left=Remaining(voucher_fen=0))],
            {"a": (0, "voucher_used_up"), "self": (1000, "rest")},
        ),
        (
            [line(1, 1000)],
            [programme("a", 1, left=Remaining(budget_fen=-5))],
            {"a": (0, "budget_used_up"), "self": (1000, "rest")},
        ),
        (
            [line(1, 1000)],
            [programme("a", 1, left=Remaining(month_visits=0))],
            {"a": (0, "visits_used_up"), "self": (1000, "rest")},
        ),
        # 30 of 120 minutes are left in the month: a quarter of the line counts
        (
            [line(1, 1000, minutes=120)],
            [programme("a", 1, left=Remaining(month_minutes=30))],
            {"a": (250, "hours_used_up"), "self": (750, "rest")},
        ),
        # two parts of one price: the hours of the service count once, and for both
        (
            [line(1, 1000, minutes=60, item_line=1), line(2, 600, minutes=60, item_line=1)],
            [programme("a", 1, left=Remaining(month_minutes=30))],
            {"a": (800, "hours_used_up"), "self": (800, "rest")},
        ),
        # exclusion holds whichever of the two names the other
        (
            [line(1, 1000)],
            [programme("a", 1, 1000), programme("b", 2, excludes=["a"])],
            {"a": (100, "pays"), "b": (0, "excluded_by:a"), "self": (900, "rest")},
        ),
        (
            [line(1, 1000)],
            [programme("a", 1, 1000, excludes=["b"]), programme("b", 2)],
            {"a": (100, "pays"), "b": (0, "excluded_by:a"), "self": (900, "rest")},
        ),
        # who pays nothing excludes nobody
        (
            [line(1, 1000)],
            [programme("a", 1, covers=Coverage(items=["bathing"])), programme("b", 2, excludes=["a"])],
            {"a": (0, "not_covered"), "b": (1000, "pays"), "self": (0, "rest")},
        ),
        # a package pays its own lines only, supplies are the household's
        (
            [line(1, 500, is_entitled=True), line(2, 700), line(3, 90, is_supply=True)],
            [programme("package", 1, covers=Coverage(entitled_only=True)), programme("v", 2, 5000)],
            {"package": (500, "pays"), "v": (350, "pays"), "self": (440, "rest")},
        ),
        ([line(1, 0)], [programme("a", 1)], {"a": (0, "not_covered"), "self": (0, "rest")}),
    ],
)
def test_who_pays(
    lines: list[BillLine], programmes: list[Programme], expected: dict[str, tuple[int, str]]
) -> None:
    assert told(lines, programmes) == expected


def test_whoever_was_refused_before_pays_nothing_and_says_why() -> None:
    refused = Programme("a", "a", "a", 1, Terms(share_basis_points=10_000), refused=Why("not_assessed", "", ""))
    assert told([line(1, 100)], [refused]) == {"a": (0, "not_assessed"), "self": (100, "rest")}


def test_a_capped_sum_is_shared_by_the_largest_remainder() -> None:
    lines = [line(1, 1000), line(2, 1000), line(3, 1000)]
    found = split(lines, [programme("a", 1, caps=Caps(visit_fen=1001))])
    assert [found.shares[number]["a"] for number in (1, 2, 3)] == [334, 334, 333]
    assert found.self_fen == {1: 666, 2: 666, 3: 667}


@pytest.mark.parametrize(
    ("coverage", "one", "expected"),
    [
        (Coverage(), line(1, 1), True),
        (Coverage(), line(1, 1, is_supply=True), False),
        (Coverage(supplies=True), line(1, 1, is_supply=True), True),
        (Coverage(items=["cleaning"]), line(1, 1), True),
        (Coverage(items=["bathing"]), line(1, 1), False),
        (Coverage(items=["bathing"], categories=["cleaning"]), line(1, 1), True),
        (Coverage(not_items=["cleaning"]), line(1, 1), False),
        (Coverage(categories=["cleaning"], not_items=["cleaning"]), line(1, 1), False),
        (Coverage(not_categories=["cleaning"]), line(1, 1), False),
        (Coverage(books=["medical"]), line(1, 1), False),
        (Coverage(entitled_only=True), line(1, 1), False),
        (Coverage(entitled_only=True), line(1, 1, is_entitled=True), True),
    ],
)
def test_what_is_covered(coverage: Coverage, one: BillLine, expected: bool) -> None:
    assert covers(coverage, one) is expected


@pytest.mark.parametrize(
    ("level", "categories", "expected"),
    [
        (2, (), None),
        (4, ("低保",), None),
        (1, (), "ability_outside"),
        (None, (), "not_assessed"),
        (3, ("特困",), "subsidised_otherwise"),
    ],
)
def test_for_whom(level: int | None, categories: tuple[str, ...], expected: str | None) -> None:
    conditions = [
        AbilityCondition(kind="ability_level", at_least=2),
        NotCategoryCondition(kind="not_category", none_of=["特困"]),
    ]
    why = first_problem(list(conditions), ResidentFacts(80, frozenset(categories), level))
    assert (None if why is None else why.code) == expected


CAP = st.one_of(st.none(), st.integers(0, 50_000))


@st.composite
def bills(draw: st.DrawFn) -> tuple[list[BillLine], list[Programme]]:
    """Any bill and any programmes."""
    lines = [
        line(
            number,
            draw(st.integers(0, 40_000)),
            minutes=draw(st.integers(0, 300)),
            category=draw(st.sampled_from(["cleaning", "bathing"])),
            book=draw(st.sampled_from(["medical", "eldercare"])),
            is_supply=draw(st.booleans()),
            is_entitled=draw(st.booleans()),
        )
        for number in range(1, draw(st.integers(1, 6)) + 1)
    ]
    codes = draw(st.lists(st.sampled_from("abcdef"), max_size=5, unique=True))
    programmes = [
        programme(
            code,
            draw(st.integers(0, 3)),
            draw(st.integers(0, 10_000)),
            Remaining(draw(CAP), draw(st.one_of(st.none(), st.integers(0, 400))), None, draw(CAP), draw(CAP)),
            caps=Caps(visit_fen=draw(CAP)),
            covers=Coverage(
                supplies=draw(st.booleans()),
                entitled_only=draw(st.booleans()),
                categories=draw(st.sampled_from([[], ["bathing"]])),
            ),
            excludes=draw(st.lists(st.sampled_from("abcdef"), max_size=1)),
        )
        for code in codes
    ]
    return lines, programmes


@given(bills())
def test_every_fen_has_one_payer_and_no_cap_is_passed(case: tuple[list[BillLine], list[Programme]]) -> None:
    lines, programmes = case
    found = split(lines, programmes)
    by_code = {one.code: one for one in programmes}
    for one in lines:
        parts = found.shares[one.line_no]
        assert sum(parts.values()) + found.self_fen[one.line_no] == one.amount_fen
        assert all(part > 0 for part in parts.values())
        assert found.self_fen[one.line_no] >= 0
        assert all(covers(by_code[code].terms.covers, one) for code in parts)
    for result in found.payers:
        paid = sum(parts.get(result.code, 0) for parts in found.shares.values())
        terms, left = by_code[result.code].terms, by_code[result.code].remaining
        assert paid == result.amount_fen
        caps = (terms.caps.visit_fen, left.month_fen, left.voucher_fen, left.budget_fen)
        assert all(cap is None or paid <= cap for cap in caps)
        wish = sum(Fraction(one.amount_fen * terms.share_basis_points, 10_000) for one in lines)
        assert paid <= wish + Fraction(1, 2), "never more than its share, rounded once"
        minutes = sum(by.get(result.code, 0) for by in found.minutes.values())
        assert left.month_minutes is None or minutes <= left.month_minutes


@given(bills())
def test_the_order_of_the_list_does_not_matter(case: tuple[list[BillLine], list[Programme]]) -> None:
    lines, programmes = case
    forward, backward = split(lines, programmes), split(lines, programmes[::-1])
    assert forward.shares == backward.shares
