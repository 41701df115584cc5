"""Whose a terminal was at a moment."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.terminals.queries import Worn
from services.terminals.repository import Bound
from services.terminals.wearers import is_older, wearer

T0 = datetime(2026, 11, 1, 8, tzinfo=UTC)
ONE, TWO = uuid4(), uuid4()
OLD_CENTRE, NEW_CENTRE = uuid4(), uuid4()


def hours(count: float) -> datetime:
    return T0 + timedelta(hours=count)


# ONE from 0 to 10 h, nobody from 10 to 12 h, TWO from 12 h on.
HISTORY = (
    Worn(ONE, OLD_CENTRE, "430121107201", hours(0), hours(10)),
    Worn(TWO, NEW_CENTRE, "430121102200", hours(12), None),
)
NOW = Bound(uuid4(), TWO, NEW_CENTRE, "430121102200", 7, "native_json", hours(12))
ON_THE_SHELF = Bound(uuid4(), None, NEW_CENTRE, "430121102", 8, "native_json", hours(12))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (hours(-1), None),
        (hours(0), ONE),
        (hours(9.9), ONE),
        (hours(10), None),
        (hours(11), None),
        (hours(12) - timedelta(minutes=5), TWO),  # a clock may be a little behind
        (hours(12) - timedelta(minutes=5, seconds=1), None),
        (hours(12), TWO),
        (hours(500), TWO),
    ],
)
def test_the_time_decides(at: datetime, expected: UUID | None) -> None:
    assert wearer(NOW, HISTORY, at).resident_id == expected


def test_an_old_one_is_at_the_home_of_that_time() -> None:
    then = wearer(NOW, HISTORY, hours(5))
    assert (then.centre_id, then.area_code) == (OLD_CENTRE, "430121107201")
    assert then.terminal_id == NOW.terminal_id


def test_a_little_before_the_binding_is_still_the_former_wearers_when_there_was_one() -> None:
    history = (HISTORY[0]._replace(unbound_at=hours(12)), HISTORY[1])
    assert wearer(NOW, history, hours(12) - timedelta(seconds=1)).resident_id == ONE


def test_what_lies_on_the_shelf_had_wearers_too() -> None:
    history = (HISTORY[0], HISTORY[1]._replace(unbound_at=hours(12)))
    assert wearer(ON_THE_SHELF, history, hours(5)).resident_id == ONE
    assert wearer(ON_THE_SHELF, history, hours(13)).resident_id is None


def test_without_a_history_everything_is_the_wearers() -> None:
    always = NOW._replace(bound_since=None)
    assert not is_older(always, hours(-1_000))
    assert wearer(always, (), hours(-1_000)) is always
    assert is_older(NOW, hours(11))
    assert not is_older(NOW, hours(12))
