"""Matching, by tables: who is ruled out and why, when a visit fits, and what makes one rank higher."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.caregivers.models import TravelMode
from services.core.geo import Point
from services.dispatch.facts import Candidate, Job, Licence, Match, Need, RuledOut, Span, weights
from services.dispatch.matching import (
    common_start,
    consider,
    day_load,
    issues_at,
    neat_start,
    possible_starts,
    rank,
)
from services.dispatch.travel import paces, travel_seconds
from services.residents.models import Gender

DAY = datetime(2026, 11, 24, tzinfo=UTC)
HOME = Point(28.30, 113.20)
FAR = Point(28.40, 113.20)


def held(since: date, until: date) -> Licence:
    """The licence that the need asks for."""
    return Licence("elderly_care_worker", since, until)


VALID = held(date(2020, 1, 1), date(2030, 1, 1))


def at(hour: float) -> datetime:
    """An hour of the day."""
    return DAY + timedelta(hours=hour)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


NEED = Need(
    skills=frozenset({"bathing"}),
    licences=frozenset({"elderly_care_worker"}),
    window=span(1, 5),
    duration=timedelta(hours=1),
    place=HOME,
    now=at(-10),
)
FIT = Candidate(
    id=UUID(int=1),
    name="陈护理",
    gender=Gender.FEMALE,
    skills=frozenset({"bathing"}),
    dialects=frozenset({"长沙话"}),
    mode=TravelMode.SCOOTER,
    home=HOME,
    licences=(VALID,),
    shifts=(span(0, 8),),
)


def judge(candidate: Candidate, need: Need = NEED) -> Match | RuledOut:
    return consider(need, candidate, weights(), paces())


def codes(found: Match | RuledOut) -> list[str]:
    assert isinstance(found, RuledOut)
    return [reason.code for reason in found.reasons]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"skills": frozenset({"cleaning"})}, ["missing_skill"]),
        ({"licences": ()}, ["licence_missing"]),
        (
            {"licences": (held(date(2020, 1, 1), date(2026, 11, 23)),)},
            ["licence_expired"],
        ),
        (
            {"licences": (held(date(2026, 11, 25), date(2030, 1, 1)),)},
            ["licence_expired"],
        ),
        ({"left_at": at(-1)}, ["left"]),
        ({"shifts": ()}, ["not_on_shift"]),
        ({"shifts": (span(4.5, 8),)}, ["not_on_shift"]),
        ({"jobs": (Job(span(0, 4.5), HOME),)}, ["busy"]),
        ({"jobs": (Job(span(0, 4), FAR),)}, ["travel_too_long"]),
        (
            {"skills": frozenset(), "licences": (), "shifts": ()},
            ["missing_skill", "licence_missing", "not_on_shift"],
        ),
    ],
)
def test_what_rules_out(change: dict[str, object], expected: list[str]) -> None:
    assert codes(judge(replace(FIT, **change))) == expected  # type: ignore[arg-type]


def test_a_licence_is_valid_on_both_of_its_days_by_the_local_calendar() -> None:
    """17:00 UTC is already the next day in 长沙."""
    need = replace(NEED, window=span(17, 20))
    late = replace(FIT, shifts=(span(16, 24),))
    assert codes(judge(replace(late, licences=(held(date(2020, 1, 1), date(2026, 11, 24)),)), need)) == [
        "licence_expired"
    ]
    assert isinstance(
        judge(replace(late, licences=(held(date(2026, 11, 25), date(2026, 11, 25)),)), need),
        Match,
    )


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ((), [span(1, 4)]),
        ((Job(span(0, 1.5), HOME),), [span(1.5, 4)]),
        ((Job(span(2, 3), HOME),), [span(1, 1), span(3, 4)]),
        ((Job(span(2.5, 3), HOME),), [span(1, 1.5), span(3, 4)]),
        ((Job(span(1.5, 3), HOME), Job(span(3.5, 4.5), HOME)), []),
        ((Job(span(4.5, 6), HOME),), [span(1, 3.5)]),
    ],
)
def test_the_gaps_between_visits(jobs: tuple[Job, ...], expected: list[Span]) -> None:
    found = possible_starts(NEED, replace(FIT, jobs=jobs), paces()[TravelMode.SCOOTER])
    assert list(found) == expected


def test_the_way_is_part_of_the_gap() -> None:
    way = timedelta(seconds=travel_seconds(paces()[TravelMode.SCOOTER], FAR, HOME))
    assert way > timedelta(minutes=30)
    (free,) = possible_starts(
        NEED, replace(FIT, jobs=(Job(span(0, 2), FAR), Job(span(6, 7), FAR))), paces()[TravelMode.SCOOTER]
    )
    assert free.starts_at == at(2) + way
    assert free.ends_at == at(4)
    before = issues_at(
        NEED, replace(FIT, jobs=(Job(span(0, 2), FAR),)), at(2) + way - timedelta(seconds=1), paces()
    )
    assert [reason.code for reason in before] == ["travel_too_long"]
    assert issues_at(NEED, replace(FIT, jobs=(Job(span(0, 2), FAR),)), at(2) + way, paces()) == []


def test_nobody_is_there_before_she_can_be() -> None:
    need = replace(NEED, now=at(1.5))
    found = judge(replace(FIT, home=FAR), need)
    assert isinstance(found, Match)
    assert found.starts_at > at(2)


def test_every_proposed_start_passes_the_check_at_that_start() -> None:
    """The two sides of the rule agree, over many random days."""
    rng = random.Random(7)  # noqa: S311  repeatable days, no secrets
    for _ in range(300):
        jobs, clock = [], 0.0
        while clock < 7:
            clock += rng.uniform(0.1, 2)
            end = clock + rng.uniform(0.3, 1.5)
            jobs.append(Job(span(clock, end), Point(28.3 + rng.uniform(-0.05, 0.05), 113.2)))
            clock = end
        candidate = replace(FIT, jobs=tuple(jobs))
        found = judge(candidate)
        if isinstance(found, RuledOut):
            assert codes(found)[0] in ("busy", "travel_too_long")
            continue
        for free in found.starts:
            assert NEED.window.starts_at <= free.starts_at <= free.ends_at <= at(4)
            assert issues_at(NEED, candidate, free.starts_at, paces()) == []
            assert issues_at(NEED, candidate, free.ends_at, paces()) == []


@pytest.mark.parametrize(
    ("better", "worse", "need"),
    [
        ({}, {"home": FAR}, NEED),
        ({"earlier_visits": 2}, {}, NEED),
        ({}, {"jobs": (Job(span(5.5, 7.5), HOME),)}, NEED),
        ({}, {"gender": Gender.MALE}, replace(NEED, gender=Gender.FEMALE)),
        ({}, {"dialects": frozenset()}, replace(NEED, dialect="长沙话")),
    ],
)
def test_what_ranks_higher(better: dict[str, object], worse: dict[str, object], need: Need) -> None:
    first = replace(FIT, id=UUID(int=9), **better)  # type: ignore[arg-type]
    second = replace(FIT, id=UUID(int=1), **worse)  # type: ignore[arg-type]
    fits, _ = rank(need, [second, first], weights(), paces())
    assert [match.caregiver.id.int for match in fits] == [9, 1]
    assert fits[0].score > fits[1].score


def test_a_wish_that_nobody_made_is_not_counted() -> None:
    found = judge(replace(FIT, earlier_visits=3))
    assert isinstance(found, Match)
    assert found.score == 100.0
    assert [reason.code for reason in found.reasons] == ["travel", "continuity", "load"]


def test_the_order_of_equals_does_not_depend_on_the_input() -> None:
    crowd = [replace(FIT, id=UUID(int=number)) for number in range(1, 6)]
    fits, _ = rank(NEED, reversed(crowd), weights(), paces())
    assert [match.caregiver.id.int for match in fits] == [1, 2, 3, 4, 5]


def test_the_load_is_that_of_the_local_day() -> None:
    jobs = (Job(span(-9, -8), HOME), Job(span(-7, -6), HOME), Job(span(15, 16.5), HOME), Job(span(16.5, 17), HOME))
    assert day_load(replace(FIT, jobs=jobs), at(2)) == timedelta(hours=2.5)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], None),
        ([[span(1, 4)]], at(1)),
        ([[span(1, 2)], [span(2, 3)]], at(2)),
        ([[span(1, 2)], [span(2.5, 3)]], None),
        ([[span(1, 1.5), span(3, 4)], [span(2, 3.5)]], at(3)),
    ],
)
def test_a_team_s_first_common_start(options: list[list[Span]], expected: datetime | None) -> None:
    assert common_start(options, weights().grid) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (timedelta(0), timedelta(hours=1), timedelta(0)),
        (timedelta(seconds=1), timedelta(hours=1), timedelta(minutes=5)),
        (timedelta(minutes=4, seconds=59), timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(minutes=6), timedelta(minutes=9), timedelta(minutes=6)),
    ],
)
def test_people_are_told_whole_five_minutes(start: timedelta, end: timedelta, expected: timedelta) -> None:
    assert neat_start(Span(DAY + start, DAY + end), weights().grid) == DAY + expected
