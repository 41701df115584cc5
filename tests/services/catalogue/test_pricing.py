"""Prices: integer fen, lines that add up exactly, rounding in one named place."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.catalogue.pricing import (
    Component,
    ComponentKind,
    PriceContext,
    PriceRule,
    billed_steps,
    planned_minutes,
    quote,
)
from services.catalogue.service import seed_items

NOTHING = PriceContext()


def rule(*parts: Component) -> PriceRule:
    return PriceRule(
        components=list(parts), source="test", version="1", effective_date=date(2026, 1, 1), verified=False
    )


def flat(fen: int, **more: object) -> Component:
    return Component(code="flat", name_zh="费", name_en="Fee", kind=ComponentKind.FLAT, unit_fen=fen, **more)


def timed(fen: int, **more: object) -> Component:
    return Component(code="timed", name_zh="时", name_en="Time", kind=ComponentKind.TIMED, unit_fen=fen, **more)


def percent(basis_points: int, **more: object) -> Component:
    return Component(
        code="percent",
        name_zh="加价",
        name_en="Surcharge",
        kind=ComponentKind.PERCENT,
        basis_points=basis_points,
        **more,
    )


@pytest.mark.parametrize(
    ("parts", "quantity", "minutes", "tags", "expected"),
    [
        ((flat(1300),), 3, 20, (), [(3, 1300, 3900)]),
        ((flat(3900), flat(10_000)), 1, 30, (), [(1, 3900, 3900), (1, 10_000, 10_000)]),
        ((timed(3750),), 1, 60, (), [(2, 1875, 3750)]),
        ((timed(3750),), 1, 61, (), [(3, 1875, 5625)]),
        ((timed(3750, grace_minutes=5),), 1, 65, (), [(2, 1875, 3750)]),
        ((timed(3750, minimum_minutes=60),), 1, 10, (), [(2, 1875, 3750)]),
        ((timed(3333, step_minutes=15),), 1, 60, (), [(4, 833, 3332)]),  # 833.25 → 833, once
        ((timed(3334, step_minutes=15),), 1, 60, (), [(4, 834, 3336)]),  # 833.5 → 834
        ((flat(1005), percent(5000)), 1, 30, (), [(1, 1005, 1005), (1, 503, 503)]),  # 502.5 → 503
        ((flat(1000), percent(2000, when="urgent")), 1, 30, (), [(1, 1000, 1000)]),
        ((flat(1000), percent(2000, when="urgent")), 1, 30, ("urgent",), [(1, 1000, 1000), (1, 200, 200)]),
        ((flat(0),), 1, 30, (), [(1, 0, 0)]),
    ],
)
def test_lines(
    parts: tuple[Component, ...],
    quantity: int,
    minutes: int,
    tags: tuple[str, ...],
    expected: list[tuple[int, int, int]],
) -> None:
    found = quote(rule(*parts), quantity, minutes, PriceContext(tags=frozenset(tags)))
    assert [(line.quantity, line.unit_fen, line.amount_fen) for line in found.lines] == expected
    assert found.total_fen == sum(amount for _, _, amount in expected)
    assert (found.rounding, found.verified) == ("half_up_fen", False)
    assert all((line.source, line.verified) == ("test", False) for line in found.lines)


@given(
    unit=st.integers(0, 1_000_000),
    per=st.integers(1, 240),
    step=st.integers(1, 120),
    share=st.integers(0, 30_000),
    quantity=st.integers(1, 12),
    minutes=st.integers(1, 1440),
)
def test_lines_always_add_up(unit: int, per: int, step: int, share: int, quantity: int, minutes: int) -> None:
    found = quote(
        rule(flat(unit), timed(unit, per_minutes=per, step_minutes=step), percent(share)),
        quantity,
        minutes,
        NOTHING,
    )
    assert all(line.quantity * line.unit_fen == line.amount_fen for line in found.lines)
    assert found.total_fen == sum(line.amount_fen for line in found.lines)
    assert all(line.amount_fen >= 0 for line in found.lines)


@given(minutes=st.integers(1, 600), more=st.integers(0, 600))
def test_longer_is_never_cheaper(minutes: int, more: int) -> None:
    part = timed(3750, grace_minutes=5, minimum_minutes=60)
    assert billed_steps(part, minutes) <= billed_steps(part, minutes + more)


@pytest.mark.parametrize(("quantity", "minutes"), [(0, 30), (1, 0)])
def test_nothing_has_no_price(quantity: int, minutes: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        quote(rule(flat(1)), quantity, minutes, NOTHING)


def test_a_percentage_needs_something_before_it() -> None:
    with pytest.raises(ValidationError, match="percentages stand after"):
        rule(percent(1000), flat(100))


def test_only_what_is_priced_by_time_grows_with_its_quantity() -> None:
    assert planned_minutes(rule(timed(100)), 60, 3) == 180
    assert planned_minutes(rule(flat(100)), 20, 3) == 20


def test_every_seeded_price_says_that_it_is_not_verified_and_where_it_comes_from() -> None:
    for item in seed_items():
        price = item.price_rule
        assert price.verified is False, item.code
        assert price.source
        assert price.version
        assert price.note_zh
        for part in price.components:
            if part.range_fen is not None:
                assert part.range_fen[0] <= part.unit_fen <= part.range_fen[1]


def test_medical_items_have_both_components() -> None:
    codes = {
        item.code: [part.code for part in item.price_rule.components]
        for item in seed_items()
        if item.category in ("nursing", "rehabilitation", "chinese_medicine", "round_visit")
    }
    assert len(codes) >= 12
    assert set(map(tuple, codes.values())) == {("medical_service", "home_visit_fee")}


def test_bathing_a_disabled_elder_takes_two() -> None:
    items = {item.code: item for item in seed_items()}
    assert items["bathing_disabled"].caregivers_required == 2
    assert "vital_check" in {task.code for task in items["bathing_disabled"].checklist}
