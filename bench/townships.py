"""Invented township days, from a seed: villages, visits, caregivers with shifts, breaks and preferences."""

import math
import random

from services.planning.problem import Break, PlanCaregiver, PlanVisit, Problem

HOUR = 3_600
SKILLS = (("bath", 0.35), ("nurse", 0.25), ("rehab", 0.2), ("tcm", 0.15))
DIALECTS = ("a", "b", "c")


def township(visits: int, caregivers: int, seed: int, preferences: bool = True) -> Problem:
    """A day. With preferences some residents know their caregiver or wish a dialect: VROOM cannot know that.

    Two thirds of the visits lie in villages, half have a window of two hours, the others of half a day.
    """
    rng = random.Random(f"{visits}/{caregivers}/{seed}")
    villages = [(rng.uniform(0, 14), rng.uniform(0, 14)) for _ in range(max(4, visits // 25))]
    spots = [_spot(rng, villages) for _ in range(visits + caregivers)]
    staff = [_caregiver(rng, number, visits + number) for number in range(caregivers)]
    day = [_visit(rng, number, staff if preferences else []) for number in range(visits)]
    scooter = [[_seconds(a, b, 22, 120) for b in spots] for a in spots]
    return Problem(day, staff, {"scooter": scooter})


def _spot(rng: random.Random, villages: list[tuple[float, float]]) -> tuple[float, float]:
    if rng.random() < 0.33:
        return rng.uniform(0, 14), rng.uniform(0, 14)
    x, y = rng.choice(villages)
    return rng.gauss(x, 0.6), rng.gauss(y, 0.6)


def _seconds(a: tuple[float, float], b: tuple[float, float], kmh: float, fixed: int) -> int:
    return 0 if a == b else round(math.dist(a, b) * 1.35 / kmh * HOUR) + fixed


def _caregiver(rng: random.Random, number: int, home: int) -> PlanCaregiver:
    start = rng.choice([7, 8, 8, 8, 9]) * HOUR
    tags = frozenset(skill for skill, share in SKILLS if rng.random() < 2 * share)
    noon = Break(round(11.5 * HOUR), 13 * HOUR, 1_800)
    return PlanCaregiver(f"c{number}", home, "scooter", ((start, start + 9 * HOUR),), tags, (noon,))


def _visit(rng: random.Random, number: int, staff: list[PlanCaregiver]) -> PlanVisit:
    wanted = [skill for skill, share in SKILLS if rng.random() < share / 2]
    if rng.random() < 0.5:
        low = rng.randrange(7 * 2, 15 * 2) * 1_800
        window = (low, low + 2 * HOUR)
    else:
        window = rng.choice([(8 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR), (8 * HOUR, 17 * HOUR)])
    duration = rng.choice([20, 30, 30, 30, 60]) * 60
    affinity = {}
    if staff and rng.random() < 0.4:
        affinity = {rng.choice(staff).key: 900}
    if staff and rng.random() < 0.2:
        dialect = rng.randrange(len(DIALECTS))
        affinity |= {one.key: 300 for place, one in enumerate(staff) if place % len(DIALECTS) == dialect}
    return PlanVisit(
        f"v{number}",
        number,
        duration,
        (window,),
        frozenset(wanted[:2]),
        priority=rng.choice([1, 1, 1, 2]),
        affinity=affinity,
    )
