"""Which visits can stand beside each other in a caregiver's day."""

from typing import Any

import numpy as np

from services.planning.day import NEVER, Day

Array = Any


def near_visits(day: Day, travel: Array, neighbours: int) -> tuple[Array, float]:
    """For each visit those that can stand beside it: a short way, little waiting, somebody who may do both."""
    n = len(day.visits)
    if n < 2:
        return np.zeros((max(1, n), 1), np.int32), 600.0
    places = np.array([visit.place for visit in day.visits])
    way = travel.mean(axis=0)[np.ix_(places, places)].astype(np.float32)
    durations = np.array([visit.duration for visit in day.visits], np.float32)
    low = np.array([starts[0][0] if starts else 0 for starts in day.starts], np.float32)
    high = np.array([starts[-1][1] if starts else 0 for starts in day.starts], np.float32)
    soft = np.array([min(float(v.latest_soft_start or NEVER), float(NEVER)) for v in day.visits], np.float32)
    high = np.minimum(high, np.maximum(soft, low))
    ready = (low + durations)[:, None] + way
    latest = (high + durations)[:, None] + way
    far = way + 0.2 * np.maximum(0, low[None, :] - latest) + np.maximum(0, ready - high[None, :])
    far = np.minimum(far, far.T)
    able = np.zeros((n, max(1, len(day.caregivers))), np.float32)
    for number in range(n):
        able[number, list(day.able[number])] = 1
        if number in day.pinned_lane:
            able[number, day.lanes[day.pinned_lane[number]].caregiver] = 1
    far[able @ able.T == 0] += 1e9
    for group in day.groups:
        for one in group:
            for other in group:
                if one != other and day.apart(one, other):
                    far[one, other] += 1e9
    np.fill_diagonal(far, np.inf)
    count = min(neighbours, n - 1)
    near = np.argsort(far, axis=1, kind="stable")[:, :count].astype(np.int32)
    usual = float(np.take_along_axis(way, near[:, : min(5, count)].astype(np.int64), axis=1).mean())
    return np.ascontiguousarray(near), max(1.0, usual * day.options.weights.travel)
