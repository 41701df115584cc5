"""Moves of whole groups: in from the pool of what nobody does, in place of another one, and to another time."""

import numpy as np

from services.planning.kernel.compiled import compiled
from services.planning.kernel.layout import (
    C_NUMBER,
    COSTS,
    DURATION,
    FAIL,
    FIRST,
    G_BEGIN,
    G_END,
    GROUP,
    HIGH,
    K_LANES,
    K_LANES_AT,
    K_LINKS,
    K_LINKS_AT,
    K_NEAR,
    K_POOL,
    K_POOL_AT,
    L_CAREGIVER,
    L_HARD,
    L_HEAD,
    L_TAIL,
    LANE,
    LANE_SIZE,
    LINK_SIZE,
    LOW,
    MORE,
    MORE_END,
    NEAR,
    NEVER,
    NEXT,
    NONE,
    PIN,
    POOLED,
    PREV,
    SOFT,
    START,
    W_LATE,
    W_TRAVEL,
    Array,
    Number,
)
from services.planning.kernel.moves import draw, may, pick, slot, some_lane, some_visit
from services.planning.kernel.schedule import attach, detach, leg, opening


@compiled
def way_more(w: Array, t: Array, v: int, lane: int, p: int) -> Number:
    """What a visit behind a node costs."""
    q = w[p + NEXT]
    way = leg(w, t, lane, p, v) + leg(w, t, lane, v, q) - leg(w, t, lane, p, q)
    return w[W_TRAVEL] * way + t[w[v + COSTS] + w[w[lane + L_CAREGIVER] + C_NUMBER]]


@compiled
def find_place(w: Array, t: Array, v: int, moment: int, tries: int) -> Number:
    """The cheapest of some places: beside near visits, or (with a moment) where they are at that time.

    Returns the node to come behind, or NONE.
    """
    best, found = NEVER, NONE
    for k in range(tries):
        if k % 4 == 3:
            lane = some_lane(w)
            p = slot(w, lane, moment if moment != FAIL else w[v + LOW], v)
        else:
            u = w[w[v + NEAR] + pick(w, w[K_NEAR])]
            lane = w[u + LANE]
            if lane == NONE:
                continue
            beside = u if draw(w) >> np.uint64(63) else w[u + PREV]
            p = beside if moment == FAIL else slot(w, lane, moment, v)
        if not may(w, t, v, lane):
            continue
        start = opening(w, v, w[p + START] + w[p + DURATION] + leg(w, t, lane, p, v))
        if start == FAIL:
            continue
        cost = way_more(w, t, v, lane, p)
        if cost < best:
            best, found = cost, p
    return found


@compiled
def best_place(w: Array, t: Array, v: int) -> Number:
    """The cheapest of all places at which the visit and the next one can be in time; NONE where there is none."""
    best, found = NEVER, NONE
    for lane in range(w[K_LANES_AT], w[K_LANES_AT] + w[K_LANES] * LANE_SIZE, LANE_SIZE):
        if not may(w, t, v, lane):
            continue
        p = w[lane + L_HEAD]
        while p != w[lane + L_TAIL]:
            start = opening(w, v, w[p + START] + w[p + DURATION] + leg(w, t, lane, p, v))
            if start == FAIL:
                break
            q = w[p + NEXT]
            there = start + w[v + DURATION] + leg(w, t, lane, v, q)
            late = w[W_LATE] * max(0, start - w[v + SOFT])
            if q == w[lane + L_TAIL]:
                in_time = there <= w[lane + L_HARD]
            else:
                in_time = there <= w[q + HIGH] or w[q + MORE] != w[q + MORE_END]
                late += w[W_LATE] * max(0, there - max(w[q + START], w[q + SOFT]))
            cost = way_more(w, t, v, lane, p) + late
            if in_time and cost < best:
                best, found = cost, p
            p = q
    return found


@compiled
def put_group(w: Array, t: Array, first: int, p: int, tries: int) -> Number:
    """Put the first of a group behind a node and its other unassigned members where they can be at that time."""
    lane = w[p + LANE]
    if not may(w, t, first, lane):
        return False
    moment = opening(w, first, w[p + START] + w[p + DURATION] + leg(w, t, lane, p, first))
    attach(w, t, first, lane, p)
    group = w[first + GROUP]
    if group == NONE:
        return True
    if moment == FAIL:
        return False
    for k in range(w[group + G_BEGIN], w[group + G_END]):
        u = w[k]
        if w[u + LANE] == NONE:
            place = find_place(w, t, u, moment, tries)
            if place == NONE:
                return False
            attach(w, t, u, w[place + LANE], place)
    return True


@compiled
def take_group(w: Array, t: Array, v: int) -> None:
    """Take out everything of a visit's group that is not pinned."""
    group = w[v + GROUP]
    if group == NONE:
        detach(w, t, v)
        return
    for k in range(w[group + G_BEGIN], w[group + G_END]):
        u = w[k]
        if w[u + LANE] != NONE and w[u + PIN] == NONE:
            detach(w, t, u)


@compiled
def some_member(w: Array, v: int) -> Number:
    """One of the unassigned members of a group, by chance the one it is found by."""
    group = w[v + GROUP]
    if group == NONE:
        return v
    begin = w[group + G_BEGIN]
    u = w[begin + pick(w, w[group + G_END] - begin)]
    return u if w[u + LANE] == NONE else v


@compiled
def come_in(w: Array, t: Array) -> Number:
    """A group that nobody does gets a place."""
    if w[K_POOL] == 0:
        return False
    v = some_member(w, w[w[K_POOL_AT] + pick(w, w[K_POOL])])
    p = best_place(w, t, v) if pick(w, 8) == 0 else find_place(w, t, v, FAIL, 8)
    return p != NONE and put_group(w, t, v, p, 8)


@compiled
def replace(w: Array, t: Array) -> Number:
    """A group that nobody does takes the place of another, which looks for a place elsewhere or goes."""
    if w[K_POOL] == 0:
        return False
    v = some_member(w, w[w[K_POOL_AT] + pick(w, w[K_POOL])])
    u = w[w[v + NEAR] + pick(w, w[K_NEAR])]
    if w[u + LANE] == NONE or w[u + PIN] != NONE or w[u + GROUP] == w[v + GROUP] != NONE:
        return False
    p = w[u + PREV]
    take_group(w, t, u)
    if w[p + LANE] == NONE or not put_group(w, t, v, p, 8):
        return False
    if draw(w) >> np.uint64(62):
        again = some_member(w, u)
        place = best_place(w, t, again) if pick(w, 8) == 0 else find_place(w, t, again, FAIL, 8)
        if place != NONE:
            return put_group(w, t, again, place, 8)
    return True


@compiled
def whole_group(w: Array, t: Array) -> Number:
    """A group goes to another time and other caregivers."""
    v = some_visit(w)
    if w[v + GROUP] == NONE or w[v + LANE] == NONE or w[v + PIN] != NONE:
        return False
    take_group(w, t, v)
    p = find_place(w, t, v, FAIL, 3)
    return p != NONE and put_group(w, t, v, p, 5)


@compiled
def pool(w: Array) -> None:
    """Bring the pool up to date with what the last move has put in and taken out."""
    for k in range(w[K_LINKS_AT], w[K_LINKS], LINK_SIZE):
        v = w[w[k] + FIRST]
        if v == NONE:
            continue
        at = w[v + POOLED]
        if w[v + LANE] == NONE and at == NONE:
            w[v + POOLED] = w[K_POOL]
            w[w[K_POOL_AT] + w[K_POOL]] = v
            w[K_POOL] += 1
        elif w[v + LANE] != NONE and at != NONE:
            w[K_POOL] -= 1
            other = w[w[K_POOL_AT] + w[K_POOL]]
            w[w[K_POOL_AT] + at] = other
            w[other + POOLED] = at
            w[v + POOLED] = NONE
