"""Which rule counts: the nearest; and what is said of one that cannot be judged."""

from typing import Any
from uuid import uuid4

import pytest

from services.rules.definitions import Layer, load_rules
from services.rules.layers import ActiveSet, Reason, RuleBook, Written, profile_rules, resolve, unmeasured
from tests.services.rules.rulebook import definition

OWN = {"attribute": "heart_rate_high"}


def written(layer: Layer, *, is_off: bool = False, code: str = "heart_rate_limits", **changes: Any) -> Written:
    rule = definition(code=code, **changes)
    return Written(layer, rule.kind, rule.code, rule, is_off=is_off)


def high(layer: Layer, limit: Any, **changes: Any) -> Written:
    return written(layer, levels=[{"severity": "high", "limits": {"high": limit}}], **changes)


@pytest.mark.parametrize(
    ("layers", "nearest"),
    [
        ([Layer.DEFAULT], Layer.DEFAULT),
        ([Layer.PROFILE, Layer.DEFAULT], Layer.PROFILE),
        ([Layer.DEFAULT, Layer.COUNTY, Layer.PROFILE], Layer.COUNTY),
        ([Layer.CENTRE, Layer.COUNTY], Layer.CENTRE),
        ([Layer.RESIDENT, Layer.DEFAULT, Layer.CENTRE], Layer.RESIDENT),
    ],
)
def test_the_nearest_layer_wins(layers: list[Layer], nearest: Layer) -> None:
    limits = {layer: 120 + place for place, layer in enumerate(Layer)}
    [item] = resolve([high(layer, limits[layer]) for layer in layers], {}).effective
    assert item.written.layer is nearest
    assert item.rule is not None
    assert item.rule.levels[0].limits == {"high": limits[nearest]}


def test_rules_of_another_code_stand_beside_each_other() -> None:
    rules = resolve([high(Layer.DEFAULT, 131), high(Layer.RESIDENT, 110, code="night_limits")], {})
    assert {item.written.code for item in rules.effective} == {"heart_rate_limits", "night_limits"}
    assert len(list(rules.active())) == 2


def test_switched_off_nearer_is_off() -> None:
    rules = resolve([high(Layer.DEFAULT, 131), high(Layer.CENTRE, 131, is_off=True)], {})
    assert list(rules.active()) == []
    assert rules.effective[0].written.is_off


def test_switched_on_again_nearer_is_on() -> None:
    rules = resolve([high(Layer.COUNTY, 131, is_off=True), high(Layer.RESIDENT, 140)], {})
    assert [rule.layer for rule in rules.active()] == [Layer.RESIDENT]


@pytest.mark.parametrize(
    ("limit", "attributes", "number", "fallbacks"),
    [
        (OWN, {"heart_rate_high": 110.0}, 110, ()),
        ({**OWN, "plus": 5}, {"heart_rate_high": 110.0}, 115, ()),
        ({**OWN, "otherwise": 131}, {}, 131, ("heart_rate_high",)),
        ({**OWN, "otherwise": 131}, {"heart_rate_high": 110.0}, 110, ()),
    ],
)
def test_a_limit_of_the_residents_own(
    limit: Any, attributes: dict[str, float], number: float, fallbacks: tuple[str, ...]
) -> None:
    [item] = resolve([high(Layer.DEFAULT, limit)], attributes).effective
    assert item.rule is not None
    assert item.rule.levels[0].limits["high"] == number
    assert item.fallbacks == fallbacks


def test_a_missing_attribute_falls_back_on_the_farther_rule_and_says_so() -> None:
    rules = resolve([high(Layer.DEFAULT, 131), high(Layer.CENTRE, OWN)], {})
    assert [(rule.layer, rule.levels[0].limits["high"]) for rule in rules.active()] == [(Layer.DEFAULT, 131)]
    [unable] = rules.not_evaluable
    assert (unable.layer, unable.reason, unable.detail, unable.instead) == (
        Layer.CENTRE,
        Reason.MISSING_ATTRIBUTE,
        "heart_rate_high",
        Layer.DEFAULT,
    )


def test_with_nothing_to_fall_back_on_it_is_listed_and_not_judged() -> None:
    rules = resolve([high(Layer.RESIDENT, OWN, code="own_only")], {})
    assert list(rules.active()) == []
    [unable] = rules.not_evaluable
    assert (unable.code, unable.reason, unable.instead) == ("own_only", Reason.MISSING_ATTRIBUTE, None)


def test_own_figures_that_cross_the_rules_other_limit() -> None:
    crossing = written(Layer.RESIDENT, levels=[{"severity": "high", "limits": {"low": 100, "high": OWN}}])
    rules = resolve([high(Layer.DEFAULT, 131), crossing], {"heart_rate_high": 90.0})
    assert [rule.layer for rule in rules.active()] == [Layer.DEFAULT]
    assert [(u.reason, u.detail) for u in rules.not_evaluable] == [(Reason.LIMITS_CROSS, "low")]


@pytest.mark.parametrize(
    ("measured", "ever", "reason"),
    [
        (set(), set(), Reason.NO_TERMINAL),
        ({"spo2"}, {"spo2"}, Reason.NO_TERMINAL),
        ({"heart_rate"}, set(), Reason.NO_READING_EVER),
        ({"heart_rate"}, {"heart_rate"}, None),
    ],
)
def test_rules_with_nothing_to_judge(measured: set[str], ever: set[str], reason: Reason | None) -> None:
    rules = resolve([high(Layer.DEFAULT, 131)], {})
    found = unmeasured(rules, frozenset(measured), frozenset(ever))
    assert [item.reason for item in found] == ([] if reason is None else [reason])


def test_a_score_needs_several_kinds() -> None:
    score = next(rule for rule in load_rules().rules if rule.kind == "early_warning")
    rules = resolve([Written(Layer.DEFAULT, score.kind, score.code, score)], {})
    one, two = frozenset({"heart_rate"}), frozenset({"heart_rate", "spo2"})
    assert [item.reason for item in unmeasured(rules, one, one)] == [Reason.NO_TERMINAL]
    assert [item.reason for item in unmeasured(rules, two, one)] == [Reason.NO_READING_EVER]
    assert unmeasured(rules, two, two) == []


def test_what_a_profile_holds_never_stops_anything() -> None:
    good = definition(code="from_profile").model_dump(mode="json")
    rules = resolve(profile_rules([good, {"kind": "spo2", "code": "broken"}, "nonsense", None]), {})
    assert [rule.definition.code for rule in rules.active()] == ["from_profile"]
    assert {(u.code, u.reason) for u in rules.not_evaluable} == {
        ("broken", Reason.INVALID),
        ("", Reason.INVALID),
    }
    assert profile_rules({"not": "a list"}) == ()


def test_the_gate_is_as_wide_as_the_widest_rule_and_the_score() -> None:
    rules = ActiveSet.of(resolve([high(Layer.DEFAULT, 131), high(Layer.DEFAULT, 100, code="early")], {}))
    low, limit = rules.gates["heart_rate"]
    assert (low, limit) == (float("-inf"), 100)
    defaults = RuleBook(load_rules()).look_up(uuid4(), uuid4(), "430121107")[1]
    assert defaults.gates["heart_rate"] == (50.5, 90.5), "what scores in NEWS2 may complete a score"
    assert defaults.gates["glucose"] == (3.9, 16.7)
    assert "steps" not in defaults.gates


def test_residents_without_anything_of_their_own_share_one_answer() -> None:
    centre, own = uuid4(), uuid4()
    book = RuleBook(load_rules(), attributes={own: {"heart_rate_high": 110.0}})
    first, second = (book.look_up(uuid4(), centre, "430121107201") for _ in range(2))
    assert first[1] is second[1]
    mine = book.look_up(own, centre, "430121107201")[1]
    assert mine is not first[1]
    assert mine.by_kind["heart_rate"][0].levels[0].limits["high"] == 110
