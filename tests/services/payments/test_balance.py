"""What is owed, paid and going back: arithmetic that loses no fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.balance import outstanding, portions, to_pay, to_refund

BOOKS = st.dictionaries(st.sampled_from(["medical", "eldercare"]), st.integers(-5_000, 5_000))


@pytest.mark.parametrize(
    ("owed", "paid", "refunded", "pay", "back"),
    [
        ({"medical": 3_900}, [], [], {"medical": 3_900}, {}),
        ({"medical": 3_900}, [{"medical": 3_900}], [], {}, {}),
        ({"medical": 2_000}, [{"medical": 3_900}], [], {}, {"medical": 1_900}),
        ({"medical": 2_000}, [{"medical": 3_900}], [{"medical": 1_900}], {}, {}),
        ({"eldercare": 500, "medical": 0}, [{"medical": 100}], [], {"eldercare": 500, "medical": -100}, {}),
        ({}, [], [], {}, {}),
    ],
)
def test_what_stands_open(
    owed: dict[str, int],
    paid: list[dict[str, int]],
    refunded: list[dict[str, int]],
    pay: dict[str, int],
    back: dict[str, int],
) -> None:
    rest = outstanding(owed, paid, refunded)
    assert (to_pay(rest), to_refund(rest)) == (pay, back)


@given(owed=BOOKS, paid=st.lists(BOOKS, max_size=4), refunded=st.lists(BOOKS, max_size=4))
def test_paying_or_refunding_what_stands_open_leaves_nothing_to_settle(
    owed: dict[str, int], paid: list[dict[str, int]], refunded: list[dict[str, int]]
) -> None:
    rest = outstanding(owed, paid, refunded)
    pay, back = to_pay(rest), to_refund(rest)
    assert not (pay and back)
    after = outstanding(owed, [*paid, pay], [*refunded, back])
    assert sum(after.values()) == 0


@given(
    split=st.dictionaries(st.sampled_from(["medical", "eldercare"]), st.integers(-2_000, 9_000), min_size=1),
    free=st.lists(st.integers(0, 4_000), max_size=5),
)
def test_a_refund_is_dealt_out_to_what_was_paid(split: dict[str, int], free: list[int]) -> None:
    whole = sum(split.values())
    if whole <= 0:
        return
    if sum(free) < whole:
        with pytest.raises(ValueError, match="more is to go back"):
            portions(split, free)
        return
    parts = portions(split, free)
    for book, amount in split.items():
        assert sum(part.get(book, 0) for part in parts) == amount
    assert all(sum(part.values()) <= room for part, room in zip(parts, free, strict=False))
