"""Fen are never lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.money import round_half_up, split_by_weight, yuan


@pytest.mark.parametrize(
    ("exact", "fen"),
    [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.4999", 2), ("-0.5", -1), ("-2.5", -3), ("0", 0), ("100", 100)],
)
def test_halves_go_away_from_zero(exact: str, fen: int) -> None:
    assert round_half_up(Decimal(exact)) == fen


@given(
    st.integers(0, 10**9),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=8).filter(lambda weights: sum(weights) > 0),
)
def test_shares_add_up_and_stay_within_a_fen_of_exact(total: int, weights: list[int]) -> None:
    parts = split_by_weight(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1]])
def test_no_weight_is_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split_by_weight(100, weights)


@pytest.mark.parametrize(
    ("fen", "shown"), [(12345, "123.45"), (5, "0.05"), (0, "0.00"), (-5, "-0.05"), (-12300, "-123.00")]
)
def test_yuan(fen: int, shown: str) -> None:
    assert yuan(fen) == shown
