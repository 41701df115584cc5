"""Small invented days: every rule of the planner somewhere, drawn from a seed."""

import random

from services.planning.problem import (
    Assignment,
    Break,
    Follows,
    Options,
    Pin,
    PlanCaregiver,
    PlanVisit,
    Problem,
    Weights,
)

WEIGHTS = Weights(unassigned=200_000, travel=1, lateness=2, overtime=2, unfairness=300, change=1_800)
HOUR = 3_600
SKILLS = ("bath", "nurse", "walk")


def at(hours: float) -> int:
    """A time of the day in seconds from midnight."""
    return round(hours * HOUR)


def line(places: int, step: int = 300) -> list[list[int]]:
    """Places on a road, five minutes from one to the next."""
    return [[abs(a - b) * step for b in range(places)] for a in range(places)]


def visit(key: str, place: int, *windows: tuple[float, float], minutes: int = 30, **more: object) -> PlanVisit:
    """A visit with windows in hours."""
    spans = tuple((at(low), at(high)) for low, high in windows or ((8, 17),))
    return PlanVisit(key, place, minutes * 60, spans, **more)  # type: ignore[arg-type]


def caregiver(key: str, *shifts: tuple[float, float], home: int = 0, **more: object) -> PlanCaregiver:
    """A caregiver with shifts in hours."""
    spans = tuple((at(start), at(end)) for start, end in shifts or ((8, 17),))
    return PlanCaregiver(key, home, "road", spans, **more)  # type: ignore[arg-type]


def problem(
    visits: list[PlanVisit], caregivers: list[PlanCaregiver], running: tuple[Assignment, ...] = ()
) -> Problem:
    """A day on the road."""
    places = 1 + max([v.place for v in visits] + [c.home for c in caregivers], default=0)
    return Problem(visits, caregivers, {"road": line(places)}, running)


def options(**more: object) -> Options:
    """Few moves, so that it is quick and can be repeated."""
    return Options(**{"weights": WEIGHTS, "moves": 4_000, "seconds": 5.0, **more})  # type: ignore[arg-type]


def random_day(seed: int, synchronised: bool = True, pins: bool = True) -> Problem:
    """A day with a bit of everything."""
    rng = random.Random(seed)  # noqa: S311  invented days
    places = 12
    spots = [(rng.randint(0, 40), rng.randint(0, 40)) for _ in range(places)]
    road = [[60 * (abs(a - c) + abs(b - d)) for c, d in spots] for a, b in spots]
    scooter = [[way * 2 // 3 for way in row] for row in road]
    staff = [_random_caregiver(rng, f"c{number}", places) for number in range(rng.randint(1, 5))]
    visits: list[PlanVisit] = []
    for number in range(rng.randint(1, 9)):
        visits += _random_group(rng, number, places, synchronised)
    if pins:
        visits = [_perhaps_pinned(rng, one, staff) for one in visits]
    staff_keys = [one.key for one in staff]
    running = []
    for one in visits:
        if rng.random() < 0.3:
            start = one.windows[0][0] + rng.randint(-600, 600)
            running.append(Assignment(one.key, rng.choice(staff_keys), start, start + one.duration, 0))
    return Problem(visits, staff, {"road": road, "scooter": scooter}, tuple(running))


def _random_caregiver(rng: random.Random, key: str, places: int) -> PlanCaregiver:
    start = rng.choice([7, 8, 9])
    shifts: tuple[tuple[int, int], ...] = ((at(start), at(start + rng.choice([4, 8]))),)
    if rng.random() < 0.3:
        shifts = ((at(start), at(start + 4)), (at(start + 6), at(start + 10)))
    breaks = []
    if rng.random() < 0.6:
        breaks.append(Break(at(11), at(13), 1_800))
    if rng.random() < 0.3:
        breaks.append(Break(at(9), at(10), 900))
    return PlanCaregiver(
        key,
        rng.randrange(places),
        rng.choice(["road", "scooter"]),
        shifts,
        frozenset(rng.sample(SKILLS, rng.randint(0, 3))),
        tuple(breaks),
        longest_work=rng.choice([None, None, at(3)]),
        overtime=rng.choice([0, 0, 1_800]),
    )


def _random_visit(rng: random.Random, key: str, place: int, **more: object) -> PlanVisit:
    start = rng.randint(7, 15)
    windows = [(at(start), at(start + rng.choice([1, 2, 4, 8])))]
    if rng.random() < 0.3:
        later = at(start + 9)
        windows.append((later, later + at(2)))
    return PlanVisit(
        key,
        place,
        rng.choice([300, 600, 1_800, 3_600]),
        tuple(windows),
        frozenset(rng.sample(SKILLS, rng.choice([0, 0, 1]))),
        priority=rng.choice([1, 1, 4]),
        latest_soft_start=rng.choice([None, at(start + 1)]),
        excluded=frozenset(rng.sample(["c0", "c1", "c2"], rng.choice([0, 0, 1]))),
        affinity={"c0": 600, "c1": -300} if rng.random() < 0.3 else {},
        **more,  # type: ignore[arg-type]
    )


def _random_group(rng: random.Random, number: int, places: int, synchronised: bool) -> list[PlanVisit]:
    key, place = f"v{number}", rng.randrange(places)
    kind = rng.random() if synchronised else 1.0
    if kind < 0.2:
        first = _random_visit(rng, f"{key}a", place, team=key)
        second = _random_visit(rng, f"{key}b", place, team=key)
        return [first, PlanVisit(**{**_fields(second), "windows": first.windows})]
    if kind < 0.4:
        first = _random_visit(rng, f"{key}a", place)
        low = rng.choice([0, 1_800])
        follows = Follows(first.key, low, low + rng.choice([0, 3_600]), rng.random() < 0.5)
        second = _random_visit(rng, f"{key}b", place, follows=follows)
        return [first, PlanVisit(**{**_fields(second), "windows": first.windows})]
    return [_random_visit(rng, key, place)]


def _fields(one: PlanVisit) -> dict[str, object]:
    return {name: getattr(one, name) for name in PlanVisit.__dataclass_fields__}


def _perhaps_pinned(rng: random.Random, one: PlanVisit, staff: list[PlanCaregiver]) -> PlanVisit:
    if rng.random() > 0.15:
        return one
    pin = Pin(rng.choice(staff).key, at(rng.randint(7, 16)))
    return PlanVisit(**{**_fields(one), "pin": pin})
