"""The loop of the annealing: propose, run the times down, accept or take back; and the first plan."""

import numpy as np

from services.planning.kernel.compiled import compiled
from services.planning.kernel.layout import (
    BEST_LANE,
    BEST_NEXT,
    BEST_PREV,
    C_LOAD,
    DONE,
    DURATION,
    FAIL,
    FIRST,
    G_BEGIN,
    G_END,
    GROUP,
    K_ACCEPTED,
    K_BEST,
    K_BEST_STATIC,
    K_CAP,
    K_COST,
    K_HEADS_AT,
    K_LANES,
    K_LANES_AT,
    K_LINKS,
    K_LINKS_AT,
    K_MARGIN,
    K_MOVES,
    K_NODES_AT,
    K_NODES_END,
    K_PAID,
    K_POOL,
    K_POOL_AT,
    K_STATIC,
    K_WORST,
    L_CAREGIVER,
    L_HEAD,
    LANE,
    LANE_SIZE,
    LINK_SIZE,
    LISTED,
    NEVER,
    NEXT,
    NODE,
    NONE,
    PAID,
    PIN,
    POOLED,
    PREV,
    START,
    W_WORST,
    Array,
    Number,
)
from services.planning.kernel.moves import (
    chance,
    clashes,
    may,
    pick,
    relocate,
    segment,
    slot,
    swap,
    tails,
    to_any_lane,
    whole_days,
)
from services.planning.kernel.pooling import best_place, come_in, find_place, pool, put_group, replace, whole_group
from services.planning.kernel.schedule import attach, begin, push, take_back
from services.planning.kernel.settling import run_down


@compiled
def propose(w: Array, t: Array, bound: int) -> Number:
    """One move, drawn by its share."""
    k = pick(w, 1024)
    if w[K_POOL] > 0 and k < 128:
        return come_in(w, t) if k < 48 else replace(w, t)
    if k < 430:
        return relocate(w, t, bound)
    if k < 620:
        return swap(w, t, bound)
    if k < 820:
        return tails(w, t, bound)
    if k < 960:
        return segment(w, t, bound)
    if k < 990:
        return to_any_lane(w, t, bound)
    if k < 1018:
        return whole_group(w, t)
    return whole_days(w, t, bound)


@compiled
def is_apart_everywhere(w: Array) -> Number:
    """Whether no caregiver meets herself at a group that this move touched."""
    for k in range(w[K_LINKS_AT], w[K_LINKS], LINK_SIZE):
        v = w[k]
        lane = w[v + LANE]
        if w[v + GROUP] != NONE and lane != NONE and clashes(w, v, w[lane + L_CAREGIVER]):
            return False
    return True


@compiled
def is_whole(w: Array) -> Number:
    """Whether every group that this move touched is done in full or not at all."""
    for k in range(w[K_LINKS_AT], w[K_LINKS], LINK_SIZE):
        group = w[w[k] + GROUP]
        if group == NONE:
            continue
        done, left = 0, 0
        for i in range(w[group + G_BEGIN], w[group + G_END]):
            u = w[i]
            if w[u + PIN] == NONE:
                if w[u + LANE] == NONE:
                    left += 1
                else:
                    done += 1
        if done > 0 and left > 0:
            return False
    return True


@compiled
def cost_now(w: Array) -> Number:
    """The whole cost of the plan as it stands."""
    return w[K_STATIC] + w[K_PAID] + w[W_WORST] * w[K_WORST]


@compiled
def anneal(w: Array, t: Array, moves: int, hot: float, cold: float) -> None:
    """So many moves while the temperature falls from hot to cold (in units of cost)."""
    factor = (cold / hot) ** (64.0 / max(64, moves))
    temperature = hot
    for number in range(moves):
        if number & 63 == 63:
            temperature *= factor
        static, paid, cost = w[K_STATIC], w[K_PAID], w[K_COST]
        limit = np.int64(-temperature * np.log(chance(w)))
        bound = limit + cost - static
        begin(w)
        w[K_CAP] = cost + limit + w[K_MARGIN]
        good = propose(w, t, bound)
        if w[K_LINKS] == w[K_LINKS_AT]:
            continue
        good = good and w[K_STATIC] - static <= bound and is_apart_everywhere(w) and is_whole(w)
        if good and run_down(w, t, 400):
            after = cost_now(w)
            if after - cost <= limit:
                w[K_COST] = after
                w[K_ACCEPTED] += 1
                pool(w)
                if after < w[K_BEST]:
                    keep(w)
                continue
        take_back(w, static, paid)
    w[K_MOVES] += moves


@compiled
def keep(w: Array) -> None:
    """Remember the plan as the best so far."""
    w[K_BEST], w[K_BEST_STATIC] = w[K_COST], w[K_STATIC]
    for v in range(w[K_NODES_AT], w[K_NODES_END], NODE):
        w[v + BEST_LANE] = w[v + LANE]
        w[v + BEST_PREV] = w[v + PREV]
        w[v + BEST_NEXT] = w[v + NEXT]


@compiled
def pin_down(w: Array, t: Array, rows: Array) -> Number:
    """Put in what is pinned: rows of visit and lane, in the order of their times."""
    begin(w)
    for k in range(rows.shape[0]):
        v, lane = rows[k, 0], rows[k, 1]
        attach(w, t, v, lane, slot(w, lane, w[v + PIN], v))
        w[v + START] = w[v + LISTED] = w[v + PIN]
    good = run_down(w, t, NEVER)
    w[K_COST] = cost_now(w)
    return good


@compiled
def slot_as_told(w: Array, lane: int, moment: int) -> Number:
    """The last node of a lane that begins by a moment in the plan that is loaded: until then times are earlier."""
    p = w[lane + L_HEAD]
    q = w[p + NEXT]
    while q < w[K_HEADS_AT] and w[q + LISTED] <= moment:
        p = q
        q = w[q + NEXT]
    return p


@compiled
def load(w: Array, t: Array, rows: Array) -> Number:
    """Put in a running plan, group by group: rows of visit, lane, start and group, a group's rows together.

    Returns how many groups no longer fit; they stay unassigned.
    """
    lost, k = 0, 0
    while k < rows.shape[0]:
        static, paid = w[K_STATIC], w[K_PAID]
        begin(w)
        good = True
        group = rows[k, 3]
        while k < rows.shape[0] and rows[k, 3] == group:
            v, lane = rows[k, 0], rows[k, 1]
            good = good and may(w, t, v, lane)
            if good:
                attach(w, t, v, lane, slot_as_told(w, lane, rows[k, 2]))
                w[v + LISTED] = rows[k, 2]
            k += 1
        if good and is_whole(w) and run_down(w, t, 100_000):
            pool(w)
        else:
            take_back(w, static, paid)
            lost += 1
        w[K_COST] = cost_now(w)
    return lost


@compiled
def fill(w: Array, t: Array, order: Array, rounds: int) -> None:
    """Put in what nobody does, in this order, each at the cheapest place, or at the best of a hundred."""
    for attempt in range(rounds):
        for k in range(order.shape[0]):
            v = order[k]
            if w[v + LANE] != NONE:
                continue
            static, paid = w[K_STATIC], w[K_PAID]
            begin(w)
            p = best_place(w, t, v) if attempt == 0 else find_place(w, t, v, FAIL, 100)
            if p != NONE and put_group(w, t, v, p, 100) and is_apart_everywhere(w) and run_down(w, t, 100_000):
                pool(w)
            else:
                take_back(w, static, paid)
            w[K_COST] = cost_now(w)


@compiled
def finish(w: Array) -> None:
    """The plan as it stands is the first one, and the best so far."""
    w[K_COST] = cost_now(w)
    keep(w)


@compiled
def count_again(w: Array) -> None:
    """Loads and pool of the links as they stand."""
    for lane in range(w[K_LANES_AT], w[K_LANES_AT] + w[K_LANES] * LANE_SIZE, LANE_SIZE):
        w[w[lane + L_CAREGIVER] + C_LOAD] = 0
    for v in range(w[K_NODES_AT], w[K_HEADS_AT], NODE):
        if w[v + LANE] != NONE:
            w[w[w[v + LANE] + L_CAREGIVER] + C_LOAD] += w[v + DURATION]
        w[v + POOLED] = NONE
        if w[v + FIRST] == v and w[v + LANE] == NONE:
            w[v + POOLED] = w[K_POOL]
            w[w[K_POOL_AT] + w[K_POOL]] = v
            w[K_POOL] += 1


@compiled
def restore(w: Array, t: Array) -> Number:
    """Go back to the best plan, with every time as early as it can be."""
    n = w[K_HEADS_AT]
    begin(w)
    for v in range(w[K_NODES_AT], w[K_NODES_END], NODE):
        w[v + LANE], w[v + PREV], w[v + NEXT] = w[v + BEST_LANE], w[v + BEST_PREV], w[v + BEST_NEXT]
        if w[v + PREV] != NONE:
            w[v + START], w[v + DONE], w[v + PAID] = FAIL, 0, 0
    w[K_PAID], w[K_WORST], w[K_POOL] = 0, 0, 0
    w[K_STATIC] = w[K_BEST_STATIC]
    count_again(w)
    for lane in range(w[K_LANES_AT], w[K_LANES_AT] + w[K_LANES] * LANE_SIZE, LANE_SIZE):
        v = w[w[lane + L_HEAD] + NEXT]
        while v < n:
            push(w, v)
            v = w[v + NEXT]
        push(w, v)
    good = run_down(w, t, NEVER)
    w[K_COST] = cost_now(w)
    return good
