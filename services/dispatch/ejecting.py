"""For an urgent order: who could come if one of her later, not urgent visits were moved. Pure; only proposals."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.dispatch.facts import Candidate, Job, Match, Need, RuledOut, Span, Weights
from services.dispatch.matching import consider, neat_start, possible_starts
from services.dispatch.travel import Ways

IN_THE_WAY: Final = frozenset({"busy", "travel_too_long"})
PROPOSALS: Final = 5


@dataclass(frozen=True, slots=True)
class Move:
    """``moved_to`` is the new start of the moved visit with the same caregiver, where there is one."""

    match: Match
    job: Job
    moved_to: datetime | None


def in_the_way(out: Iterable[RuledOut], now: datetime) -> set[UUID]:
    """The orders whose visits alone keep somebody from coming, and that have not begun."""
    return {
        job.order_id
        for one in out
        if _only_in_the_way(one)
        for job in one.caregiver.jobs
        if job.order_id is not None and job.span.starts_at > now
    }


def moves(
    need: Need, out: Iterable[RuledOut], movable: Mapping[UUID, Span], scale: Weights, ways: Ways
) -> list[Move]:
    """The best proposals: the earliest start first, then the moved visit that stays with its caregiver."""
    found = [
        move
        for one in out
        if _only_in_the_way(one)
        for move in _moves_of(need, one.caregiver, movable, scale, ways)
    ]
    found.sort(key=lambda move: (move.match.starts_at, move.moved_to is None, move.match.caregiver.id))
    kept: dict[UUID, Move] = {}
    for move in found:
        kept.setdefault(move.match.caregiver.id, move)
    return list(kept.values())[:PROPOSALS]


def _only_in_the_way(one: RuledOut) -> bool:
    return {reason.code for reason in one.reasons} <= IN_THE_WAY


def _moves_of(
    need: Need, who: Candidate, movable: Mapping[UUID, Span], scale: Weights, ways: Ways
) -> Iterable[Move]:
    for job in who.jobs:
        window = None if job.order_id is None else movable.get(job.order_id)
        if window is None or job.span.starts_at <= need.now:
            continue
        free = replace(who, jobs=_without(who.jobs, job))
        match = consider(need, free, scale, ways)
        if isinstance(match, Match):
            yield Move(match, job, _later(need, free, match, job, window, scale, ways))


def _later(
    need: Need, free: Candidate, match: Match, job: Job, window: Span, scale: Weights, ways: Ways
) -> datetime | None:
    """When the same caregiver could do the moved visit, with the urgent one on her day."""
    urgent = Job(Span(match.starts_at, match.starts_at + need.duration), need.place)
    busy = replace(free, jobs=tuple(sorted((*free.jobs, urgent), key=lambda one: one.span.starts_at)))
    moved = Need(
        skills=frozenset(),
        licences=frozenset(),
        window=window,
        duration=job.span.ends_at - job.span.starts_at,
        place=job.place,
        now=need.now,
    )
    starts = possible_starts(moved, busy, ways)
    return neat_start(starts[0], scale.grid) if starts else None


def _without(jobs: Collection[Job], gone: Job) -> tuple[Job, ...]:
    return tuple(job for job in jobs if job is not gone)
