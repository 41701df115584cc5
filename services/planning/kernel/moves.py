"""Moves of the annealing. Each looks at its gain first and changes the plan only if it can still be accepted.

A move returns whether it has changed anything; whoever called it runs the times down and accepts or takes back.
Places are proposed beside near visits: near on the road and in time.
"""

import numpy as np

from services.planning.kernel.compiled import compiled
from services.planning.kernel.layout import (
    C_LIMIT,
    C_LOAD,
    C_NUMBER,
    COSTS,
    DURATION,
    FAIL,
    FOLLOWED,
    FORBIDDEN,
    G_BEGIN,
    G_END,
    GROUP,
    K_HEADS_AT,
    K_LANES,
    K_LANES_AT,
    K_NEAR,
    K_NODES_AT,
    K_RANDOM,
    K_VISITS,
    L_CAREGIVER,
    L_HEAD,
    L_TAIL,
    LANE,
    LANE_SIZE,
    LISTED,
    NEAR,
    NEXT,
    NODE,
    NONE,
    OTHER,
    PIN,
    PREV,
    START,
    UNIT,
    W_TRAVEL,
    Array,
    Number,
)
from services.planning.kernel.schedule import attach, detach, leg, unfair


@compiled
def draw(w: Array) -> Number:
    """64 random bits (xorshift64*)."""
    x = np.uint64(w[K_RANDOM])
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    w[K_RANDOM] = np.int64(x)
    return x * np.uint64(2685821657736338717)


@compiled
def pick(w: Array, count: int) -> Number:
    """A random number below ``count``."""
    return np.int64(((draw(w) >> np.uint64(33)) * np.uint64(count)) >> np.uint64(31))


@compiled
def chance(w: Array) -> Number:
    """A random number in (0, 1]."""
    return (np.float64(draw(w) >> np.uint64(11)) + 1.0) * (1.0 / 9007199254740992.0)


@compiled
def some_visit(w: Array) -> Number:
    """Any visit."""
    return w[K_NODES_AT] + NODE * pick(w, w[K_VISITS])


@compiled
def some_lane(w: Array) -> Number:
    """Any lane."""
    return w[K_LANES_AT] + LANE_SIZE * pick(w, w[K_LANES])


@compiled
def is_apart(w: Array, v: int, u: int) -> Number:
    """Whether two of a group want different caregivers."""
    return (
        w[v + UNIT] == w[u + UNIT]
        or (w[v + FOLLOWED] == u and w[v + OTHER] == 1)
        or (w[u + FOLLOWED] == v and w[u + OTHER] == 1)
    )


@compiled
def clashes(w: Array, v: int, caregiver: int) -> Number:
    """Whether the caregiver does another part of the same group that is not hers as well."""
    group = w[v + GROUP]
    if group == NONE:
        return False
    for k in range(w[group + G_BEGIN], w[group + G_END]):
        u = w[k]
        lane = w[u + LANE]
        if u != v and lane != NONE and w[lane + L_CAREGIVER] == caregiver and is_apart(w, v, u):
            return True
    return False


@compiled
def may(w: Array, t: Array, v: int, lane: int) -> Number:
    """Whether this lane's caregiver may do the visit at all, beside what she does."""
    c = w[lane + L_CAREGIVER]
    if t[w[v + COSTS] + w[c + C_NUMBER]] >= FORBIDDEN:
        return False
    had = w[v + LANE]
    if (had == NONE or w[had + L_CAREGIVER] != c) and w[c + C_LOAD] + w[v + DURATION] > w[c + C_LIMIT]:
        return False
    return not clashes(w, v, c)


@compiled
def loads(w: Array, c: int, d: int, change: int) -> Number:
    """What it costs in fairness that ``change`` seconds of service go from one caregiver to another."""
    if c == d:
        return 0
    a, b = w[c + C_LOAD], w[d + C_LOAD]
    return unfair(w, c, a - change) - unfair(w, c, a) + unfair(w, d, b + change) - unfair(w, d, b)


@compiled
def relocate(w: Array, t: Array, bound: int) -> Number:
    """One visit to a place beside a near one."""
    v = some_visit(w)
    had = w[v + LANE]
    if had == NONE or w[v + PIN] != NONE:
        return False
    u = w[w[v + NEAR] + pick(w, w[K_NEAR])]
    lane = w[u + LANE]
    if lane == NONE:
        return False
    p = u if draw(w) >> np.uint64(63) else w[u + PREV]
    return relocate_to(w, t, v, lane, p, bound)


@compiled
def relocate_to(w: Array, t: Array, v: int, lane: int, p: int, bound: int) -> Number:
    """One visit to behind a node, if that can pay."""
    had, before, after = w[v + LANE], w[v + PREV], w[v + NEXT]
    if p in (v, before) or not may(w, t, v, lane):
        return False
    q = w[p + NEXT]
    way = leg(w, t, had, before, after) - leg(w, t, had, before, v) - leg(w, t, had, v, after)
    way += leg(w, t, lane, p, v) + leg(w, t, lane, v, q) - leg(w, t, lane, p, q)
    c, d = w[had + L_CAREGIVER], w[lane + L_CAREGIVER]
    gain = w[W_TRAVEL] * way + t[w[v + COSTS] + w[d + C_NUMBER]] - t[w[v + COSTS] + w[c + C_NUMBER]]
    if gain + loads(w, c, d, w[v + DURATION]) > bound:
        return False
    detach(w, t, v)
    attach(w, t, v, lane, p)
    return True


@compiled
def to_any_lane(w: Array, t: Array, bound: int) -> Number:
    """One visit to any lane, where its time would be: empty lanes have no neighbours."""
    v = some_visit(w)
    if w[v + LANE] == NONE or w[v + PIN] != NONE:
        return False
    lane = some_lane(w)
    return relocate_to(w, t, v, lane, slot(w, lane, w[v + START], v), bound)


@compiled
def slot(w: Array, lane: int, moment: int, but: int) -> Number:
    """The last node of a lane that begins by a moment, not counting one visit."""
    p = w[lane + L_HEAD]
    q = w[p + NEXT]
    while q < w[K_HEADS_AT] and w[q + START] <= moment:
        if q != but:
            p = q
        q = w[q + NEXT]
    return p


@compiled
def segment(w: Array, t: Array, bound: int) -> Number:
    """Two or three visits in a row to a place beside a near one."""
    n = w[K_HEADS_AT]
    v = some_visit(w)
    u = w[w[v + NEAR] + pick(w, w[K_NEAR])]
    if w[v + LANE] == NONE or w[u + LANE] == NONE:
        return False
    backwards = draw(w) >> np.uint64(63)
    first = last = v
    for _ in range(1 + pick(w, 2)):
        if backwards:
            first = w[first + PREV]
        else:
            last = w[last + NEXT]
        if first >= n or last >= n:
            return False
    p = w[u + PREV] if backwards else u
    return p != w[first + PREV] and move_segment(w, t, first, last, p, bound)


@compiled
def move_segment(w: Array, t: Array, first: int, last: int, p: int, bound: int) -> Number:
    """Visits in a row to behind a node, if that can pay."""
    had, lane = w[first + LANE], w[p + LANE]
    before, after, q = w[first + PREV], w[last + NEXT], w[p + NEXT]
    c, d = w[had + L_CAREGIVER], w[lane + L_CAREGIVER]
    way = leg(w, t, had, before, after) - leg(w, t, had, before, first) - leg(w, t, had, last, after)
    way += leg(w, t, lane, p, first) + leg(w, t, lane, last, q) - leg(w, t, lane, p, q)
    gain, work = 0, 0
    x = first
    while x != after:
        if x == p or w[x + PIN] != NONE or not may(w, t, x, lane):
            return False
        gain += t[w[x + COSTS] + w[d + C_NUMBER]] - t[w[x + COSTS] + w[c + C_NUMBER]]
        work += w[x + DURATION]
        if x != last:
            y = w[x + NEXT]
            way += leg(w, t, lane, x, y) - leg(w, t, had, x, y)
        x = w[x + NEXT]
    if c != d and w[d + C_LOAD] + work > w[d + C_LIMIT]:
        return False
    if w[W_TRAVEL] * way + gain + loads(w, c, d, work) > bound:
        return False
    x = first
    while x != after:
        y = w[x + NEXT]
        detach(w, t, x)
        attach(w, t, x, lane, p)
        p, x = x, y
    return True


@compiled
def swap(w: Array, t: Array, bound: int) -> Number:
    """A visit takes the place of another that stands beside a near one, which takes its place."""
    n = w[K_HEADS_AT]
    v = some_visit(w)
    u = w[w[v + NEAR] + pick(w, w[K_NEAR])]
    if w[u + LANE] == NONE or w[v + LANE] == NONE:
        return False
    side = pick(w, 3)
    x = u if side == 0 else w[u + NEXT] if side == 1 else w[u + PREV]
    if x >= n or x == v or w[v + PIN] != NONE or w[x + PIN] != NONE:
        return False
    a, b = w[v + LANE], w[x + LANE]
    c, d = w[a + L_CAREGIVER], w[b + L_CAREGIVER]
    if t[w[v + COSTS] + w[d + C_NUMBER]] >= FORBIDDEN or t[w[x + COSTS] + w[c + C_NUMBER]] >= FORBIDDEN:
        return False
    p, q, r, s = w[v + PREV], w[v + NEXT], w[x + PREV], w[x + NEXT]
    more = w[v + DURATION] - w[x + DURATION]
    if c != d and (w[d + C_LOAD] + more > w[d + C_LIMIT] or w[c + C_LOAD] - more > w[c + C_LIMIT]):
        return False
    if q != x and r != v:
        way = leg(w, t, a, p, x) + leg(w, t, a, x, q) - leg(w, t, a, p, v) - leg(w, t, a, v, q)
        way += leg(w, t, b, r, v) + leg(w, t, b, v, s) - leg(w, t, b, r, x) - leg(w, t, b, x, s)
        gain = (
            t[w[v + COSTS] + w[d + C_NUMBER]]
            - t[w[v + COSTS] + w[c + C_NUMBER]]
            + t[w[x + COSTS] + w[c + C_NUMBER]]
            - t[w[x + COSTS] + w[d + C_NUMBER]]
        )
        if w[W_TRAVEL] * way + gain + loads(w, c, d, more) > bound:
            return False
    detach(w, t, v)
    detach(w, t, x)
    if q == x:
        attach(w, t, x, a, p)
        attach(w, t, v, a, x)
    elif r == v or s == v:
        attach(w, t, v, a, r)
        attach(w, t, x, a, v)
    else:
        attach(w, t, x, a, p)
        attach(w, t, v, b, r)
    return True


@compiled
def tails(w: Array, t: Array, bound: int) -> Number:
    """Two caregivers exchange the rest of their day: a near visit comes to follow this one."""
    v = some_visit(w)
    u = w[w[v + NEAR] + pick(w, w[K_NEAR])]
    if w[u + LANE] == NONE or w[v + LANE] == NONE:
        return False
    return exchange(w, t, v, w[u + PREV], bound)


@compiled
def whole_days(w: Array, t: Array, bound: int) -> Number:
    """Two caregivers exchange everything."""
    return exchange(w, t, w[some_lane(w) + L_HEAD], w[some_lane(w) + L_HEAD], bound)


@compiled
def cost_of_tail(w: Array, t: Array, first: int, a: int, b: int) -> Number:
    """What a tail costs more in lane b than in a, its service seconds, and its last visit; FAIL if forbidden."""
    n = w[K_HEADS_AT]
    c, d = w[a + L_CAREGIVER], w[b + L_CAREGIVER]
    gain, work, x, last = 0, 0, first, NONE
    while x < n:
        if w[x + PIN] != NONE or t[w[x + COSTS] + w[d + C_NUMBER]] >= FORBIDDEN:
            return FAIL, 0, 0
        gain += t[w[x + COSTS] + w[d + C_NUMBER]] - t[w[x + COSTS] + w[c + C_NUMBER]]
        work += w[x + DURATION]
        y = w[x + NEXT]
        if y < n:
            gain += w[W_TRAVEL] * (leg(w, t, b, x, y) - leg(w, t, a, x, y))
        last, x = x, y
    return gain, work, last


@compiled
def exchange(w: Array, t: Array, p: int, r: int, bound: int) -> Number:
    """Exchange what comes behind two nodes of different lanes."""
    a, b = w[p + LANE], w[r + LANE]
    if a == b:
        return False
    n = w[K_HEADS_AT]
    q, s = w[p + NEXT], w[r + NEXT]
    if q >= n and s >= n:
        return False
    home_a, home_b = w[a + L_TAIL], w[b + L_TAIL]
    gain_a, work_a, last_a = cost_of_tail(w, t, q, a, b)
    if gain_a == FAIL:
        return False
    gain_b, work_b, last_b = cost_of_tail(w, t, s, b, a)
    if gain_b == FAIL:
        return False
    way = -leg(w, t, a, p, q) - leg(w, t, b, r, s)
    if q < n:
        way += leg(w, t, b, r, q) + leg(w, t, b, last_a, home_b) - leg(w, t, a, last_a, home_a)
    else:
        way += leg(w, t, b, r, home_b)
    if s < n:
        way += leg(w, t, a, p, s) + leg(w, t, a, last_b, home_a) - leg(w, t, b, last_b, home_b)
    else:
        way += leg(w, t, a, p, home_a)
    c, d = w[a + L_CAREGIVER], w[b + L_CAREGIVER]
    more = work_a - work_b
    if c != d and (w[d + C_LOAD] + more > w[d + C_LIMIT] or w[c + C_LOAD] - more > w[c + C_LIMIT]):
        return False
    if w[W_TRAVEL] * way + gain_a + gain_b + loads(w, c, d, more) > bound:
        return False
    move_tails(w, t, p, q, r, s)
    return True


@compiled
def move_tails(w: Array, t: Array, p: int, q: int, r: int, s: int) -> None:
    """Carry out an exchange."""
    a, b = w[p + LANE], w[r + LANE]
    first = take_tail(w, t, q)
    second = take_tail(w, t, s)
    put_tail(w, t, first, b, r)
    put_tail(w, t, second, a, p)


@compiled
def take_tail(w: Array, t: Array, x: int) -> Number:
    """Take out everything from a node on; the visits stay listed one after the other."""
    first = x if x < w[K_HEADS_AT] else NONE
    while x < w[K_HEADS_AT]:
        y = w[x + NEXT]
        detach(w, t, x)
        w[x + LISTED] = y if y < w[K_HEADS_AT] else NONE
        x = y
    return first


@compiled
def put_tail(w: Array, t: Array, x: int, lane: int, p: int) -> None:
    """Put listed visits behind a node."""
    while x != NONE:
        attach(w, t, x, lane, p)
        p, x = x, w[x + LISTED]
