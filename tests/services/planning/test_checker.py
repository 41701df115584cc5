"""The checker finds each kind of damage that is done to a good plan, and nothing in the good one."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.planning.checker import check
from services.planning.problem import Assignment, Break, EngineName, Follows, Pin, Plan, Problem, Unassigned
from services.planning.service import plan
from tests import planned_days as days

NOON = Break(days.at(12), days.at(13), 1_800)
DAY = days.problem(
    [
        days.visit("bath-1", 2, (9, 11), team="bath"),
        days.visit("bath-2", 2, (9, 11), team="bath"),
        days.visit("pill", 3, (8, 17), tags=frozenset({"nurse"})),
        days.visit("look", 3, (8, 17), follows=Follows("pill", 1_800, 3_600)),
        days.visit("begun", 1, (8, 17), pin=Pin("anna", days.at(8.5))),
        days.visit("walk", 4, (14, 15), excluded=frozenset({"anna"})),
        days.visit("night", 4, (22, 23)),
    ],
    [
        days.caregiver("anna", (8, 12), (13, 17), tags=frozenset({"nurse"}), longest_work=days.at(6)),
        days.caregiver("berta", (8, 17), breaks=(NOON,), longest_work=days.at(6)),
        days.caregiver("clara", (8, 9), longest_work=600),
    ],
)
GOOD = plan(DAY, days.options(engine=EngineName.GREEDY))

Damage = Callable[[Plan], Plan]


def entry(found: Plan, key: str) -> Assignment:
    return next(one for one in found.assignments if one.visit == key)


def changed(key: str, **fields: object) -> Damage:
    def damage(found: Plan) -> Plan:
        new = replace(entry(found, key), **fields)  # type: ignore[arg-type]
        return replace(found, assignments=tuple(new if one.visit == key else one for one in found.assignments))

    return damage


def moved(key: str, by: int) -> Damage:
    def damage(found: Plan) -> Plan:
        one = entry(found, key)
        return changed(key, starts_at=one.starts_at + by, ends_at=one.ends_at + by)(found)

    return damage


def without(key: str, listed: bool = True) -> Damage:
    def damage(found: Plan) -> Plan:
        left = (*found.unassigned, Unassigned(key, {})) if listed else found.unassigned
        kept = tuple(one for one in found.assignments if one.visit != key)
        return replace(
            found, assignments=kept, unassigned=left, summary=replace(found.summary, unassigned=len(left))
        )

    return damage


def other_in_the_bath(found: Plan) -> Plan:
    return changed("bath-2", caregiver=entry(found, "bath-1").caregiver)(found)


def doubled(found: Plan) -> Plan:
    return replace(found, assignments=(*found.assignments, entry(found, "walk")))


def at_noon(found: Plan) -> Plan:
    """One long visit of Berta's over her whole break."""
    return changed("look", caregiver="berta", starts_at=days.at(11.9), ends_at=days.at(13.2))(found)


DAMAGE: dict[str, tuple[Damage, str]] = {
    "a visit twice": (doubled, "stands 2 times"),
    "a visit not at all": (without("walk", listed=False), "stands 0 times"),
    "half a team": (without("bath-1"), "only a part of"),
    "what follows without what comes first": (without("pill"), "only a part of"),
    "a pin gone": (without("begun"), "pinned visit begun was moved"),
    "a pin at another time": (moved("begun", 60), "pinned visit begun was moved"),
    "a pin with somebody else": (changed("begun", caregiver="berta"), "pinned visit begun was moved"),
    "somebody unknown": (changed("walk", caregiver="zoe"), "not in the problem"),
    "too short": (changed("walk", ends_at=days.at(14.2)), "does not take its time"),
    "no licence": (changed("pill", caregiver="berta"), "lacks a skill or licence"),
    "excluded": (changed("walk", caregiver="anna"), "must not do visit walk"),
    "too early": (moved("walk", -7_200), "in none of its windows"),
    "too late": (moved("walk", 7_200), "in none of its windows"),
    "a team apart": (moved("bath-1", 300), "does not start together"),
    "a team of one": (other_in_the_bath, "has"),
    "follows too late": (moved("look", 7_200), "keep its distance"),
    "follows too early": (moved("look", -3_600), "keep its distance"),
    "no time for the way": (
        changed("pill", starts_at=days.at(9.05), ends_at=days.at(9.55)),
        "cannot be at visit pill in time after begun",
    ),
    "before the shift": (moved("pill", -7_200), "outside the shifts"),
    "between shifts": (
        changed("pill", starts_at=days.at(12.25), ends_at=days.at(12.75)),
        "outside the shifts of anna",
    ),
    "not home in time": (changed("pill", starts_at=days.at(11.5), ends_at=days.at(12)), "not home by the end"),
    "away before the way was done": (
        changed("pill", starts_at=days.at(13), ends_at=days.at(13.5)),
        "before the shift allows",
    ),
    "no break": (at_noon, "no room for a break"),
    "too much work": (changed("walk", caregiver="clara"), "longer than allowed"),
    "a wrong way": (changed("walk", travel=7), "is not 7 s long"),
    "a wrong count": (
        lambda found: replace(found, summary=replace(found.summary, unassigned=0)),
        "the summary counts",
    ),
}


def test_the_good_plan_is_good() -> None:
    assert check(DAY, GOOD) == []
    assert [one.visit for one in GOOD.unassigned] == ["night"]


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(name: str) -> None:
    damage, words = DAMAGE[name]
    assert any(words in line for line in check(DAY, damage(GOOD))), check(DAY, damage(GOOD))


def test_different_caregivers_may_be_asked_for_in_a_row() -> None:
    visits = [
        replace(one, follows=replace(one.follows, other_caregiver=True)) if one.follows is not None else one
        for one in DAY.visits
    ]
    apart = Problem(visits, DAY.caregivers, DAY.travel)
    same = changed("look", caregiver=entry(GOOD, "pill").caregiver)(GOOD)
    assert any("have the same caregiver" in line for line in check(apart, same))


def test_overtime_counts_only_where_it_is_allowed() -> None:
    day = days.problem([days.visit("late", 1, (16.5, 17.5))], [days.caregiver("anna", overtime=3_600)])
    allowed = days.options(engine=EngineName.GREEDY, allow_overtime=True)
    found = plan(day, allowed)
    assert found.summary.overtime > 0
    assert check(day, found, allowed) == []
    assert any("not home" in line for line in check(day, found, days.options()))


def test_a_break_that_pins_leave_no_room_for_is_not_asked_for() -> None:
    pinned = days.visit("long", 1, (8, 17), minutes=180, pin=Pin("anna", days.at(11)))
    day = days.problem([pinned, days.visit("short", 2)], [days.caregiver("anna", breaks=(NOON,))])
    found = plan(day, days.options(engine=EngineName.GREEDY))
    assert len(found.assignments) == 2
    assert check(day, found) == []
