"""Is this plan allowed? Asked of every plan, whoever made it, with arithmetic of its own.

It shares nothing with the engines but the problem's types: a mistake made there is not made here again.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise

from services.planning.problem import Assignment, Break, Options, Plan, PlanCaregiver, PlanVisit, Problem

Shift = tuple[int, int]


def check(problem: Problem, plan: Plan, options: Options | None = None) -> list[str]:
    """What is wrong with a plan, in words; nothing for a good one.

    Without options, the overtime that caregivers offer counts as allowed.
    """
    visits = {visit.key: visit for visit in problem.visits}
    staff = {caregiver.key: caregiver for caregiver in problem.caregivers}
    wrong = _books(visits, staff, plan)
    if wrong:
        return wrong
    given = {entry.visit: entry for entry in plan.assignments}
    for entry in plan.assignments:
        wrong += _one(visits[entry.visit], staff[entry.caregiver], entry)
    wrong += _pins(visits, given)
    wrong += _together(problem.visits, given)
    overtime = options is None or options.allow_overtime
    theirs: dict[str, list[Assignment]] = {}
    for entry in plan.assignments:
        theirs.setdefault(entry.caregiver, []).append(entry)
    for caregiver in problem.caregivers:
        mine = sorted(
            theirs.get(caregiver.key, ()),
            key=lambda entry: (entry.starts_at, entry.ends_at, entry.visit),
        )
        wrong += _Tour(problem, caregiver, visits, overtime).check(mine)
    return wrong


def _books(visits: dict[str, PlanVisit], staff: dict[str, PlanCaregiver], plan: Plan) -> list[str]:
    """Every visit stands once, either assigned or not."""
    wrong = [
        f"visit {entry.visit} is not in the problem" for entry in plan.assignments if entry.visit not in visits
    ]
    wrong += [
        f"{entry.caregiver} is not in the problem" for entry in plan.assignments if entry.caregiver not in staff
    ]
    listed = Counter([entry.visit for entry in plan.assignments] + [entry.visit for entry in plan.unassigned])
    wrong += [f"visit {key} stands {listed[key]} times" for key in visits if listed[key] != 1]
    if plan.summary.visits != len(visits) or plan.summary.unassigned != len(plan.unassigned):
        wrong.append("the summary counts other visits than the plan has")
    return wrong


def _one(visit: PlanVisit, caregiver: PlanCaregiver, entry: Assignment) -> list[str]:
    """What can be said of one assignment alone."""
    wrong = []
    if entry.ends_at - entry.starts_at != visit.duration:
        wrong.append(f"visit {visit.key} does not take its time")
    if visit.pin is not None:
        return wrong
    if not visit.tags.issubset(caregiver.tags):
        wrong.append(f"{caregiver.key} lacks a skill or licence for visit {visit.key}")
    if caregiver.key in visit.excluded:
        wrong.append(f"{caregiver.key} must not do visit {visit.key}")
    if not any(low <= entry.starts_at and entry.ends_at <= high for low, high in visit.windows):
        wrong.append(f"visit {visit.key} lies in none of its windows")
    return wrong


def _pins(visits: dict[str, PlanVisit], given: dict[str, Assignment]) -> list[str]:
    wrong = []
    for key, visit in visits.items():
        if visit.pin is None:
            continue
        entry = given.get(key)
        if entry is None or (entry.caregiver, entry.starts_at) != (visit.pin.caregiver, visit.pin.starts_at):
            wrong.append(f"pinned visit {key} was moved")
    return wrong


def _together(visits: Sequence[PlanVisit], given: dict[str, Assignment]) -> list[str]:
    """Teams start together and are different people; what follows keeps its distance; all or nothing."""
    wrong = []
    by_key = {visit.key: visit for visit in visits}
    teams: dict[str, list[PlanVisit]] = {}
    bonds: dict[str, set[str]] = {visit.key: {visit.key} for visit in visits}

    def bind(one: str, other: str) -> None:
        merged = bonds[one] | bonds[other]
        for key in merged:
            bonds[key] = merged

    for visit in visits:
        if visit.team is not None:
            teams.setdefault(visit.team, []).append(visit)
        if visit.follows is not None:
            bind(visit.key, visit.follows.visit)
            wrong += _follows(visit, by_key[visit.follows.visit], given)
    for name, team in teams.items():
        for one, other in pairwise(team):
            bind(one.key, other.key)
        wrong += _team(name, team, given)
    for bond in {id(bond): bond for bond in bonds.values()}.values():
        free = [key for key in bond if by_key[key].pin is None]
        if 0 < sum(key in given for key in free) < len(free):
            wrong.append(f"only a part of {', '.join(sorted(bond))} is done")
    return wrong


def _team(name: str, team: Sequence[PlanVisit], given: dict[str, Assignment]) -> list[str]:
    wrong = []
    for one, other in combinations(team, 2):
        a, b = given.get(one.key), given.get(other.key)
        if a is None or b is None or (one.pin is not None and other.pin is not None):
            continue
        if a.starts_at != b.starts_at:
            wrong.append(f"team {name} does not start together")
        if a.caregiver == b.caregiver:
            wrong.append(f"team {name} has {a.caregiver} twice")
    return wrong


def _follows(visit: PlanVisit, first: PlanVisit, given: dict[str, Assignment]) -> list[str]:
    a, b = given.get(first.key), given.get(visit.key)
    if a is None or b is None or visit.follows is None or (visit.pin is not None and first.pin is not None):
        return []
    wrong = []
    if not visit.follows.at_least <= b.starts_at - a.starts_at <= visit.follows.at_most:
        wrong.append(f"visit {visit.key} does not keep its distance to {first.key}")
    if visit.follows.other_caregiver and a.caregiver == b.caregiver:
        wrong.append(f"visits {first.key} and {visit.key} have the same caregiver")
    return wrong


class _Tour:
    """One caregiver's day."""

    def __init__(
        self, problem: Problem, caregiver: PlanCaregiver, visits: dict[str, PlanVisit], overtime: bool
    ) -> None:
        self.way = problem.travel[caregiver.profile]
        self.caregiver = caregiver
        self.visits = visits
        self.shifts = sorted(shift for shift in caregiver.shifts if shift[0] < shift[1])
        self.extra = caregiver.overtime if overtime else 0

    def check(self, mine: Sequence[Assignment]) -> list[str]:
        """Everything that is wrong with this day."""
        key = self.caregiver.key
        wrong = []
        limit = self.caregiver.longest_work
        work = sum(self.visits[entry.visit].duration for entry in mine)
        if limit is not None and work > limit and not all(map(self.is_pinned, mine)):
            wrong.append(f"{key} works longer than allowed")
        shares: dict[int, list[Assignment]] = {}
        for entry in mine:
            number = self.shift_of(entry)
            if number is not None:
                shares.setdefault(number, []).append(entry)
            elif not self.is_pinned(entry):
                wrong.append(f"visit {entry.visit} is outside the shifts of {key}")
            elif not self.shifts:
                shares.setdefault(-1, []).append(entry)
        for number, entries in shares.items():
            wrong += self.ways(entries, self.shifts[number] if self.shifts else None, number)
        for number, shift in enumerate(self.shifts):
            wrong += self.pauses(shares.get(number, []), shift, number)
        return wrong

    def is_pinned(self, entry: Assignment) -> bool:
        return self.visits[entry.visit].pin is not None

    def end_of(self, number: int) -> int:
        return self.shifts[number][1] + (self.extra if number == len(self.shifts) - 1 else 0)

    def shift_of(self, entry: Assignment) -> int | None:
        """The shift an assignment lies in; for a pinned one, the nearest."""
        for number, (start, _) in enumerate(self.shifts):
            if start <= entry.starts_at and entry.ends_at <= self.end_of(number):
                return number
        if not self.is_pinned(entry) or not self.shifts:
            return None
        at = entry.starts_at
        distance = [max(0, start - at, at - end) for start, end in self.shifts]
        return distance.index(min(distance))

    def ways(self, entries: Sequence[Assignment], shift: Shift | None, number: int) -> list[str]:
        """Time for every way: from home, between visits, home again."""
        key, home, wrong = self.caregiver.key, self.caregiver.home, []
        place = home
        for position, entry in enumerate(entries):
            at = self.visits[entry.visit].place
            if entry.travel != self.way[place][at]:
                wrong.append(f"the way to visit {entry.visit} is not {entry.travel} s long")
            is_first = position == 0 and shift is not None and not self.is_pinned(entry)
            if is_first and shift is not None and entry.starts_at < shift[0] + self.way[home][at]:
                wrong.append(f"{key} is at visit {entry.visit} before the shift allows")
            place = at
        for before, after in pairwise(entries):
            if self.is_pinned(before) and self.is_pinned(after):
                continue
            needed = self.way[self.visits[before.visit].place][self.visits[after.visit].place]
            if after.starts_at < before.ends_at + needed:
                wrong.append(f"{key} cannot be at visit {after.visit} in time after {before.visit}")
        last = entries[-1]
        back = last.ends_at + self.way[self.visits[last.visit].place][home]
        if shift is not None and not self.is_pinned(last) and back > self.end_of(number):
            wrong.append(f"{key} is not home by the end of the shift")
        return wrong

    def pauses(self, entries: Sequence[Assignment], shift: Shift, number: int) -> list[str]:
        """Every break has a gap. One that the pins alone leave no room for is not asked for."""
        wanted: list[Break] = []
        pinned = [entry for entry in entries if self.is_pinned(entry)]
        for pause in sorted(self.caregiver.breaks, key=lambda pause: pause.earliest):
            if self.is_due(pause, number) and self.have_room([*wanted, pause], pinned, shift):
                wanted.append(pause)
        if self.have_room(wanted, entries, shift):
            return []
        return [f"{self.caregiver.key} has no room for a break in the shift from {shift[0]}"]

    def is_due(self, pause: Break, number: int) -> bool:
        """Whether a break falls into this shift and nowhere outside the shifts."""
        free = [(-(1 << 40), self.shifts[0][0])]
        free += [(before[1], after[0]) for before, after in pairwise(self.shifts)]
        free.append((self.shifts[-1][1], 1 << 40))
        for opens, closes in free:
            begins = max(opens, pause.earliest)
            if begins <= pause.latest and begins + pause.duration <= closes:
                return False
        touched = [
            position
            for position, (start, _) in enumerate(self.shifts)
            if start <= pause.latest and pause.earliest < self.end_of(position)
        ]
        return bool(touched) and touched[0] == number

    def have_room(self, pauses: Sequence[Break], entries: Sequence[Assignment], shift: Shift) -> bool:
        """Whether the breaks fit, one after the other, each into the first gap that takes it."""
        waiting = list(pauses)
        now, place = shift[0], self.caregiver.home
        for entry in entries:
            at = self.visits[entry.visit].place
            ahead = self.way[place][at]
            clock = now
            while waiting:
                pause = waiting[0]
                if clock > pause.latest:
                    return False
                begins = max(clock, pause.earliest)
                left = max(0, ahead - (begins - clock))
                if begins + pause.duration + left > entry.starts_at:
                    break
                clock, ahead = begins + pause.duration, left
                waiting.pop(0)
            now, place = entry.ends_at, at
        return all(now <= pause.latest for pause in waiting)
