"""Changing a plan and keeping its times: take out, put in, let the change run down the lanes, take it all back."""

from services.planning.kernel.compiled import compiled
from services.planning.kernel.layout import (
    B_EARLIEST,
    B_LATEST,
    B_LENGTH,
    BREAK_SIZE,
    C_LOAD,
    C_NUMBER,
    C_SHARE,
    COSTS,
    DONE,
    DURATION,
    FAIL,
    HIGH,
    K_CAP,
    K_HEADS_AT,
    K_LINKS,
    K_LINKS_AT,
    K_LOG,
    K_LOG_AT,
    K_PAID,
    K_QUEUE,
    K_QUEUE_AT,
    K_QUEUE_SIZE,
    K_RESCAN,
    K_SAVED_WORST,
    K_STATIC,
    K_STEPS,
    K_TOLERANCE,
    K_WORST,
    L_BREAK,
    L_BREAK_END,
    L_CAREGIVER,
    L_HARD,
    L_START,
    L_TRAVEL,
    LANE,
    LINK_SIZE,
    LOG_SIZE,
    LOW,
    MORE,
    MORE_END,
    NEXT,
    NONE,
    PAID,
    PIN,
    PLACE,
    PREV,
    QUEUED,
    ROW,
    SOFT,
    START,
    TOLD,
    TOLD_BY,
    UNASSIGNED,
    W_CHANGE,
    W_LATE,
    W_TRAVEL,
    W_UNFAIR,
    W_WORST,
    WINDOW_SIZE,
    Array,
    Number,
)


@compiled
def leg(w: Array, t: Array, lane: int, a: int, b: int) -> Number:
    """Seconds from one node to another for whoever has the lane."""
    return t[w[lane + L_TRAVEL] + w[a + ROW] + w[b + PLACE]]


@compiled
def unfair(w: Array, caregiver: int, load: int) -> Number:
    """What a load above the fair share costs."""
    over = load - w[caregiver + C_SHARE]
    return w[W_UNFAIR] * over // 3600 if over > 0 else 0


@compiled
def opening(w: Array, v: int, moment: int) -> Number:
    """The earliest start at or after a moment, or FAIL."""
    if moment <= w[v + HIGH]:
        return max(moment, w[v + LOW])
    for k in range(w[v + MORE], w[v + MORE_END], WINDOW_SIZE):
        if moment <= w[k + 1]:
            return max(moment, w[k])
    return FAIL


@compiled
def arrive(w: Array, t: Array, v: int, floor: int) -> Number:
    """Start of a visit after the one before it, and how many breaks are over by then.

    A break is taken where it costs no time, at the latest in the last gap where it may still begin.
    """
    p, lane = w[v + PREV], w[v + LANE]
    clock = w[p + START] + w[p + DURATION]
    way = leg(w, t, lane, p, v)
    done = w[p + DONE]
    pin = w[v + PIN]
    if pin != NONE:
        start = pin
        if clock + way > pin and p < w[K_HEADS_AT] and w[p + PIN] == NONE:
            return FAIL, 0
    else:
        floor = max(floor, w[lane + L_START])
        start = opening(w, v, max(clock + way, floor))
        if start == FAIL:
            return FAIL, 0
    for k in range(w[lane + L_BREAK] + done * BREAK_SIZE, w[lane + L_BREAK_END], BREAK_SIZE):
        earliest, latest = w[k + B_EARLIEST], w[k + B_LATEST]
        if clock > latest:
            return FAIL, 0
        left = way
        after = clock
        if after < earliest:
            left -= min(left, earliest - after)
            after = earliest
        after += w[k + B_LENGTH]
        if after + left > start:
            if start + w[v + DURATION] <= latest:
                break
            if pin != NONE:
                return FAIL, 0
            start = opening(w, v, max(after + left, floor))
            if start == FAIL:
                return FAIL, 0
        clock, way = after, left
        done += 1
    if pin == NONE and start + w[v + DURATION] > w[lane + L_HARD]:
        return FAIL, 0
    return start, done


@compiled
def dues(w: Array, v: int, start: int) -> Number:
    """What this start costs: lateness, and another time than was told."""
    cost = 0
    if start > w[v + SOFT]:
        cost = w[W_LATE] * (start - w[v + SOFT])
    if w[v + TOLD_BY] == w[w[v + LANE] + L_CAREGIVER] and abs(start - w[v + TOLD]) > w[K_TOLERANCE]:
        cost += w[W_CHANGE]
    return cost


@compiled
def note_worst(w: Array, v: int, start: int) -> None:
    """Keep the worst lateness: a new one is taken over, an old one that shrinks wants a look at all."""
    if w[W_WORST] == 0:
        return
    late = start - w[v + SOFT]
    before = w[v + START] - w[v + SOFT]
    if before > 0 and before >= w[K_SAVED_WORST] and late < before:
        w[K_RESCAN] = 1
    if late > w[K_WORST]:
        w[K_WORST] = late


@compiled
def put(w: Array, v: int, start: int, done: int, due: int) -> None:
    """Write a node's time, and remember the one it had."""
    k = w[K_LOG]
    w[k] = v
    w[k + 1] = w[v + START]
    w[k + 2] = w[v + DONE]
    w[k + 3] = w[v + PAID]
    w[K_LOG] = k + LOG_SIZE
    w[K_PAID] += due - w[v + PAID]
    w[v + START] = start
    w[v + DONE] = done
    w[v + PAID] = due


@compiled
def push(w: Array, v: int) -> None:
    """Look at this node again."""
    if w[v + QUEUED] == 0:
        w[v + QUEUED] = 1
        w[w[K_QUEUE_AT] + w[K_QUEUE] % w[K_QUEUE_SIZE]] = v
        w[K_QUEUE] += 1


@compiled
def detach(
    w: Array,
    t: Array,
    v: int,
) -> None:
    """Take a visit out of its lane."""
    lane, p, q = w[v + LANE], w[v + PREV], w[v + NEXT]
    c = w[lane + L_CAREGIVER]
    way = leg(w, t, lane, p, q) - leg(w, t, lane, p, v)
    way -= leg(w, t, lane, v, q)
    load = w[c + C_LOAD]
    w[c + C_LOAD] = load - w[v + DURATION]
    w[K_STATIC] += (
        w[W_TRAVEL] * way
        + w[v + UNASSIGNED]
        - t[w[v + COSTS] + w[c + C_NUMBER]]
        + unfair(w, c, load - w[v + DURATION])
        - unfair(w, c, load)
    )
    w[p + NEXT] = q
    w[q + PREV] = p
    w[v + LANE] = NONE
    k = w[K_LINKS]
    w[k], w[k + 1], w[k + 2], w[k + 3] = v, 0, lane, p
    w[K_LINKS] = k + LINK_SIZE
    note_worst(w, v, FAIL)
    put(w, v, FAIL, 0, 0)
    push(w, q)


@compiled
def attach(
    w: Array,
    t: Array,
    v: int,
    lane: int,
    p: int,
) -> None:
    """Put a visit into a lane after a node."""
    q = w[p + NEXT]
    c = w[lane + L_CAREGIVER]
    way = leg(w, t, lane, p, v) + leg(w, t, lane, v, q)
    way -= leg(w, t, lane, p, q)
    load = w[c + C_LOAD]
    w[c + C_LOAD] = load + w[v + DURATION]
    w[K_STATIC] += (
        w[W_TRAVEL] * way
        - w[v + UNASSIGNED]
        + t[w[v + COSTS] + w[c + C_NUMBER]]
        + unfair(w, c, load + w[v + DURATION])
        - unfair(w, c, load)
    )
    w[p + NEXT] = v
    w[v + PREV] = p
    w[v + NEXT] = q
    w[q + PREV] = v
    w[v + LANE] = lane
    k = w[K_LINKS]
    w[k], w[k + 1], w[k + 2], w[k + 3] = v, 1, lane, p
    w[K_LINKS] = k + LINK_SIZE
    push(w, v)
    push(w, q)


@compiled
def begin(w: Array) -> None:
    """From here on everything can be taken back."""
    w[K_LOG] = w[K_LOG_AT]
    w[K_LINKS] = w[K_LINKS_AT]
    w[K_QUEUE] = 0
    w[K_STEPS] = 0
    w[K_RESCAN] = 0
    w[K_CAP] = 1 << 61
    w[K_SAVED_WORST] = w[K_WORST]


@compiled
def empty_queue(w: Array, head: int) -> None:
    """Forget who was still to be looked at."""
    for k in range(head, w[K_QUEUE]):
        w[w[w[K_QUEUE_AT] + k % w[K_QUEUE_SIZE]] + QUEUED] = 0
    w[K_QUEUE] = 0


@compiled
def take_back(
    w: Array,
    static: int,
    paid: int,
) -> None:
    """Undo everything since ``begin``."""
    empty_queue(w, 0)
    for k in range(w[K_LINKS] - LINK_SIZE, w[K_LINKS_AT] - 1, -LINK_SIZE):
        v, was_put, lane, p = w[k], w[k + 1], w[k + 2], w[k + 3]
        c = w[lane + L_CAREGIVER]
        if was_put == 1:
            q = w[v + NEXT]
            w[p + NEXT] = q
            w[q + PREV] = p
            w[v + LANE] = NONE
            w[c + C_LOAD] -= w[v + DURATION]
        else:
            q = w[p + NEXT]
            w[p + NEXT] = v
            w[v + PREV] = p
            w[v + NEXT] = q
            w[q + PREV] = v
            w[v + LANE] = lane
            w[c + C_LOAD] += w[v + DURATION]
    for k in range(w[K_LOG] - LOG_SIZE, w[K_LOG_AT] - 1, -LOG_SIZE):
        v = w[k]
        w[v + START], w[v + DONE], w[v + PAID] = w[k + 1], w[k + 2], w[k + 3]
    w[K_STATIC] = static
    w[K_PAID] = paid
    w[K_WORST] = w[K_SAVED_WORST]
