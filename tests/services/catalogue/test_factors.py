"""What a price may depend on: each factor, and a public visit fee made of several."""

from datetime import UTC, date, datetime, time

import pytest
from pydantic import ValidationError

from services.catalogue.factors import (
    DayFactor,
    DayKind,
    DistanceFactor,
    HoursFactor,
    LicenceFactor,
    PriceContext,
    RiskFactor,
    TagFactor,
)
from services.catalogue.pricing import Component, ComponentKind, PriceRule, quote, travel_steps
from services.tariffs.days import day_kind


def at(hour: int, minute: int = 0) -> PriceContext:
    """Care that begins at a local time (UTC+8)."""
    return PriceContext(start=datetime(2026, 11, 24, (hour - 8) % 24, minute, tzinfo=UTC))


NIGHT = HoursFactor(kind="hours", starts=time(18), ends=time(8))
MORNING = HoursFactor(kind="hours", starts=time(8), ends=time(12))
NEAR = DistanceFactor(kind="distance", from_m=0, below_m=3000)
FAR = DistanceFactor(kind="distance", from_m=3000)


@pytest.mark.parametrize(
    ("factor", "context", "expected"),
    [
        (TagFactor(kind="tag", tag="urgent"), PriceContext(tags=frozenset({"urgent"})), True),
        (TagFactor(kind="tag", tag="urgent"), PriceContext(), False),
        (NEAR, PriceContext(distance_m=0), True),
        (NEAR, PriceContext(distance_m=2999), True),
        (NEAR, PriceContext(distance_m=3000), False),
        (FAR, PriceContext(distance_m=3000), True),
        (FAR, PriceContext(distance_m=None), False),
        (NIGHT, at(18), True),
        (NIGHT, at(23, 59), True),
        (NIGHT, at(7, 59), True),
        (NIGHT, at(8), False),
        (NIGHT, at(17, 59), False),
        (NIGHT, PriceContext(), False),
        (MORNING, at(8), True),
        (MORNING, at(12), False),
        (DayFactor(kind="day", any_of=[DayKind.HOLIDAY]), PriceContext(day_kind=DayKind.HOLIDAY), True),
        (DayFactor(kind="day", any_of=[DayKind.HOLIDAY]), PriceContext(day_kind=DayKind.WEEKEND), False),
        (DayFactor(kind="day", any_of=[DayKind.HOLIDAY]), PriceContext(), False),
        (LicenceFactor(kind="licence", any_of=["nurse"]), PriceContext(licences=frozenset({"nurse"})), True),
        (LicenceFactor(kind="licence", any_of=["nurse"]), PriceContext(), False),
        (RiskFactor(kind="risk", any_of=["infection"]), PriceContext(risks=frozenset({"infection"})), True),
        (RiskFactor(kind="risk", any_of=["infection"]), PriceContext(risks=frozenset({"fall"})), False),
    ],
)
def test_factors(factor: TagFactor, context: PriceContext, expected: bool) -> None:
    assert factor.holds(context) is expected


def test_a_band_upside_down_is_refused() -> None:
    with pytest.raises(ValidationError, match="end of a band"):
        DistanceFactor(kind="distance", from_m=3000, below_m=3000)


@pytest.mark.parametrize(
    ("metres", "expected"), [(None, 0), (0, 0), (5000, 0), (5001, 1), (6000, 1), (6001, 2), (12_000, 7)]
)
def test_travel_counts_started_kilometres_beyond_the_free_ones(metres: int | None, expected: int) -> None:
    part = Component(
        code="t", name_zh="交通", name_en="Travel", kind=ComponentKind.TRAVEL, unit_fen=200, free_m=5000
    )
    assert travel_steps(part, metres) == expected


def visit_fee() -> PriceRule:
    """A price with the parts a public institution may set; the amounts belong to this test."""

    def part(code: str, kind: str, fen: int = 0, **more: object) -> dict[str, object]:
        return {"code": code, "name_zh": code, "name_en": code, "kind": kind, "unit_fen": fen, **more}

    return PriceRule.model_validate(
        {
            "source": "test",
            "version": "1",
            "effective_date": date(2026, 1, 1),
            "verified": False,
            "components": [
                part("medical_service", "flat", 3900),
                part("home_visit_fee.near", "flat", 5000, factors=[NEAR.model_dump(mode="json")]),
                part("home_visit_fee.far", "flat", 8000, factors=[FAR.model_dump(mode="json")]),
                part("home_visit_fee.transport", "travel", 200, free_m=3000),
                part(
                    "home_visit_fee.nurse",
                    "flat",
                    1500,
                    factors=[{"kind": "licence", "any_of": ["nurse_licence"]}],
                ),
                part(
                    "home_visit_fee.night",
                    "percent",
                    basis_points=2500,
                    factors=[{"kind": "hours", "starts": "18:00", "ends": "08:00"}],
                ),
            ],
        }
    )


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (PriceContext(distance_m=1200), {"medical_service": 3900, "home_visit_fee.near": 5000}),
        (
            PriceContext(distance_m=4100, licences=frozenset({"nurse_licence"})),
            {
                "medical_service": 3900,
                "home_visit_fee.far": 8000,
                "home_visit_fee.transport": 400,
                "home_visit_fee.nurse": 1500,
            },
        ),
        (
            PriceContext(distance_m=1200, start=at(20).start),
            {"medical_service": 3900, "home_visit_fee.near": 5000, "home_visit_fee.night": 2225},
        ),
    ],
)
def test_a_visit_fee_of_several_factors(context: PriceContext, expected: dict[str, int]) -> None:
    found = quote(visit_fee(), 1, 30, context)
    assert {line.code: line.amount_fen for line in found.lines} == expected
    assert found.total_fen == sum(expected.values())


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), DayKind.HOLIDAY),
        (date(2026, 11, 22), DayKind.WEEKEND),
        (date(2026, 2, 14), DayKind.WORKDAY),  # a Saturday that is worked for the Spring Festival
        (date(2026, 11, 24), DayKind.WORKDAY),
        (date(2190, 1, 2), DayKind.WEEKEND),
        (date(2190, 1, 4), DayKind.WORKDAY),
    ],
)
def test_kinds_of_days(day: date, kind: DayKind) -> None:
    assert day_kind(day) is kind
