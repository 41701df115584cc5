"""Matching, by tables: who is ruled out and why, when a visit fits, and what makes one rank higher."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.caregivers.models import TravelMode
from services.core.geo import Point
from services.dispatch.criteria.blocking import AT_AN_HOUR, NEVER_OVERRIDDEN, STANDING, Blocking, booked_on
from services.dispatch.criteria.scored import SCORED
from services.dispatch.ejecting import in_the_way, moves
from services.dispatch.facts import Candidate, Job, Licence, Match, Need, RuledOut, Span, day_at, weights
from services.dispatch.matching import (
    common_start,
    consider,
    issues_at,
    neat_start,
    possible_starts,
    rank,
)
from services.dispatch.travel import Ways, paces, travel_seconds
from services.residents.models import Gender

DAY = datetime(2026, 11, 24, tzinfo=UTC)
HOME = Point(28.30, 113.20)
FAR = Point(28.40, 113.20)
WAYS = Ways(paces())


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
    return consider(need, candidate, weights(), WAYS)


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
        ({"absences": (span(0, 8),)}, ["absent"]),
        ({"absences": (span(1.5, 4.5),)}, ["absent"]),
        ({"blocked": True}, ["kept_apart"]),
        ({"closed_on": frozenset({date(2026, 11, 24)})}, ["institution_closed"]),
        ({"practice_since": date(2024, 11, 25)}, []),
        ({"day_limit": 119, "jobs": (Job(span(6, 7), HOME),)}, ["over_day_limit"]),
        ({"week_limit": 2880, "week_minutes": {date(2026, 11, 23): 2821}}, ["over_week_limit"]),
        ({"week_limit": 2880, "week_minutes": {date(2026, 11, 16): 2880}}, []),
        ({"shifts": (), "on_call": (span(0, 8),)}, ["not_on_shift"]),
        (
            {"skills": frozenset(), "licences": (), "shifts": ()},
            ["missing_skill", "licence_missing", "not_on_shift"],
        ),
    ],
)
def test_what_rules_out(change: dict[str, object], expected: list[str]) -> None:
    found = judge(replace(FIT, **change))  # type: ignore[arg-type]
    assert (codes(found) if isinstance(found, RuledOut) else []) == expected


@pytest.mark.parametrize(
    ("since", "years", "fits"),
    [(date(2021, 11, 24), 5, True), (date(2021, 11, 25), 5, False), (None, 5, False), (None, 0, True)],
)
def test_years_of_practice_are_counted_to_the_day_of_service(since: date | None, years: int, fits: bool) -> None:
    found = judge(replace(FIT, practice_since=since), replace(NEED, practice_years=years))
    assert isinstance(found, Match) is fits


@pytest.mark.parametrize(
    ("gender", "must", "fits"),
    [(Gender.MALE, True, False), (Gender.MALE, False, True), (Gender.FEMALE, True, True), (None, True, True)],
)
def test_a_gender_that_is_a_must_rules_out(gender: Gender | None, must: bool, fits: bool) -> None:
    found = judge(FIT, replace(NEED, gender=gender, gender_is_must=must))
    assert isinstance(found, Match) is fits
    if not fits:
        assert codes(found) == ["gender_required"]


def test_one_of_several_windows_holds_the_whole_visit() -> None:
    need = replace(NEED, window=span(1, 8), windows=(span(1, 1.5), span(3, 4.5), span(6, 8)))
    assert list(possible_starts(need, FIT, WAYS)) == [span(3, 3.5), span(6, 7)]
    assert [reason.code for reason in issues_at(need, FIT, at(4), WAYS)] == ["outside_window"]
    assert issues_at(need, FIT, at(6.5), WAYS) == []


def test_leave_cuts_the_possible_starts() -> None:
    away = replace(FIT, absences=(span(2, 2.5), span(2.25, 3)))
    assert list(possible_starts(NEED, away, WAYS)) == [span(1, 1), span(3, 4)]
    assert [reason.code for reason in issues_at(NEED, away, at(1.5), WAYS)] == ["absent"]


def test_being_on_call_counts_for_an_urgent_order_and_less_than_a_shift() -> None:
    reserve = replace(FIT, id=UUID(int=1), shifts=(), on_call=(span(0, 8),))
    working = replace(FIT, id=UUID(int=9))
    need = replace(NEED, is_urgent=True)
    fits, _ = rank(need, [reserve, working], weights(), WAYS)
    assert [match.caregiver.id.int for match in fits] == [9, 1]
    assert codes(judge(reserve)) == ["not_on_shift"]


def test_a_day_on_which_something_speaks_against_her_is_left_out_and_the_next_is_not() -> None:
    """Two windows on two days; her institution is closed on the first."""
    need = replace(NEED, window=span(1, 29), windows=(span(1, 5), span(25, 29)))
    closed = replace(FIT, shifts=(span(0, 8), span(24, 32)), closed_on=frozenset({date(2026, 11, 24)}))
    found = judge(closed, need)
    assert isinstance(found, Match)
    assert found.starts == (span(25, 28),)


def test_every_criterion_has_its_own_code_and_words_in_both_languages() -> None:
    every: list[Blocking[Any]] = [*STANDING, *AT_AN_HOUR]
    assert len({one.code for one in every}) == len(every)
    assert all(one.zh and one.en for one in every)
    assert all(one.why for one in every if one.never_passed)
    assert set(weights().parts) == {part.code for part in SCORED}
    assert {"licence_missing", "licence_expired", "practice_too_short", "institution_closed"} <= NEVER_OVERRIDDEN
    assert {"in_the_past", "busy"} <= NEVER_OVERRIDDEN
    assert not {"kept_apart", "not_on_shift", "over_day_limit", "absent"} & NEVER_OVERRIDDEN


def test_an_urgent_order_names_whom_a_moved_visit_would_free() -> None:
    need = replace(NEED, window=span(1, 2.2), is_urgent=True)
    later, urgent = UUID(int=7), UUID(int=8)
    busy = replace(FIT, jobs=(Job(span(1, 2), HOME, later),))
    _, out = rank(need, [busy], weights(), WAYS)
    assert in_the_way(out, need.now) == {later}
    (move,) = moves(need, out, {later: span(1, 6)}, weights(), WAYS)
    assert (move.match.starts_at, move.job.order_id, move.moved_to) == (at(1), later, at(2))
    assert [one.moved_to for one in moves(need, out, {later: span(1, 2.5)}, weights(), WAYS)] == [None]
    assert moves(need, out, {urgent: span(1, 6)}, weights(), WAYS) == []


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
    found = possible_starts(NEED, replace(FIT, jobs=jobs), WAYS)
    assert list(found) == expected


def test_the_way_is_part_of_the_gap() -> None:
    way = timedelta(seconds=travel_seconds(paces()[TravelMode.SCOOTER], FAR, HOME))
    assert way > timedelta(minutes=30)
    (free,) = possible_starts(NEED, replace(FIT, jobs=(Job(span(0, 2), FAR), Job(span(6, 7), FAR))), WAYS)
    assert free.starts_at == at(2) + way
    assert free.ends_at == at(4)
    before = issues_at(NEED, replace(FIT, jobs=(Job(span(0, 2), FAR),)), at(2) + way - timedelta(seconds=1), WAYS)
    assert [reason.code for reason in before] == ["travel_too_long"]
    assert issues_at(NEED, replace(FIT, jobs=(Job(span(0, 2), FAR),)), at(2) + way, WAYS) == []


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
            assert issues_at(NEED, candidate, free.starts_at, WAYS) == []
            assert issues_at(NEED, candidate, free.ends_at, WAYS) == []


@pytest.mark.parametrize(
    ("better", "worse", "need"),
    [
        ({}, {"home": FAR}, NEED),
        ({"earlier_visits": 2}, {}, NEED),
        ({}, {"jobs": (Job(span(5.5, 7.5), HOME),)}, NEED),
        ({}, {"gender": Gender.MALE}, replace(NEED, gender=Gender.FEMALE)),
        ({}, {"dialects": frozenset()}, replace(NEED, dialect="长沙话")),
        ({}, {"home": Point(28.302, 113.20)}, replace(NEED, known=UUID(int=9))),
    ],
)
def test_what_ranks_higher(better: dict[str, object], worse: dict[str, object], need: Need) -> None:
    first = replace(FIT, id=UUID(int=9), **better)  # type: ignore[arg-type]
    second = replace(FIT, id=UUID(int=1), **worse)  # type: ignore[arg-type]
    fits, _ = rank(need, [second, first], weights(), WAYS)
    assert [match.caregiver.id.int for match in fits] == [9, 1]
    assert fits[0].score > fits[1].score


def test_a_wish_that_nobody_made_is_not_counted() -> None:
    found = judge(replace(FIT, earlier_visits=3))
    assert isinstance(found, Match)
    assert found.score == 100.0
    assert [reason.code for reason in found.reasons] == ["travel", "continuity", "load"]


def test_the_order_of_equals_does_not_depend_on_the_input() -> None:
    crowd = [replace(FIT, id=UUID(int=number)) for number in range(1, 6)]
    fits, _ = rank(NEED, reversed(crowd), weights(), WAYS)
    assert [match.caregiver.id.int for match in fits] == [1, 2, 3, 4, 5]


def test_the_load_is_that_of_the_local_day() -> None:
    jobs = (Job(span(-9, -8), HOME), Job(span(-7, -6), HOME), Job(span(15, 16.5), HOME), Job(span(16.5, 17), HOME))
    assert booked_on(replace(FIT, jobs=jobs), day_at(at(2))) == 150


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
