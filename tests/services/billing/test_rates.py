"""From quote to bill, one cause at a time; differences add up; the quote is a ceiling unless somebody agreed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.minutes import billed_minutes, stayed
from services.billing.rates import LineCase, bill_line, total
from services.catalogue.factors import PriceContext
from services.catalogue.pricing import Component, PriceRule, quote
from services.catalogue.service import seed_items
from services.orders.lines import OrderLine

ITEMS = {item.code: item for item in seed_items()}
NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
DAY, NIGHT = (
    PriceContext(start=NOON, distance_m=1000),
    PriceContext(start=NOON + timedelta(hours=8), distance_m=1000),
)


def rule(flat: int, timed: int = 0, night: int = 0) -> PriceRule:
    """A fee, perhaps by the half hour, perhaps with a night surcharge in basis points."""
    parts: list[dict[str, object]] = [{"code": "fee", "kind": "flat", "unit_fen": flat}]
    if timed:
        parts.append({"code": "time", "kind": "timed", "unit_fen": timed, "per_minutes": 30})
    if night:
        hours = [{"kind": "hours", "starts": "18:00", "ends": "08:00"}]
        parts.append({"code": "night", "kind": "percent", "basis_points": night, "factors": hours})
    named = [Component.model_validate({"name_zh": "费", "name_en": "Fee", **part}) for part in parts]
    return PriceRule(components=named, source="test", version="1", effective_date=date(2026, 1, 1), verified=False)


def ordered(price: PriceRule, minutes: int = 60, line_no: int = 1, quantity: int = 1) -> OrderLine:
    item = ITEMS["cleaning"].model_copy(update={"price_rule": price})
    return OrderLine(line_no=line_no, item=item, quantity=quantity, minutes=minutes)


def case(of: PriceRule, on_the_day: PriceRule | None = None, **more: object) -> LineCase:
    line = ordered(of)
    given_facts: dict[str, object] = {
        "ordered": line,
        "quoted": quote(of, 1, 60, DAY).lines,
        "minutes": 60,
        "stayed": 60,
        "day_rule": on_the_day or of,
        "planned": DAY,
        "actual": DAY,
        **more,
    }
    return LineCase(**given_facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "expected", "reasons"),
    [
        (case(rule(1000)), 1000, []),
        (case(rule(1000, timed=500)), 2000, []),
        (case(rule(1000, timed=500), minutes=30, stayed=30), 1500, [("time", "shorter_stay", -500, 0)]),
        (case(rule(1000, timed=500), minutes=90, stayed=90), 2500, [("time", "extra_time_agreed", 500, 0)]),
        (case(rule(1000, timed=500), is_late=True), 2000, [("", "longer_stay_not_billed", 0, 0)]),
        (case(rule(1000), rule(800)), 800, [("fee", "tariff_of_the_day", -200, 0)]),
        (case(rule(1000), rule(1300)), 1000, [("", "tariff_rise_not_billed", 0, 300)]),
        (case(rule(1000, night=2000), actual=NIGHT), 1000, [("", "circumstances_not_billed", 0, 200)]),
        (
            case(rule(1000, night=2000), actual=NIGHT, agreed_circumstances=True),
            1200,
            [("night", "hours_changed", 200, 0)],
        ),
        # quoted at night, served in the day
        (
            case(rule(1000, night=2000), quoted=quote(rule(1000, night=2000), 1, 60, NIGHT).lines, planned=NIGHT),
            1000,
            [("night", "hours_changed", -200, 0)],
        ),
        # a cheaper tariff and a dearer hour: the tariff counts, the hour needs an agreement
        (
            case(rule(1000, night=2000), rule(900, night=5000), actual=NIGHT),
            900,
            [("fee", "tariff_of_the_day", -100, 0), ("", "circumstances_not_billed", 0, 450)],
        ),
        # agreed to the hour, not to the new tariff: the quoted rates at night
        (
            case(rule(1000, night=2000), rule(1500, night=2000), actual=NIGHT, agreed_circumstances=True),
            1200,
            [("", "tariff_rise_not_billed", 0, 500), ("night", "hours_changed", 200, 0)],
        ),
    ],
)
def test_causes(one: LineCase, expected: int, reasons: list[tuple[str, str, int, int]]) -> None:
    billed, differences = bill_line(one)
    assert total(billed) == expected
    assert [(d.code, d.reason, d.amount_fen, d.waived_fen) for d in differences] == reasons


RATES = st.builds(rule, st.integers(0, 5000), st.integers(0, 3000), st.integers(0, 9000))


@given(
    quoted=RATES,
    on_the_day=RATES,
    planned=st.sampled_from([DAY, NIGHT]),
    actual=st.sampled_from([DAY, NIGHT]),
    minutes=st.integers(1, 120),
    agreed=st.booleans(),
)
def test_differences_are_exact_and_nothing_grows_unasked(
    quoted: PriceRule,
    on_the_day: PriceRule,
    planned: PriceContext,
    actual: PriceContext,
    minutes: int,
    agreed: bool,
) -> None:
    before = quote(quoted, 1, 60, planned).lines
    one = case(
        quoted,
        on_the_day,
        quoted=before,
        planned=planned,
        actual=actual,
        minutes=minutes,
        agreed_circumstances=agreed,
    )
    billed, differences = bill_line(one)
    assert total(billed) - total(before) == sum(one.amount_fen for one in differences)
    assert all(line.quantity * line.unit_fen == line.amount_fen for line in billed)
    if minutes <= 60 and not agreed:
        assert total(billed) <= total(before)


@pytest.mark.parametrize(
    ("seconds", "expected"), [((3600,), 60), ((3629,), 60), ((3630,), 61), ((10,), 1), ((600, 1800), 30)]
)
def test_a_stay_is_rounded_half_up_and_the_longest_visit_counts(seconds: tuple[int, ...], expected: int) -> None:
    assert stayed([(NOON, NOON + timedelta(seconds=length)) for length in seconds]) == expected


def test_without_both_ends_there_is_no_stay() -> None:
    assert stayed([(None, NOON), (NOON, None)]) is None


TIMED, FLAT = rule(0, timed=500), rule(1000)


@pytest.mark.parametrize(
    ("plans", "stay", "agreed", "expected"),
    [
        ([(TIMED, 60)], None, 0, [60]),
        ([(TIMED, 60)], 45, 0, [45]),
        ([(TIMED, 60), (FLAT, 30)], 90, 0, [60, 30]),
        ([(TIMED, 60), (FLAT, 30)], 60, 0, [40, 20]),
        ([(TIMED, 60), (FLAT, 30)], 61, 0, [41, 20]),  # 40.67 and 20.33
        ([(TIMED, 60), (FLAT, 30)], 1, 0, [1, 1]),  # at least a minute each
        ([(TIMED, 60), (FLAT, 30)], 130, 0, [60, 30]),
        ([(TIMED, 60), (FLAT, 30)], 130, 20, [80, 30]),
        ([(TIMED, 60), (FLAT, 30), (TIMED, 30)], 130, 40, [67, 30, 33]),  # 10 more: 6.67 and 3.33
        ([(FLAT, 60)], 130, 40, [60]),
    ],
)
def test_minutes_of_several_services(
    plans: list[tuple[PriceRule, int]], stay: int | None, agreed: int, expected: list[int]
) -> None:
    lines = [ordered(price, minutes, number) for number, (price, minutes) in enumerate(plans, start=1)]
    assert billed_minutes(lines, stay, agreed) == expected
