"""A day in the kernel's memory, and the plan in it back in the words of the interface."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.planning.day import NEVER, Day
from services.planning.kernel import layout as c
from services.planning.kernel.near import near_visits
from services.planning.problem import Assignment

Array = Any


@dataclass(slots=True)
class World:
    """The two arrays of the kernel, and the length of a usual way in units of cost."""

    w: Array
    t: Array
    usual: float

    def scalar(self, name: int) -> int:
        """One of the scalars."""
        return int(self.w[name])


class Encoder:
    """Lays a day out, part behind part. Addresses are known before anything is written."""

    def __init__(self, day: Day, neighbours: int) -> None:
        self.day = day
        self.travel = np.array([day.problem.travel[profile] for profile in day.profiles] or [[[0]]], np.int32)
        self.near, usual = near_visits(day, self.travel, neighbours)
        self._lay_out()
        self.w = np.zeros(self.size, np.int64)
        self._scalars()
        self._visits()
        self._lanes()
        self._staff()
        self._groups()
        self.world = World(self.w, np.concatenate((self.travel.ravel(), self._costs().ravel())), usual)

    def _lay_out(self) -> None:
        day, n, m = self.day, len(self.day.visits), len(self.day.lanes)
        self.n, self.m = n, m
        nodes = n + 2 * m
        at = c.SCALARS
        self.nodes = at
        self.heads = self.nodes + n * c.NODE
        self.tails = self.heads + m * c.NODE
        self.lanes = self.tails + m * c.NODE
        self.staff = self.lanes + m * c.LANE_SIZE
        self.breaks = self.staff + len(day.caregivers) * c.CAREGIVER_SIZE
        self.windows = self.breaks + sum(len(lane.breaks) for lane in day.lanes) * c.BREAK_SIZE
        self.groups = self.windows + sum(max(0, len(starts) - 1) for starts in day.starts) * c.WINDOW_SIZE
        self.members = self.groups + len(day.groups) * c.GROUP_SIZE
        self.nears = self.members + n
        self.queue = self.nears + self.near.size
        self.pool = self.queue + nodes + 1
        self.links = self.pool + n + 1
        self.steps = 16 * nodes + 4096
        self.log = self.links + (4 * nodes + 64) * c.LINK_SIZE
        self.size = self.log + (2 * self.steps + 8 * nodes + 64) * c.LOG_SIZE

    def visit(self, number: int) -> int:
        """Where a visit is."""
        return self.nodes + number * c.NODE

    def _scalars(self) -> None:
        weights = self.day.options.weights
        values = {
            c.K_VISITS: self.n,
            c.K_LANES: self.m,
            c.K_NODES_AT: self.nodes,
            c.K_HEADS_AT: self.heads,
            c.K_NODES_END: self.lanes,
            c.K_LANES_AT: self.lanes,
            c.K_NEAR: self.near.shape[1],
            c.K_LOG_AT: self.log,
            c.K_LINKS_AT: self.links,
            c.K_QUEUE_AT: self.queue,
            c.K_QUEUE_SIZE: self.n + 2 * self.m + 1,
            c.K_POOL_AT: self.pool,
            c.K_STEP_LIMIT: self.steps,
            c.K_TOLERANCE: self.day.options.tolerance,
            c.W_TRAVEL: weights.travel,
            c.W_LATE: weights.lateness,
            c.W_WORST: weights.worst_lateness,
            c.W_OVERTIME: weights.overtime,
            c.W_UNFAIR: weights.unfairness,
            c.W_CHANGE: weights.change,
            c.K_STATIC: sum(self.day.unassigned_cost(v) for v in range(self.n)),
            # An odd multiplier spreads neighbouring seeds; the state of the generator must not be 0.
            c.K_RANDOM: (self.day.options.seed * 0x5851F42D4C957F2D + 0x14057B7E) % (1 << 62) or 1,
        }
        for place, value in values.items():
            self.w[place] = value

    def _visits(self) -> None:
        day, w = self.day, self.w
        places = self.travel.shape[1]
        costs = self.travel.size
        more = self.windows
        for number, visit in enumerate(day.visits):
            v = self.visit(number)
            starts = day.starts[number]
            for column in (c.LANE, c.GROUP, c.FOLLOWED, c.TOLD_BY, c.PIN, c.POOLED, c.FIRST):
                w[v + column] = c.NONE
            w[v + c.START], w[v + c.DURATION] = c.FAIL, visit.duration
            w[v + c.PLACE], w[v + c.ROW] = visit.place, visit.place * places
            w[v + c.LOW], w[v + c.HIGH] = starts[0] if starts else (0, c.FAIL)
            w[v + c.SOFT] = NEVER if visit.latest_soft_start is None else visit.latest_soft_start
            w[v + c.COSTS] = costs + number * len(day.caregivers)
            w[v + c.UNASSIGNED], w[v + c.UNIT] = day.unassigned_cost(number), self.visit(day.leader[number])
            w[v + c.NEAR] = self.nears + number * self.near.shape[1]
            w[v + c.MORE] = more
            for window in starts[1:]:
                w[more], w[more + 1] = window
                more += c.WINDOW_SIZE
            w[v + c.MORE_END] = more
            if visit.pin is not None:
                w[v + c.PIN] = visit.pin.starts_at
            if number in day.running:
                caregiver, w[v + c.TOLD] = day.running[number]
                w[v + c.TOLD_BY] = self.staff + caregiver * c.CAREGIVER_SIZE
            if visit.follows is not None:
                w[v + c.FOLLOWED] = self.visit(day.index[visit.follows.visit])
                w[v + c.AT_LEAST], w[v + c.AT_MOST] = visit.follows.at_least, visit.follows.at_most
                w[v + c.OTHER] = int(visit.follows.other_caregiver)
        w[self.nears : self.queue] = (self.near.astype(np.int64) * c.NODE + self.nodes).ravel()

    def _lanes(self) -> None:
        w, places = self.w, self.travel.shape[1]
        at = self.breaks
        for number, lane in enumerate(self.day.lanes):
            here = self.lanes + number * c.LANE_SIZE
            head, tail = self.heads + number * c.NODE, self.tails + number * c.NODE
            for node in (head, tail):
                w[node + c.LANE], w[node + c.START] = here, lane.start
                w[node + c.PLACE], w[node + c.ROW] = lane.home, lane.home * places
                for column in (c.GROUP, c.PIN, c.POOLED, c.TOLD_BY, c.FOLLOWED, c.FIRST):
                    w[node + column] = c.NONE
            w[head + c.NEXT], w[head + c.PREV], w[tail + c.PREV], w[tail + c.NEXT] = tail, c.NONE, head, c.NONE
            end = at + len(lane.breaks) * c.BREAK_SIZE
            w[here : here + c.LANE_SIZE] = (
                lane.start,
                lane.end,
                lane.hard_end,
                lane.profile * places * places,
                self.staff + lane.caregiver * c.CAREGIVER_SIZE,
                at,
                end,
                head,
                tail,
            )
            for pause in lane.breaks:
                w[at : at + c.BREAK_SIZE] = (pause.earliest, pause.latest, pause.duration)
                at += c.BREAK_SIZE

    def _staff(self) -> None:
        for number, caregiver in enumerate(self.day.caregivers):
            here = self.staff + number * c.CAREGIVER_SIZE
            limit = NEVER if caregiver.longest_work is None else caregiver.longest_work
            self.w[here : here + c.CAREGIVER_SIZE] = (number, 0, int(self.day.shares[number]), limit)

    def _groups(self) -> None:
        """Groups of several, and the pool of all groups: each is found by its first visit that is not pinned."""
        w, at = self.w, self.members
        for number, group in enumerate(self.day.groups):
            free = [v for v in group if self.day.visits[v].pin is None]
            for v in group:
                w[self.visit(v) + c.FIRST] = self.visit(free[0]) if free else c.NONE
            if free:
                w[self.visit(free[0]) + c.POOLED] = w[c.K_POOL]
                w[self.pool + w[c.K_POOL]] = self.visit(free[0])
                w[c.K_POOL] += 1
            if len(group) == 1:
                continue
            here = self.groups + number * c.GROUP_SIZE
            w[here : here + c.GROUP_SIZE] = (at, at + len(group))
            for v in group:
                w[self.visit(v) + c.GROUP] = here
                w[at] = self.visit(v)
                at += 1

    def _costs(self) -> Array:
        """What each caregiver costs at each visit, whenever it is."""
        day = self.day
        costs = np.full((len(day.visits), len(day.caregivers)), c.FORBIDDEN, np.int32)
        for number, visit in enumerate(day.visits):
            told = day.running.get(number)
            costs[number, list(day.able[number])] = 0 if told is None else day.options.weights.change
            if told is not None and told[0] in day.able[number]:
                costs[number, told[0]] = 0
            for key, worth in visit.affinity.items():
                caregiver = day.staff.get(key)
                if caregiver is not None and caregiver in day.able[number]:
                    costs[number, caregiver] -= worth
            if visit.pin is not None:
                caregiver = day.staff[visit.pin.caregiver]
                costs[number, caregiver] = day.static_cost(number, caregiver)
        return costs


def decode(day: Day, world: World) -> list[Assignment]:
    """The plan in the kernel in the order of the starts."""
    found = []
    first, w = world.scalar(c.K_NODES_AT), world.w
    lanes = world.scalar(c.K_LANES_AT)
    for number, visit in enumerate(day.visits):
        v = first + number * c.NODE
        if w[v + c.LANE] == c.NONE:
            continue
        lane = day.lanes[(int(w[v + c.LANE]) - lanes) // c.LANE_SIZE]
        start = int(w[v + c.START])
        way = lane.travel[int(w[w[v + c.PREV] + c.PLACE])][visit.place]
        key = day.caregivers[lane.caregiver].key
        found.append(Assignment(visit.key, key, start, start + visit.duration, way))
    return sorted(found, key=lambda item: (item.starts_at, item.visit))
