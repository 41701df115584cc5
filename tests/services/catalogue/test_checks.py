"""What an item must hold before it is kept, by tables."""

import json
from importlib.resources import files
from typing import Any

import pytest

from services.catalogue.checks import WORDS, problems_of
from services.catalogue.models import Category, Income, ItemFacts, NursingList, OrderedBy
from services.catalogue.service import _seeds, seed_items
from services.catalogue.views import ItemDraft
from services.catalogue.vocabulary import vocabulary

ITEMS = {item.code: item for item in _seeds()}


def problems(code: str, /, **said: Any) -> list[tuple[str, str]]:
    draft = ItemDraft.model_validate(ITEMS[code].model_dump(mode="json") | said)
    return [(problem.field, problem.code) for problem in problems_of(draft, vocabulary())]


@pytest.mark.parametrize("code", sorted(ITEMS))
def test_the_default_menu_holds(code: str) -> None:
    assert problems(code) == []


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        ("cleaning", {"code": "Clean"}, [("code", "bad_code")]),
        ("cleaning", {"code": "c"}, [("code", "bad_code")]),
        ("cleaning", {"name_zh": " "}, [("name_zh", "missing")]),
        ("cleaning", {"name_zh": "助" * 61}, [("name_zh", "too_long")]),
        ("cleaning", {"description_en": "x\x07y"}, [("description_en", "unprintable")]),
        ("cleaning", {"required_skill": "flying"}, [("required_skill", "unknown_skill")]),
        ("cleaning", {"required_licences": ["pilot"]}, [("required_licences", "unknown_licence")]),
        ("cleaning", {"may_order": []}, [("may_order", "nobody_may_order")]),
        ("cleaning", {"may_order": ["app", "app"]}, [("may_order", "repeated")]),
        ("cleaning", {"offered_areas": ["43012"]}, [("offered_areas", "unknown_area")]),
        ("cleaning", {"offered_areas": ["430121107201"]}, [("offered_areas", "unknown_area")]),
        ("cleaning", {"offered_areas": ["430121107", "430121"]}, []),
        ("cleaning", {"checklist": [{"code": "a", "zh": "甲", "en": "a"}] * 2}, [("checklist", "repeated")]),
        ("cleaning", {"checklist": [{"code": "a", "zh": "甲" * 501, "en": "a"}]}, [("checklist", "too_long")]),
        ("cleaning", {"income": "medical"}, [("required_licences", "medical_needs_licence")]),
        ("bathing", {"preconditions": []}, [("preconditions", "bath_needs_vital_check")]),
        ("injection", {"preconditions": ["informed_consent"]}, [("preconditions", "nursing_needs_assessment")]),
        (
            "injection",
            {"preconditions": ["institution_assessment"]},
            [("preconditions", "nursing_needs_assessment")],
        ),
        ("injection", {"list_source": ""}, [("list_source", "list_needs_source")]),
        ("iv_infusion", {"list_source": ""}, [("list_source", "list_needs_source")]),
    ],
)
def test_what_does_not_hold_is_named(code: str, said: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert problems(code, **said) == expected


def test_the_example_of_the_api_holds() -> None:
    example = ItemDraft.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index, call-overload]
    assert problems_of(ItemDraft.model_validate(example), vocabulary()) == []


def test_every_problem_has_its_words() -> None:
    assert all(zh and en for zh, en in WORDS.values())


def test_all_thirteen_kinds_of_the_menu_are_there() -> None:
    """助餐 助洁 助浴 助行 助医 助急 护理 康复 中医 巡诊 体检 心理关爱 探访, each with an item to order."""
    words = {
        "助餐": "meal_delivery",
        "助洁": "cleaning",
        "助浴": "bathing",
        "助行": "walking_aid",
        "助医": "escort",
        "助急": "emergency_help",
        "护理": "wound_dressing",
        "康复": "rehabilitation",
        "中医": "acupuncture",
        "巡诊": "round_visit",
        "体检": "home_check_up",
        "心理关爱": "psychological_care",
        "探访": "companionship",
    }
    offered = {item.code: item.category for item in seed_items()}
    assert set(words.values()) <= set(offered)
    assert set(offered.values()) == set(Category)


def test_what_is_on_the_negative_list_says_where_from_and_that_nobody_has_checked() -> None:
    negative = [item for item in ITEMS.values() if item.nursing_list is NursingList.NEGATIVE]
    assert [item.code for item in negative] == ["iv_infusion"]
    assert "not verified" in negative[0].list_source
    assert negative[0].list_verified is False
    assert "iv_infusion" not in {item.code for item in seed_items()}


def test_contraindications_are_marked_as_project_defaults() -> None:
    found = [one for item in ITEMS.values() for one in item.contraindications]
    assert found
    assert all(one.verified is False and "Project default" in one.source for one in found)


def test_an_old_order_s_snapshot_is_still_read() -> None:
    """As orders of before this version hold it: none of the later fields."""
    raw = json.loads(files("services.catalogue").joinpath("data/items.json").read_text("utf-8"))
    rule = seed_items()[0].price_rule.model_dump(mode="json")
    later = {"preconditions", "contraindications", "may_order", "offered_areas", "income", "nursing_list"}
    later |= {"list_source", "list_verified", "version", "practice_years"}
    old = {name: value for name, value in raw["items"][9].items() if name not in later} | {"price_rule": rule}
    facts = ItemFacts.model_validate(old)
    assert facts.category is Category.NURSING
    assert (facts.income, facts.version, facts.preconditions) == (Income.MEDICAL, 1, [])
    assert facts.may_order == list(OrderedBy)
    assert ItemFacts.model_validate(facts.model_dump(mode="json")) == facts
