"""Bringing times up to date after a change: down the lanes, across groups, to the way home."""

from services.planning.kernel.compiled import compiled
from services.planning.kernel.layout import (
    AT_LEAST,
    AT_MOST,
    B_LATEST,
    BREAK_SIZE,
    DONE,
    DRAFT,
    DRAFT_DONE,
    DURATION,
    FAIL,
    FLOOR,
    FOLLOWED,
    G_BEGIN,
    G_END,
    GROUP,
    K_CAP,
    K_HEADS_AT,
    K_NODES_AT,
    K_PAID,
    K_QUEUE,
    K_QUEUE_AT,
    K_QUEUE_SIZE,
    K_RESCAN,
    K_STATIC,
    K_STEP_LIMIT,
    K_STEPS,
    K_WORST,
    L_BREAK,
    L_BREAK_END,
    L_END,
    L_HARD,
    LANE,
    NEXT,
    NODE,
    NONE,
    PIN,
    PREV,
    QUEUED,
    SOFT,
    START,
    UNIT,
    W_OVERTIME,
    W_WORST,
    Array,
    Number,
)
from services.planning.kernel.schedule import arrive, dues, empty_queue, leg, note_worst, push, put


@compiled
def close(w: Array, t: Array, v: int) -> Number:
    """The end of a lane: home in time, no break forgotten, overtime paid."""
    p, lane = w[v + PREV], w[v + LANE]
    clock = w[p + START] + w[p + DURATION]
    end = clock + leg(w, t, lane, p, v)
    free = p >= w[K_HEADS_AT] or w[p + PIN] != NONE
    if end > w[lane + L_HARD] and not free:
        return False
    if not free:
        for k in range(w[lane + L_BREAK] + w[p + DONE] * BREAK_SIZE, w[lane + L_BREAK_END], BREAK_SIZE):
            if clock > w[k + B_LATEST]:
                return False
    due = 0
    if p < w[K_HEADS_AT] and end > w[lane + L_END]:
        due = w[W_OVERTIME] * (end - w[lane + L_END])
    if end != w[v + START]:
        put(w, v, end, 0, due)
    return True


@compiled
def least_start(w: Array, v: int, u: int) -> Number:
    """The earliest start of a visit that the drafted start of another one of its group allows."""
    least = FAIL
    if w[u + UNIT] == w[v + UNIT]:
        least = w[u + DRAFT]
    if w[v + FOLLOWED] == u:
        least = max(least, w[u + DRAFT] + w[v + AT_LEAST])
    if w[u + FOLLOWED] == v:
        least = max(least, w[u + DRAFT] - w[u + AT_MOST])
    return least


@compiled
def draft_group(w: Array, t: Array, first: int, last: int) -> Number:
    """Draft the start of each member given when its caregiver can be there; False when one cannot."""
    for k in range(first, last):
        v = w[k]
        if w[v + LANE] != NONE:
            start, done = arrive(w, t, v, w[v + FLOOR])
            if start == FAIL:
                return False
            w[v + DRAFT], w[v + DRAFT_DONE] = start, done
    return True


@compiled
def raise_group(w: Array, first: int, last: int) -> Number:
    """Hold each drafted start against the others: 0 when they agree, 1 when one was raised, FAIL for never."""
    raised = 0
    for i in range(first, last):
        v = w[i]
        if w[v + LANE] == NONE:
            continue
        for j in range(first, last):
            u = w[j]
            if i == j or w[u + LANE] == NONE or (w[u + PIN] != NONE and w[v + PIN] != NONE):
                continue
            least = least_start(w, v, u)
            if w[v + DRAFT] < least:
                if w[v + PIN] != NONE:
                    return FAIL
                w[v + DRAFT], w[v + FLOOR] = least, least
                raised = 1
    return raised


@compiled
def settle_group(w: Array, t: Array, group: int) -> Number:
    """The earliest starts of what belongs together."""
    first, last = w[group + G_BEGIN], w[group + G_END]
    for k in range(first, last):
        w[w[k] + FLOOR] = FAIL
    for _ in range(16):
        if not draft_group(w, t, first, last):
            return False
        raised = raise_group(w, first, last)
        if raised == FAIL:
            return False
        if raised == 0:
            for k in range(first, last):
                v = w[k]
                if w[v + LANE] != NONE:
                    move_to(w, v, w[v + DRAFT], w[v + DRAFT_DONE])
            return True
    return False


@compiled
def move_to(w: Array, v: int, start: int, done: int) -> None:
    """A visit's new time, and the next one is to be looked at."""
    if start != w[v + START] or done != w[v + DONE]:
        note_worst(w, v, start)
        put(w, v, start, done, dues(w, v, start))
        w[K_STEPS] += 1
        push(w, w[v + NEXT])


@compiled
def run_down(
    w: Array,
    t: Array,
    limit: int,
) -> Number:
    """Bring every time up to date. False when a rule breaks, or when times chase each other in a ring."""
    head = 0
    limit = min(limit, w[K_STEP_LIMIT])
    while head < w[K_QUEUE]:
        v = w[w[K_QUEUE_AT] + head % w[K_QUEUE_SIZE]]
        head += 1
        w[v + QUEUED] = 0
        if w[v + LANE] == NONE:
            continue
        if v >= w[K_HEADS_AT]:
            good = close(w, t, v)
        elif w[v + GROUP] != NONE:
            good = settle_group(w, t, w[v + GROUP])
        else:
            start, done = arrive(w, t, v, FAIL)
            good = start != FAIL
            if good:
                move_to(w, v, start, done)
        if not good or w[K_STEPS] > limit or w[K_STATIC] + w[K_PAID] + w[W_WORST] * w[K_WORST] > w[K_CAP]:
            empty_queue(w, head)
            return False
    w[K_QUEUE] = 0
    if w[K_RESCAN] == 1:
        worst = 0
        for v in range(w[K_NODES_AT], w[K_HEADS_AT], NODE):
            if w[v + LANE] != NONE and w[v + START] - w[v + SOFT] > worst:
                worst = w[v + START] - w[v + SOFT]
        w[K_WORST] = worst
    return True
