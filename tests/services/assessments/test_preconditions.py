"""What is missing before home nursing, by tables."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from services.assessments.preconditions import unmet_of
from services.catalogue.models import Precondition
from services.catalogue.service import seed_items

DAY = date(2026, 11, 22)
ITEMS = {item.code: item for item in seed_items()}
DRESSING = ITEMS["wound_dressing"]
BOTH = [Precondition.INSTITUTION_ASSESSMENT, Precondition.INFORMED_CONSENT]


@dataclass(frozen=True)
class Found:
    assessed_on: date = DAY
    covers: tuple[str, ...] = ("nursing",)
    is_suitable: bool = True
    valid_until: date = DAY + timedelta(days=30)


def missing(assessments: list[Found], consented: set[str], day: date = DAY) -> list[Precondition]:
    return [one.precondition for one in unmet_of(DRESSING, assessments, consented, day)]


@pytest.mark.parametrize(
    ("assessments", "consented", "expected"),
    [
        ([], set(), BOTH),
        ([Found()], {""}, []),
        ([Found()], {"nursing"}, []),
        ([Found(covers=("wound_dressing",))], {"wound_dressing"}, []),
        ([Found(covers=("injection",))], {"injection"}, BOTH),
        ([Found(valid_until=DAY)], {""}, []),
        ([Found(valid_until=DAY - timedelta(days=1))], {""}, BOTH[:1]),
        ([Found(assessed_on=DAY + timedelta(days=1))], {""}, BOTH[:1]),
        ([Found(is_suitable=False)], {""}, BOTH[:1]),
        # The newest one that covers the item counts, and no older one.
        ([Found(is_suitable=False), Found()], {""}, BOTH[:1]),
        ([Found(covers=("injection",), is_suitable=False), Found()], {""}, []),
        ([Found()], set(), BOTH[1:]),
    ],
)
def test_what_is_missing(assessments: list[Found], consented: set[str], expected: list[Precondition]) -> None:
    assert missing(assessments, consented) == expected


def test_the_day_of_service_counts_and_not_the_day_of_ordering() -> None:
    term = Found(valid_until=DAY + timedelta(days=3))
    assert missing([term], {""}, DAY + timedelta(days=3)) == []
    assert missing([term], {""}, DAY + timedelta(days=4)) == BOTH[:1]


def test_a_bath_is_checked_at_the_visit_and_needs_nothing_before() -> None:
    bath = ITEMS["bathing"]
    assert bath.preconditions == [Precondition.VITAL_CHECK]
    assert unmet_of(bath, [], set(), DAY) == []


def test_every_item_of_home_nursing_needs_both() -> None:
    nursing = [item for item in seed_items() if item.category == "nursing"]
    assert len(nursing) >= 12
    assert all(set(BOTH) <= set(item.preconditions) for item in nursing)
    assert all(item.practice_years == 5 for item in nursing)
