"""GB/T 42195-2022 by tables, and the self-rated table. The traps first: 90 points, and more means abler."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessments.scoring import (
    Adjustment,
    Findings,
    ability_standard,
    last_day,
    rate_self_care,
    score_ability,
    score_problems,
    self_care_table,
)
from tests.permits import whole_form

ITEMS = {item.code: item.max for item in ability_standard().items}
BOTH = (Adjustment.MENTAL_DISORDER, Adjustment.CARE_RISK_EVENTS)
FORMS = st.fixed_dictionaries({code: st.integers(0, most) for code, most in ITEMS.items()})
FINDINGS = st.builds(Findings, coma=st.booleans(), mental_disorder=st.booleans(), risk_events=st.integers(0, 5))


def test_26_items_add_up_to_90_and_not_to_190() -> None:
    groups = {
        group.code: (len(group.items), sum(i.max for i in group.items)) for group in ability_standard().groups
    }
    assert groups == {"self_care": (8, 32), "movement": (4, 15), "mind": (9, 28), "perception": (5, 15)}
    assert (len(ITEMS), sum(ITEMS.values())) == (26, 90)
    assert {code for code, most in ITEMS.items() if most != 4} == {
        "stairs",
        "aggression",
        "depression",
        "consciousness",
        "vision",
        "hearing",
        "transport",
    }


def test_more_points_are_more_ability() -> None:
    able = score_ability(dict(ITEMS), Findings())
    helpless = score_ability(dict.fromkeys(ITEMS, 0), Findings())
    assert (able.total, able.level) == (90, 0)
    assert (helpless.total, helpless.level) == (0, 4)


@pytest.mark.parametrize(
    ("points", "level"), [(90, 0), (89, 1), (66, 1), (65, 2), (46, 2), (45, 3), (30, 3), (29, 4), (0, 4)]
)
def test_cut_offs(points: int, level: int) -> None:
    found = score_ability(whole_form(90 - points), Findings())
    assert (found.total, found.level_by_points, found.level) == (points, level, level)


@pytest.mark.parametrize(
    ("points", "findings", "level", "why"),
    [
        (90, Findings(coma=True), 4, (Adjustment.COMA,)),
        (90, Findings(mental_disorder=True), 1, (Adjustment.MENTAL_DISORDER,)),
        (70, Findings(risk_events=2), 2, (Adjustment.CARE_RISK_EVENTS,)),
        (70, Findings(risk_events=1), 1, ()),
        # Once only, however many hold, and never beyond 4.
        (70, Findings(mental_disorder=True, risk_events=3), 2, BOTH),
        (10, Findings(mental_disorder=True, risk_events=3), 4, BOTH),
        (50, Findings(coma=True, risk_events=2), 4, (Adjustment.COMA, Adjustment.CARE_RISK_EVENTS)),
    ],
)
def test_adjustments(points: int, findings: Findings, level: int, why: tuple[Adjustment, ...]) -> None:
    found = score_ability(whole_form(90 - points), findings)
    assert (found.level, found.adjustments) == (level, why)


@given(FORMS, FINDINGS)
def test_a_level_is_never_better_than_by_points_nor_two_worse_without_coma(
    scores: dict[str, int], findings: Findings
) -> None:
    found = score_ability(scores, findings)
    assert found.total == sum(scores.values()) == sum(found.sums.values())
    assert found.level_by_points <= found.level <= 4
    if not findings.coma:
        assert found.level - found.level_by_points <= 1


@given(FORMS, st.sampled_from(sorted(ITEMS)))
def test_losing_a_point_never_makes_anybody_abler(scores: dict[str, int], code: str) -> None:
    worse = {**scores, code: max(scores[code] - 1, 0)}
    assert score_ability(worse, Findings()).level >= score_ability(scores, Findings()).level


def test_what_is_wrong_with_a_form_is_named() -> None:
    form = {**ITEMS, "eating": 5, "stairs": 4, "hearing": -1, "singing": 1}
    del form["memory"]
    assert sorted(score_problems(form)) == [
        ("eating", "out_of_range"),
        ("hearing", "out_of_range"),
        ("memory", "missing"),
        ("singing", "unknown"),
        ("stairs", "out_of_range"),
    ]
    with pytest.raises(ValueError, match="not whole"):
        score_ability(form, Findings())


def test_a_figure_without_a_check_says_so() -> None:
    assert ability_standard().verified is False
    assert ability_standard().valid_months == 12
    assert ability_standard().assessors == 2


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 11, 22), date(2027, 11, 21)),
        (date(2026, 3, 1), date(2027, 2, 28)),
        (date(2028, 2, 29), date(2029, 2, 27)),
    ],
)
def test_twelve_months_end_on_the_day_before(first: date, last: date) -> None:
    assert last_day(first, 12) == last


@pytest.mark.parametrize(
    ("answers", "total", "level"),
    [
        ((0, 0, 0, 0, 0), 0, "independent"),
        ((2, 0, 0, 0, 0), 3, "independent"),
        ((1, 1, 1, 1, 1), 3, "independent"),
        ((2, 1, 0, 0, 0), 4, "mild"),
        ((2, 0, 0, 2, 0), 8, "mild"),
        ((2, 1, 0, 2, 0), 9, "moderate"),
        ((2, 0, 0, 2, 3), 18, "moderate"),
        ((2, 1, 0, 2, 3), 19, "dependent"),
        ((3, 3, 3, 3, 3), 37, "dependent"),
    ],
)
def test_self_care_by_the_table(answers: tuple[int, ...], total: int, level: str) -> None:
    codes = [item.code for item in self_care_table().items]
    assert rate_self_care(dict(zip(codes, answers, strict=True))) == (total, level)


@pytest.mark.parametrize("answers", [{}, {"eating": 0}, dict.fromkeys(("eating", "washing"), 4)])
def test_a_table_that_is_not_whole_has_no_level(answers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not whole"):
        rate_self_care(answers)
