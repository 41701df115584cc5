"""Whom a wave asks, and when they would all begin. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.dispatch.facts import Match, Need, RuledOut
from services.dispatch.matching import common_start
from services.dispatch.policies.models import Circle, Wave

REASONS_KEPT = 30
"""Caregivers whose reasons are kept with an act: enough to answer why not she."""


@dataclass(frozen=True, slots=True)
class Team:
    """Whom to ask, and for when."""

    starts: Mapping[UUID, datetime]
    matches: tuple[Match, ...]


def circle_of(
    circle: Circle, fits: Iterable[Match], need: Need, near: timedelta, asked: Collection[UUID]
) -> list[Match]:
    """Those of a circle who were not asked before, best first (the nearest first, in the nearest circle)."""
    inside = [match for match in fits if match.caregiver.id not in asked and _lies_in(circle, match, need, near)]
    if circle is Circle.NEAREST:
        inside.sort(key=lambda match: (match.travel, -match.score, match.caregiver.id))
    return inside


def team_for(
    chosen: Sequence[Match], wave: Wave, missing: int, fixed: datetime | None, grid: timedelta, *, team: bool
) -> Team | None:
    """The first of the chosen, as many as the wave asks; a team is asked for one start that suits all of them.

    ``fixed`` is the start that is agreed already. ``None`` when nobody, or no whole team, can be asked.
    """
    size = max(wave.size, missing)
    if not team:
        best = tuple(chosen[:size])
        return Team({match.caregiver.id: match.starts_at for match in best}, best) if best else None
    start = fixed if fixed is not None else _start_of_a_team(chosen, missing, grid)
    if start is None:
        return None
    free = tuple(match for match in chosen if _can_start(match, start))[:size]
    if not free or (fixed is None and len(free) < missing):
        return None
    return Team({match.caregiver.id: start for match in free}, free)


def grounds(matches: Iterable[Match], out: Iterable[RuledOut]) -> dict[str, Any]:
    """What is kept of a choice: who, with which score and reasons, and how many each reason ruled out."""
    ruled_out = list(out)
    return {
        "chosen": [
            {
                "caregiver_id": str(match.caregiver.id),
                "score": match.score,
                "starts_at": match.starts_at.isoformat(),
                "reasons": {reason.code: reason.points for reason in match.reasons},
            }
            for match in matches
        ],
        "ruled_out": dict(Counter(reason.code for one in ruled_out for reason in one.reasons)),
        "ruled_out_caregivers": {
            str(one.caregiver.id): [reason.code for reason in one.reasons] for one in ruled_out[:REASONS_KEPT]
        },
    }


def _lies_in(circle: Circle, match: Match, need: Need, near: timedelta) -> bool:
    who = match.caregiver
    if circle is Circle.ON_CALL:
        return True
    on_shift = any(shift.starts_at <= match.starts_at < shift.ends_at for shift in who.shifts)
    if circle is Circle.KNOWN:
        return on_shift and (who.earlier_visits > 0 or who.id == need.known)
    if circle is Circle.NEAREST:
        return on_shift and match.travel <= near
    return on_shift


def _start_of_a_team(chosen: Sequence[Match], missing: int, grid: timedelta) -> datetime | None:
    """The earliest start at which enough of the chosen are free."""
    starts = sorted({span.starts_at for match in chosen for span in match.starts})
    for start in starts:
        free = [match for match in chosen if _can_start(match, start)]
        if len(free) >= missing:
            return common_start([match.starts for match in free[:missing]], grid)
    return None


def _can_start(match: Match, start: datetime) -> bool:
    return any(span.starts_at <= start <= span.ends_at for span in match.starts)
