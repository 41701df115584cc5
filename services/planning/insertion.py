"""One urgent visit, or one group, into a running plan: the best places, and for each caregiver why not.

Nothing that is planned goes to another caregiver; later visits may begin later inside their windows. Every place
is looked at; those that can be good are tried in earnest, so a place that is returned is one that holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from services.planning.day import Day
from services.planning.problem import Assignment
from services.planning.reasons import Reason
from services.planning.running import Running

TRIED = 12
"""So many places of each member are tried in earnest for what is wanted at most."""


@dataclass(frozen=True, slots=True)
class Place:
    """One way to do it: what is added, what begins later because of it, and the cost in seconds of travel."""

    cost: int
    added: tuple[Assignment, ...]
    delayed: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Insertions:
    """The best places, cheapest first, and for each caregiver who has none the reason."""

    places: tuple[Place, ...]
    refused: Mapping[str, Reason]


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A place in a lane with the least it can cost."""

    bound: int
    lane: int
    position: int


def best_insertions(running: Running, visits: Sequence[str], count: int = 5) -> Insertions:
    """The best places for one visit or for all visits of one group (by key). The plan stays as it is."""
    day = running.day
    members = [day.index[key] for key in visits]
    places: list[Place] = []
    refused: dict[str, Reason] = {}
    slots = slots_of(running, members[0], refused)
    failed: set[int] = set()
    for slot in nsmallest(max(TRIED, 3 * count), slots) if len(members) > 1 else sorted(slots):
        if len(places) >= count or len(failed) > TRIED * 3:
            break
        place = _try(running, members, slot)
        if place is None:
            failed.add(slot.lane)
        else:
            places.append(place)
    good = {entry.caregiver for place in places for entry in place.added[:1]}
    if len(places) < count:
        for slot in slots:
            key = day.caregivers[day.lanes[slot.lane].caregiver].key
            if key not in good:
                refused.setdefault(key, Reason.NO_GAP if len(members) == 1 else Reason.NO_PARTNER)
    return Insertions(tuple(sorted(places, key=lambda place: place.cost)), refused)


def insert_best(running: Running, members: Sequence[int]) -> bool:
    """Put a group in at its best place; False, and nothing changed, when there is none."""
    for slot in nsmallest(TRIED, slots_of(running, members[0], None)):
        mark = running.mark()
        if put_all(running, members, slot):
            return True
        running.back(mark)
    return False


def put_all(running: Running, members: Sequence[int], slot: Slot) -> bool:
    """Put the first member at a place and the others at the best that goes with it."""
    running.put(members[0], slot.lane, slot.position)
    if not running.settle():
        return False
    for visit in members[1:]:
        for candidate in nsmallest(TRIED // 2, slots_of(running, visit, None)):
            mark = running.mark()
            running.put(visit, candidate.lane, candidate.position)
            if running.settle():
                break
            running.back(mark)
        else:
            return False
    return True


def _try(running: Running, members: Sequence[int], slot: Slot) -> Place | None:
    mark = running.mark()
    if not put_all(running, members, slot):
        running.back(mark)
        return None
    day = running.day
    touched = running.touched(mark)
    after = {visit: running.start[visit] for visit in touched}
    added = tuple(_entry(running, visit) for visit in members)
    cost = sum(_own_cost(running, visit) for visit in members)
    lanes = {running.lane[visit] for visit in touched if running.lane[visit] >= 0}
    cost += day.options.weights.travel * sum(_way(running, lane) for lane in lanes)
    owners = [day.lanes[running.lane[visit]].caregiver for visit in members]
    moved = [visit for visit in touched if visit not in members]
    later = {visit: _entry(running, visit) for visit in moved}
    running.back(mark)
    cost -= day.options.weights.travel * sum(_way(running, lane) for lane in lanes)
    delayed = [later[visit] for visit in moved if after[visit] != running.start[visit]]
    cost += sum(_unfair(running, visit, owner) for visit, owner in zip(members, owners, strict=True))
    for visit in moved:
        cost += _dues(day, visit, after[visit]) - _dues(day, visit, running.start[visit])
    return Place(cost, added, tuple(sorted(delayed, key=lambda entry: (entry.starts_at, entry.visit))))


def _entry(running: Running, visit: int) -> Assignment:
    lane = running.day.lanes[running.lane[visit]]
    row = running.rows[running.lane[visit]]
    position = row.index(visit)
    place = running.day.visits[row[position - 1]].place if position else lane.home
    facts = running.day.visits[visit]
    start = running.start[visit]
    key = running.day.caregivers[lane.caregiver].key
    return Assignment(facts.key, key, start, start + facts.duration, lane.travel[place][facts.place])


def _own_cost(running: Running, visit: int) -> int:
    caregiver = running.day.lanes[running.lane[visit]].caregiver
    return running.day.static_cost(visit, caregiver) + _dues(running.day, visit, running.start[visit])


def _unfair(running: Running, visit: int, caregiver: int) -> int:
    """What the visit adds to the cost of a load above the fair share, if she does not have it yet."""
    day = running.day
    load, weight = running.load[caregiver] - int(day.shares[caregiver]), day.options.weights.unfairness
    if weight == 0:
        return 0
    return weight * max(0, load + day.visits[visit].duration) // 3600 - weight * max(0, load) // 3600


def _dues(day: Day, visit: int, start: int) -> int:
    """Lateness, and another time than was told."""
    soft = day.visits[visit].latest_soft_start
    cost = day.options.weights.lateness * max(0, start - soft) if soft is not None else 0
    told = day.running.get(visit)
    if told is not None and abs(start - told[1]) > day.options.tolerance:
        cost += day.options.weights.change
    return cost


def _way(running: Running, number: int) -> int:
    lane = running.day.lanes[number]
    place, total = lane.home, 0
    for visit in running.rows[number]:
        total += lane.travel[place][running.day.visits[visit].place]
        place = running.day.visits[visit].place
    return total + lane.travel[place][lane.home]


def slots_of(running: Running, visit: int, refused: dict[str, Reason] | None) -> list[Slot]:
    """Every place that windows, ways and the lane's own visits allow; and why a caregiver has none."""
    day = running.day
    found: list[Slot] = []
    for number, caregiver in enumerate(day.caregivers):
        reason = barred(running, visit, number)
        if reason is None:
            before = len(found)
            for lane in day.lanes_of[number]:
                _slots_in(running, visit, lane, found)
            if len(found) == before and refused is not None:
                reason = why_not(running, visit, number)
        if reason is not None and refused is not None:
            refused[caregiver.key] = reason
    return found


def barred(running: Running, visit: int, caregiver: int) -> Reason | None:
    """What rules a caregiver out whatever the day looks like."""
    day = running.day
    if caregiver not in day.able[visit]:
        tags = day.visits[visit].tags <= day.caregivers[caregiver].tags
        return Reason.EXCLUDED if tags else Reason.MISSING_TAG
    if running.over_limit(visit, caregiver):
        return Reason.WORK_LIMIT
    return Reason.SAME_CAREGIVER if running.clashes(visit, caregiver) else None


def why_not(running: Running, visit: int, caregiver: int) -> Reason:
    """What keeps a caregiver's day from taking a visit that she may do."""
    day = running.day
    starts = day.starts[visit]
    if not starts:
        return Reason.WINDOW_PAST
    duration, place = day.visits[visit].duration, day.visits[visit].place
    on_shift = False
    for number in day.lanes_of[caregiver]:
        lane = day.lanes[number]
        for low, high in starts:
            begins = max(low, lane.start)
            if begins > high or begins + duration > lane.hard_end:
                continue
            on_shift = True
            begins = max(low, lane.start + lane.travel[lane.home][place])
            if begins <= high and begins + duration + lane.travel[place][lane.home] <= lane.hard_end:
                return Reason.NO_GAP
    return Reason.TRAVEL_TOO_LONG if on_shift else Reason.NOT_ON_SHIFT


def _slots_in(running: Running, v: int, number: int, found: list[Slot]) -> None:
    """The places of one lane where the visit and what comes after it can still be in time."""
    day, lane, row = running.day, running.day.lanes[number], running.rows[number]
    visit = day.visits[v]
    starts = day.starts[v]
    if not starts:
        return
    last_start, travel, at, duration = starts[-1][1], lane.travel, visit.place, visit.duration
    low, high = starts[0]
    latest = running.latest(number)
    weight = day.options.weights.travel
    static = day.static_cost(v, lane.caregiver) + _unfair(running, v, lane.caregiver)
    late, soft = day.options.weights.lateness, visit.latest_soft_start
    place, clock = lane.home, lane.start
    for position in range(len(row) + 1):
        way = travel[place][at]
        moment = clock + way
        if moment > last_start:
            return
        begins: int | None = (max(low, moment)) if moment <= high else day.opening(v, moment)
        if begins is None:
            return
        if position < len(row):
            following = day.visits[row[position]]
            onward, limit, replaced = travel[at][following.place], latest[position], travel[place][following.place]
        else:
            onward, limit, replaced = travel[at][lane.home], lane.hard_end, travel[place][lane.home]
        if begins + duration + onward <= limit:
            cost = weight * (way + onward - replaced) + static
            if soft is not None and begins > soft:
                cost += late * (begins - soft)
            found.append(Slot(cost, number, position))
        if position < len(row):
            place = following.place
            clock = running.start[row[position]] + following.duration
