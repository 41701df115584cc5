"""What no honest month holds: pure rules over the visits of a month, as data ``data/anomalies.json`` sets them.

A flag holds a line back until a person has looked; it accuses nobody. A new rule is one function in ``RULES``.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple
from uuid import UUID

from services.core.geo import Point, distance_m


class Anomaly(StrEnum):
    TWO_PLACES = "two_places"  # one caregiver at two homes at once
    IMPOSSIBLE_WAY = "impossible_way"  # from one home to the next faster than anybody drives
    TOO_SHORT = "too_short"
    SAME_PROOF = "same_proof"  # one picture for two visits


WORDS: Final[Mapping[Anomaly, tuple[str, str]]] = {
    Anomaly.TWO_PLACES: ("同一人员同一时间在两处服务", "One caregiver at two homes at the same time"),
    Anomaly.IMPOSSIBLE_WAY: ("两次服务之间的路程不可能及时到达", "The way between two visits cannot be done"),
    Anomaly.TOO_SHORT: ("服务时间明显过短", "Much shorter than planned"),
    Anomaly.SAME_PROOF: ("同一照片用于多次服务", "The same picture stands for several visits"),
}


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """One ended visit. ``proofs`` are hashes of its pictures."""

    visit_id: UUID
    order_id: UUID
    caregiver_id: UUID
    resident_id: UUID
    started_at: datetime | None
    ended_at: datetime | None
    planned: timedelta
    home: Point
    proofs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Limits:
    """Project defaults."""

    shortest_share: float
    fastest_mps: float
    near_m: float
    overlap: timedelta


class Stay(NamedTuple):
    """One caregiver at one home."""

    start: datetime
    end: datetime
    order_id: UUID
    home: Point


_A_DAY_S_WORK = timedelta(hours=16)
"""Nobody stays longer; visits further apart cannot be in each other's way."""

Found = Iterable[tuple[UUID, Anomaly]]


@lru_cache(maxsize=1)
def limits() -> Limits:
    """The limits in force."""
    raw = json.loads(files("services.claims").joinpath("data/anomalies.json").read_text("utf-8"))
    return Limits(
        shortest_share=raw["shortest_share"],
        fastest_mps=raw["fastest_kmh"] / 3.6,
        near_m=raw["near_m"],
        overlap=timedelta(seconds=raw["overlap_tolerance_seconds"]),
    )


def find(visits: Sequence[VisitFacts], bounds: Limits) -> dict[UUID, frozenset[Anomaly]]:
    """The anomalies of each order, those with none left out. Visits of the days around belong to the question."""
    flags: dict[UUID, set[Anomaly]] = defaultdict(set)
    for rule in RULES:
        for order_id, anomaly in rule(visits, bounds):
            flags[order_id].add(anomaly)
    return {order_id: frozenset(found) for order_id, found in flags.items()}


def too_short(visits: Sequence[VisitFacts], bounds: Limits) -> Found:
    """A stay below the share of the planned time."""
    for one in visits:
        if one.started_at is None or one.ended_at is None:
            continue
        if one.ended_at - one.started_at < one.planned * bounds.shortest_share:
            yield one.order_id, Anomaly.TOO_SHORT


def ways(visits: Sequence[VisitFacts], bounds: Limits) -> Found:
    """Two visits of one caregiver that overlap, or that no vehicle connects in the time between."""
    by_caregiver: dict[UUID, list[Stay]] = defaultdict(list)
    for one in visits:
        if one.started_at is not None and one.ended_at is not None:
            by_caregiver[one.caregiver_id].append(Stay(one.started_at, one.ended_at, one.order_id, one.home))
    for stays in by_caregiver.values():
        stays.sort(key=lambda stay: (stay.start, stay.end, stay.order_id))
        for place, after in enumerate(stays):
            for before in reversed(stays[:place]):
                if before.start < after.start - _A_DAY_S_WORK:
                    break
                anomaly = _between(before, after, bounds)
                if anomaly is not None:
                    yield before.order_id, anomaly
                    yield after.order_id, anomaly


def _between(before: Stay, after: Stay, bounds: Limits) -> Anomaly | None:
    metres = distance_m(before.home, after.home)
    if metres <= bounds.near_m:
        return None  # neighbours, or two people of one home
    if after.start + bounds.overlap < before.end:
        return Anomaly.TWO_PLACES
    needed = timedelta(seconds=metres / bounds.fastest_mps)
    free = max(after.start - before.end, timedelta()) + bounds.overlap
    return Anomaly.IMPOSSIBLE_WAY if needed > free else None


def same_proofs(visits: Sequence[VisitFacts], bounds: Limits) -> Found:  # noqa: ARG001  one shape for all rules
    """A picture that stands for visits of more than one order."""
    seen: dict[str, set[UUID]] = defaultdict(set)
    for one in visits:
        for proof in one.proofs:
            seen[proof].add(one.order_id)
    for orders in seen.values():
        if len(orders) > 1:
            for order_id in orders:
                yield order_id, Anomaly.SAME_PROOF


RULES: Final[tuple[Callable[[Sequence[VisitFacts], Limits], Found], ...]] = (too_short, ways, same_proofs)
