"""A problem as lists that engines can walk: visits, lanes (a caregiver's shift), groups, who may do what."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.planning.problem import Break, Options, PlanCaregiver, PlanVisit, Problem

NEVER = 1 << 40
"""Later than any time of a day, in seconds."""


class InvalidProblem(ValueError):
    """The problem contradicts itself: a defect of the caller, not of the day."""


@dataclass(slots=True)
class Lane:
    """One shift of one caregiver: a way from home and back. ``hard_end`` is its end with allowed overtime."""

    caregiver: int
    home: int
    start: int
    end: int
    hard_end: int
    breaks: tuple[Break, ...]
    travel: Sequence[Sequence[int]]
    profile: int


@dataclass(slots=True)
class Day:
    """A problem, indexed. ``cost_of[v]`` has a caregiver index for each caregiver who may do the visit."""

    problem: Problem
    options: Options
    visits: list[PlanVisit]
    caregivers: list[PlanCaregiver]
    index: dict[str, int]
    staff: dict[str, int]
    profiles: list[str]
    lanes: list[Lane] = field(default_factory=list)
    lanes_of: list[list[int]] = field(default_factory=list)
    starts: list[list[tuple[int, int]]] = field(default_factory=list)
    groups: list[list[int]] = field(default_factory=list)
    group_of: list[int] = field(default_factory=list)
    leader: list[int] = field(default_factory=list)
    able: list[frozenset[int]] = field(default_factory=list)
    running: dict[int, tuple[int, int]] = field(default_factory=dict)
    shares: list[float] = field(default_factory=list)
    pinned_lane: dict[int, int] = field(default_factory=dict)

    def static_cost(self, visit: int, caregiver: int) -> int:
        """What it costs that this one comes, whenever: dislike and change."""
        told = self.running.get(visit)
        change = self.options.weights.change if told is not None and told[0] != caregiver else 0
        return change - self.visits[visit].affinity.get(self.caregivers[caregiver].key, 0)

    def unassigned_cost(self, visit: int) -> int:
        """What it costs that nobody comes."""
        change = self.options.weights.change if visit in self.running else 0
        return self.options.weights.unassigned * max(1, self.visits[visit].priority) + change

    def opening(self, visit: int, moment: int) -> int | None:
        """The earliest start at or after a moment; None when every window is past."""
        for low, high in self.starts[visit]:
            if moment <= high:
                return max(low, moment)
        return None

    def lane_at(self, caregiver: int, start: int, duration: int) -> int:
        """The caregiver's shift that holds a visit, or is nearest to its start."""

        def distance(number: int) -> tuple[bool, int]:
            lane = self.lanes[number]
            outside = not lane.start <= start <= start + duration <= lane.hard_end
            return outside, max(0, lane.start - start, start - lane.end)

        return min(self.lanes_of[caregiver], key=distance)

    def pin_order(self, number: int) -> tuple[int, int, str]:
        """What pinned visits of one caregiver are ordered by."""
        visit = self.visits[number]
        start = visit.pin.starts_at if visit.pin is not None else 0
        return start, start + visit.duration, visit.key

    def apart(self, one: int, other: int) -> bool:
        """Whether two visits want different caregivers."""
        if self.leader[one] == self.leader[other]:
            return True
        for first, second in ((one, other), (other, one)):
            follows = self.visits[first].follows
            if follows is not None and follows.other_caregiver and self.index[follows.visit] == second:
                return True
        return False


def index_day(problem: Problem, options: Options) -> Day:
    """Read a problem. Raises InvalidProblem where keys are unknown or doubled."""
    visits, caregivers = list(problem.visits), list(problem.caregivers)
    if any(visit.duration <= 0 for visit in visits):
        raise InvalidProblem("a visit takes no time")
    day = Day(
        problem,
        options,
        visits,
        caregivers,
        {visit.key: number for number, visit in enumerate(visits)},
        {caregiver.key: number for number, caregiver in enumerate(caregivers)},
        sorted({caregiver.profile for caregiver in caregivers}),
    )
    if len(day.index) < len(visits) or len(day.staff) < len(caregivers):
        raise InvalidProblem("a key stands twice")
    for assignment in problem.running:
        if assignment.visit in day.index and assignment.caregiver in day.staff:
            day.running[day.index[assignment.visit]] = (day.staff[assignment.caregiver], assignment.starts_at)
    _group(day)
    day.starts = [_starts(day, number) for number in range(len(visits))]
    day.able = _able(day)
    pinned = {visit.pin.caregiver for visit in visits if visit.pin is not None}
    for number in range(len(caregivers)):
        _lay_lanes(day, number, caregivers[number].key in pinned)
    _share(day)
    _place_pins(day)
    return day


def _starts(day: Day, number: int) -> list[tuple[int, int]]:
    visit = day.visits[number]
    earliest = day.running[number][1] if day.options.hold and number in day.running else -NEVER
    windows = sorted((max(low, earliest), high - visit.duration) for low, high in visit.windows)
    return [window for window in windows if window[0] <= window[1]]


def _group(day: Day) -> None:
    """Join what belongs together: teams, and what follows each other."""
    count = len(day.visits)
    day.leader = list(range(count))
    root = list(range(count))

    def find(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    first: dict[str, int] = {}
    for number, visit in enumerate(day.visits):
        if visit.team is not None:
            day.leader[number] = first.setdefault(visit.team, number)
            root[find(number)] = find(day.leader[number])
        if visit.follows is not None:
            if visit.follows.visit not in day.index:
                raise InvalidProblem("a visit follows one that is not there")
            root[find(number)] = find(day.index[visit.follows.visit])
    named: dict[int, int] = {}
    for number in range(count):
        group = named.setdefault(find(number), len(named))
        if group == len(day.groups):
            day.groups.append([])
        day.groups[group].append(number)
        day.group_of.append(group)


def _able(day: Day) -> list[frozenset[int]]:
    by_tags: dict[frozenset[str], frozenset[int]] = {}
    able = []
    for visit in day.visits:
        if visit.tags not in by_tags:
            by_tags[visit.tags] = frozenset(
                number for number, caregiver in enumerate(day.caregivers) if visit.tags <= caregiver.tags
            )
        excluded = {day.staff[key] for key in visit.excluded if key in day.staff}
        able.append(by_tags[visit.tags] - excluded if excluded else by_tags[visit.tags])
    return able


def _lay_lanes(day: Day, number: int, pins: bool) -> None:
    caregiver = day.caregivers[number]
    shifts = sorted(shift for shift in caregiver.shifts if shift[0] < shift[1])
    if not shifts and pins:
        shifts = [(NEVER, NEVER)]  # gone for the day: what is pinned stays, nothing else fits
    profile = day.profiles.index(caregiver.profile)
    travel = day.problem.travel[caregiver.profile]
    lanes = []
    for position, (start, end) in enumerate(shifts):
        is_last = position == len(shifts) - 1
        hard_end = end + caregiver.overtime if is_last and day.options.allow_overtime else end
        lanes.append(Lane(number, caregiver.home, start, end, hard_end, (), travel, profile))
    for pause in sorted(caregiver.breaks, key=lambda pause: pause.earliest):
        lane = _lane_of_break(lanes, pause)
        if lane is not None:
            lane.breaks = (*lane.breaks, pause)
    day.lanes_of.append(list(range(len(day.lanes), len(day.lanes) + len(lanes))))
    day.lanes.extend(lanes)


def _lane_of_break(lanes: Sequence[Lane], pause: Break) -> Lane | None:
    """The shift that a break falls into; None where it falls between shifts or outside."""
    for before, after in zip([None, *lanes], [*lanes, None], strict=True):
        free_from = before.end if before is not None else -NEVER
        free_until = after.start if after is not None else NEVER
        begins = max(pause.earliest, free_from)
        if begins <= pause.latest and begins + pause.duration <= free_until:
            return None
    for lane in lanes:
        if max(pause.earliest, lane.start) <= pause.latest and pause.earliest < lane.hard_end:
            return lane
    return None


def _share(day: Day) -> None:
    """What each would work if the service time were spread by the length of the shifts."""
    total = sum(visit.duration for visit in day.visits)
    lengths = [sum(end - start for start, end in caregiver.shifts) for caregiver in day.caregivers]
    whole = sum(lengths)
    day.shares = [total * length / whole if whole else 0.0 for length in lengths]


def _place_pins(day: Day) -> None:
    """Each pinned visit in its shift; breaks that the pins alone leave no room for are not asked for."""
    for number, visit in enumerate(day.visits):
        if visit.pin is None:
            continue
        if visit.pin.caregiver not in day.staff:
            raise InvalidProblem("a pin names a caregiver who is not there")
        caregiver = day.staff[visit.pin.caregiver]
        day.pinned_lane[number] = day.lane_at(caregiver, visit.pin.starts_at, visit.duration)
    for lane in set(day.pinned_lane.values()):
        pins = sorted(
            (*day.pin_order(number), number) for number, there in day.pinned_lane.items() if there == lane
        )
        kept: tuple[Break, ...] = ()
        for pause in day.lanes[lane].breaks:
            if _leave_room(day, day.lanes[lane], pins, (*kept, pause)):
                kept = (*kept, pause)
        day.lanes[lane].breaks = kept


def _leave_room(day: Day, lane: Lane, pins: Sequence[tuple[int, int, str, int]], breaks: Sequence[Break]) -> bool:
    """Whether breaks fit between pins, each into the first gap that takes it."""
    clock, place, taken = lane.start, lane.home, 0
    for start, _, _, number in pins:
        way = lane.travel[place][day.visits[number].place]
        while taken < len(breaks):
            after = after_break(breaks[taken], clock, way)
            if after is None:
                return False
            if sum(after) > start:
                break
            clock, way = after
            taken += 1
        clock, place = start + day.visits[number].duration, day.visits[number].place
    return all(clock <= pause.latest for pause in breaks[taken:])


def after_break(pause: Break, clock: int, way: int) -> tuple[int, int] | None:
    """Clock and way that is left after a break on the way; None when it can no longer begin."""
    if clock > pause.latest:
        return None
    if clock < pause.earliest:
        way -= min(way, pause.earliest - clock)
        clock = pause.earliest
    return clock + pause.duration, way
