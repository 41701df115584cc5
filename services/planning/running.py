"""A plan that can be changed a little: visits put in and taken out, with every time kept right, in plain Python.

Greedy insertion, the insertion of one urgent visit and live repair work on it. Starts are as early as they can be.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.planning.day import NEVER, Day, after_break
from services.planning.problem import Assignment

STEPS = 4_000
"""So many changes of a start in one go mean that times chase each other in a ring."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a change began, to go back to."""

    log: int
    links: int


class Running:
    """Lanes of visits with their starts."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.rows: list[list[int]] = [[] for _ in day.lanes]
        self.lane: list[int] = [-1] * len(day.visits)
        self.start: list[int] = [0] * len(day.visits)
        self.done: list[int] = [0] * len(day.visits)
        self.load: list[int] = [0] * len(day.caregivers)
        self._latest: list[list[int] | None] = [None] * len(day.lanes)
        self._log: list[tuple[int, int, int]] = []
        self._links: list[tuple[int, int, int, bool]] = []
        self._queue: deque[int] = deque()
        for visit in sorted(day.pinned_lane, key=day.pin_order):
            lane = day.pinned_lane[visit]
            self.put(visit, lane, len(self.rows[lane]))
            self.start[visit] = day.pin_order(visit)[0]
        self.settle()

    @classmethod
    def of(cls, day: Day, assignments: Iterable[Assignment]) -> "Running":
        """A plan taken over, group by group; what no longer fits stays unassigned."""
        running = cls(day)
        groups: dict[int, list[tuple[int, int, int]]] = {}
        told = {visit: day.pin_order(visit)[0] for visit in day.pinned_lane}
        for entry in sorted(assignments, key=lambda entry: (entry.starts_at, entry.visit)):
            visit, caregiver = day.index.get(entry.visit), day.staff.get(entry.caregiver)
            if visit is None or caregiver is None or visit in day.pinned_lane or not day.lanes_of[caregiver]:
                continue
            lane = day.lane_at(caregiver, entry.starts_at, day.visits[visit].duration)
            groups.setdefault(day.group_of[visit], []).append((visit, lane, entry.starts_at))
            told[visit] = entry.starts_at
        for entries in groups.values():
            mark = running.mark()
            fits = True
            for visit, lane, at in entries:
                fits = fits and running.may(visit, lane)
                if fits:
                    # By the times of the plan: those of a half-loaded one are earlier.
                    running.put(visit, lane, sum(1 for other in running.rows[lane] if told[other] <= at))
            if not (fits and running.is_whole(entries[0][0]) and running.settle()):
                running.back(mark)
        return running

    def assignments(self) -> list[Assignment]:
        """The plan in the words of the interface."""
        found = []
        for number, row in enumerate(self.rows):
            lane = self.day.lanes[number]
            place = lane.home
            for v in row:
                visit = self.day.visits[v]
                way = lane.travel[place][visit.place]
                key = self.day.caregivers[lane.caregiver].key
                found.append(Assignment(visit.key, key, self.start[v], self.start[v] + visit.duration, way))
                place = visit.place
        return sorted(found, key=lambda entry: (entry.starts_at, entry.visit))

    def may(self, visit: int, lane: int) -> bool:
        """Whether the lane's caregiver may do the visit at all, beside what she does."""
        caregiver = self.day.lanes[lane].caregiver
        if caregiver not in self.day.able[visit] or self.over_limit(visit, caregiver):
            return False
        return not self.clashes(visit, caregiver)

    def over_limit(self, visit: int, caregiver: int) -> bool:
        """Whether the visit would pass the limit of working time."""
        limit = self.day.caregivers[caregiver].longest_work
        return limit is not None and self.load[caregiver] + self.day.visits[visit].duration > limit

    def clashes(self, visit: int, caregiver: int) -> bool:
        """Whether she already does another part that wants somebody else."""
        group = self.day.groups[self.day.group_of[visit]]
        return len(group) > 1 and any(
            other != visit
            and self.lane[other] >= 0
            and self.day.lanes[self.lane[other]].caregiver == caregiver
            and self.day.apart(visit, other)
            for other in group
        )

    def is_whole(self, visit: int) -> bool:
        """Whether what belongs together is done in full or not at all."""
        group = self.day.groups[self.day.group_of[visit]]
        free = [self.lane[other] >= 0 for other in group if other not in self.day.pinned_lane]
        return all(free) or not any(free)

    def put(self, visit: int, lane: int, position: int) -> None:
        """Put a visit into a lane; the times are right again after ``settle``."""
        row = self.rows[lane]
        row.insert(position, visit)
        self.lane[visit] = lane
        self.load[self.day.lanes[lane].caregiver] += self.day.visits[visit].duration
        self._links.append((visit, lane, position, True))
        self._latest[lane] = None
        self._remember(visit, -NEVER, 0)
        self._queue.append(visit)
        if position + 1 < len(row):
            self._queue.append(row[position + 1])

    def take(self, visit: int) -> None:
        """Take a visit out."""
        lane = self.lane[visit]
        row = self.rows[lane]
        position = row.index(visit)
        del row[position]
        self.lane[visit] = -1
        self.load[self.day.lanes[lane].caregiver] -= self.day.visits[visit].duration
        self._links.append((visit, lane, position, False))
        self._latest[lane] = None
        if position < len(row):
            self._queue.append(row[position])

    def mark(self) -> Mark:
        """A point to go back to. The times must be settled."""
        return Mark(len(self._log), len(self._links))

    def back(self, mark: Mark) -> None:
        """Undo everything since the mark."""
        self._queue.clear()
        while len(self._links) > mark.links:
            visit, lane, position, was_put = self._links.pop()
            self._latest[lane] = None
            caregiver = self.day.lanes[lane].caregiver
            if was_put:
                del self.rows[lane][position]
                self.lane[visit] = -1
                self.load[caregiver] -= self.day.visits[visit].duration
            else:
                self.rows[lane].insert(position, visit)
                self.lane[visit] = lane
                self.load[caregiver] += self.day.visits[visit].duration
        while len(self._log) > mark.log:
            visit, self.start[visit], self.done[visit] = self._log.pop()

    def touched(self, mark: Mark) -> set[int]:
        """The visits whose time may have changed since a mark."""
        return {visit for visit, _, _ in self._log[mark.log :]}

    def _remember(self, visit: int, start: int, done: int) -> None:
        self._log.append((visit, self.start[visit], self.done[visit]))
        self.start[visit], self.done[visit] = start, done

    def settle(self) -> bool:
        """Bring every time up to date; False when a rule breaks (then go back to a mark)."""
        steps = 0
        lanes = set()
        for visit in self._queue:
            lanes.add(self.lane[visit])
        while self._queue:
            visit = self._queue.popleft()
            lane = self.lane[visit]
            if lane < 0:
                continue
            lanes.add(lane)
            group = self.day.groups[self.day.group_of[visit]]
            moved = self._settle_group(group) if len(group) > 1 else self._settle_one(visit)
            if moved is None or steps > STEPS:
                return False
            steps += len(moved)
            for other in moved:
                row = self.rows[self.lane[other]]
                lanes.add(self.lane[other])
                position = row.index(other)
                if position + 1 < len(row):
                    self._queue.append(row[position + 1])
        return all(self._closes(lane) for lane in lanes if lane >= 0)

    def _settle_one(self, visit: int) -> list[int] | None:
        found = self.arrive(visit, -NEVER)
        if found is None:
            return None
        if found == (self.start[visit], self.done[visit]):
            return []
        self._remember(visit, *found)
        return [visit]

    def _settle_group(self, group: Sequence[int]) -> list[int] | None:
        """The earliest starts of what belongs together."""
        members = [visit for visit in group if self.lane[visit] >= 0]
        floors = dict.fromkeys(members, -NEVER)
        for _ in range(16):
            found = {}
            for visit in members:
                arrival = self.arrive(visit, floors[visit])
                if arrival is None:
                    return None
                found[visit] = arrival
            raised = False
            for visit in members:
                least = max((self._least(visit, other, found[other][0]) for other in members), default=-NEVER)
                if found[visit][0] < least:
                    if visit in self.day.pinned_lane:
                        return None
                    floors[visit] = least
                    raised = True
            if not raised:
                moved = [visit for visit in members if found[visit] != (self.start[visit], self.done[visit])]
                for visit in moved:
                    self._remember(visit, *found[visit])
                return moved
        return None

    def _least(self, visit: int, other: int, start: int) -> int:
        """The earliest start of a visit that another one of the same group allows."""
        day = self.day
        if visit == other or (visit in day.pinned_lane and other in day.pinned_lane):
            return -NEVER
        least = start if day.leader[visit] == day.leader[other] else -NEVER
        follows = day.visits[visit].follows
        if follows is not None and day.index[follows.visit] == other:
            least = max(least, start + follows.at_least)
        follows = day.visits[other].follows
        if follows is not None and day.index[follows.visit] == visit:
            least = max(least, start - follows.at_most)
        return least

    def arrive(self, visit: int, floor: int) -> tuple[int, int] | None:
        """Start of a visit behind the one before it, and how many breaks are over by then."""
        lane = self.lane[visit]
        row = self.rows[lane]
        position = row.index(visit)
        return self.arrival(visit, lane, row[position - 1] if position else -1, floor)

    def arrival(self, visit: int, number: int, before: int, floor: int) -> tuple[int, int] | None:
        """The same for any place: behind a visit of the lane, or from home (-1)."""
        day, lane = self.day, self.day.lanes[number]
        place, clock, done = lane.home, lane.start, 0
        if before >= 0:
            place, done = day.visits[before].place, self.done[before]
            clock = self.start[before] + day.visits[before].duration
        way = lane.travel[place][day.visits[visit].place]
        pin = day.visits[visit].pin
        start: int | None
        if pin is not None:
            start = pin.starts_at
            if clock + way > start and before >= 0 and before not in day.pinned_lane:
                return None
        else:
            floor = max(floor, lane.start)
            start = day.opening(visit, max(clock + way, floor))
        duration = day.visits[visit].duration
        while start is not None and done < len(lane.breaks):
            pause = lane.breaks[done]
            after = after_break(pause, clock, way)
            if after is None:
                return None
            if sum(after) > start:
                if start + duration <= pause.latest:
                    break
                if pin is not None:
                    return None
                start = day.opening(visit, max(sum(after), floor))
            clock, way = after
            done += 1
        if start is None or (pin is None and start + duration > lane.hard_end):
            return None
        return start, done

    def _closes(self, number: int) -> bool:
        """Home in time, and no break forgotten."""
        row = self.rows[number]
        if not row or row[-1] in self.day.pinned_lane:
            return True
        lane, last = self.day.lanes[number], row[-1]
        clock = self.start[last] + self.day.visits[last].duration
        if clock + lane.travel[self.day.visits[last].place][lane.home] > lane.hard_end:
            return False
        return all(clock <= pause.latest for pause in lane.breaks[self.done[last] :])

    def latest(self, number: int) -> list[int]:
        """For each visit of a lane the latest start that windows and ways of the lane itself allow.

        Partners in other lanes can only make it earlier: what passes here is tried in earnest.
        """
        known = self._latest[number]
        if known is not None:
            return known
        lane, row = self.day.lanes[number], self.rows[number]
        found = [0] * len(row)
        limit, place = lane.hard_end, lane.home
        for position in range(len(row) - 1, -1, -1):
            visit = self.day.visits[row[position]]
            if visit.pin is not None:
                found[position] = visit.pin.starts_at
            else:
                starts = self.day.starts[row[position]]
                by_way = limit - lane.travel[visit.place][place] - visit.duration
                found[position] = min(starts[-1][1] if starts else -NEVER, by_way)
            limit, place = found[position], visit.place
        self._latest[number] = found
        return found
