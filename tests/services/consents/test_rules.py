"""Pure rules of consents, by tables."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from services.consents.models import ConsentMethod, ConsentPurpose
from services.consents.rules import in_force, may_record, scope_problem
from services.consents.texts import all_texts, text_in_force
from services.core.actor import Role

DAY = date(2026, 11, 22)
KEY = "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f"
P = ConsentPurpose


@dataclass(frozen=True)
class Term:
    ended_at: datetime | None = None
    valid_until: date | None = None


@pytest.mark.parametrize(
    ("term", "holds"),
    [
        (Term(), True),
        (Term(valid_until=DAY), True),
        (Term(valid_until=DAY - timedelta(days=1)), False),
        (Term(ended_at=datetime(2026, 11, 1, tzinfo=UTC)), False),
        (Term(ended_at=datetime(2026, 11, 1, tzinfo=UTC), valid_until=DAY), False),
    ],
)
def test_in_force(term: Term, holds: bool) -> None:
    assert in_force(term, DAY) is holds


@pytest.mark.parametrize(
    ("purpose", "scope", "expected"),
    [
        (P.HOME_NURSING, "", None),
        (P.HOME_NURSING, "wound_dressing", None),
        (P.HOME_NURSING, "nursing", None),
        (P.HOME_NURSING, "flying", "item_or_category"),
        (P.VISIT_PHOTOS, "", None),
        (P.VISIT_PHOTOS, "kitchen", "none"),
        (P.FAMILY_FEED, KEY, None),
        (P.FAMILY_FEED, "", "account"),
        (P.FAMILY_FEED, "my daughter", "account"),
        (P.FAMILY_FEED, KEY.upper(), "account"),
        (P.DATA_SHARING, "县第一人民医院", None),
        (P.DATA_SHARING, " ", "recipient"),
    ],
)
def test_each_purpose_has_its_scope(purpose: ConsentPurpose, scope: str, expected: str | None) -> None:
    assert scope_problem(purpose, scope, ["wound_dressing"]) == expected


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.FAMILY, Role.DISPATCHER, Role.CAREGIVER, Role.CLINICIAN])
def test_households_tap_and_staff_write_down(role: Role) -> None:
    is_household = role in (Role.RESIDENT, Role.FAMILY)
    assert may_record(role, ConsentMethod.IN_APP) is is_household
    assert may_record(role, ConsentMethod.SPOKEN) is not is_household
    assert may_record(role, ConsentMethod.SIGNATURE) is not is_household


def test_every_purpose_has_a_text_in_both_languages_that_says_it_can_be_withdrawn() -> None:
    for purpose in ConsentPurpose:
        text = text_in_force(purpose, DAY)
        assert "撤回" in text.zh
        assert "withdraw" in text.en
        assert text.verified is False
    assert len({(text.purpose, text.version) for text in all_texts()}) == len(all_texts())
