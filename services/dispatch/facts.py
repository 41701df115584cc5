"""What the matching rules read and give: plain facts, without a session behind them."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from uuid import UUID

from services.caregivers.models import TravelMode
from services.core.geo import Point
from services.dispatch.reasons import Reason
from services.residents.models import Gender


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """A booked visit elsewhere."""

    span: Span
    place: Point


@dataclass(frozen=True, slots=True)
class Licence:
    """A credential that the order asks for; valid on both of its days."""

    kind: str
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of one caregiver around the order's window. ``jobs`` and ``shifts`` by start."""

    id: UUID
    name: str
    gender: Gender
    skills: frozenset[str]
    dialects: frozenset[str]
    mode: TravelMode
    home: Point
    left_at: datetime | None = None
    practice_since: date | None = None
    licences: tuple[Licence, ...] = ()
    shifts: tuple[Span, ...] = ()
    jobs: tuple[Job, ...] = ()
    earlier_visits: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """What the order asks for: every skill and every licence. ``now`` keeps a proposal from lying in the past."""

    skills: frozenset[str]
    licences: frozenset[str]
    window: Span
    duration: timedelta
    place: Point
    now: datetime
    gender: Gender | None = None
    dialect: str = ""
    practice_years: int = 0


@dataclass(frozen=True, slots=True)
class Weights:
    """Project defaults of ``data/matching.json``; a part without a wish behind it is not counted."""

    travel: float
    continuity: float
    load: float
    gender: float
    dialect: float
    far: timedelta
    familiar_visits: int
    full_day: timedelta
    grid: timedelta


@dataclass(frozen=True, slots=True)
class Match:
    """A caregiver who fits. ``starts`` are all possible starts, as closed spans, earliest first."""

    caregiver: Candidate
    score: float
    starts_at: datetime
    starts: tuple[Span, ...]
    travel: timedelta
    distance_m: float
    from_home: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A caregiver who does not fit, with every reason."""

    caregiver: Candidate
    reasons: tuple[Reason, ...]


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The weights in force."""
    raw = json.loads(files("services.dispatch").joinpath("data/matching.json").read_text("utf-8"))
    return Weights(
        **raw["weights"],
        far=timedelta(minutes=raw["far_minutes"]),
        familiar_visits=raw["familiar_visits"],
        full_day=timedelta(minutes=raw["full_day_minutes"]),
        grid=timedelta(minutes=raw["grid_minutes"]),
    )
