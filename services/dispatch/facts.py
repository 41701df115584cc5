"""What the matching rules read and give: plain facts, without a session behind them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import date as Date  # noqa: N812  a field of a day has that name
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple
from uuid import UUID

from services.caregivers.models import TravelMode
from services.core.clock import BUSINESS_ZONE
from services.core.geo import Point
from services.dispatch.reasons import Reason
from services.residents.models import Gender


class Span(NamedTuple):
    """A half-open stretch of time."""

    starts_at: datetime
    ends_at: datetime


class Job(NamedTuple):
    """A booked visit elsewhere."""

    span: Span
    place: Point
    order_id: UUID | None = None


class Licence(NamedTuple):
    """A credential that the order asks for; valid on both of its days."""

    kind: str
    valid_from: date
    valid_until: date


NO_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of one caregiver around the order's windows. ``jobs``, ``shifts`` and the like by start.

    ``week_minutes`` are booked minutes by the Monday of the week. ``day_limit`` and ``week_limit`` are minutes of
    booked care: the way is not counted, because it is only estimated. ``blocked``: she and the resident are kept
    apart. ``closed_on``: business days on which her institution takes no new work. ``on_call`` counts for urgent
    orders only.
    """

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
    on_call: tuple[Span, ...] = ()
    absences: tuple[Span, ...] = ()
    blocked: bool = False
    closed_on: frozenset[date] = frozenset()
    day_limit: int = NO_LIMIT
    week_limit: int = NO_LIMIT
    week_minutes: Mapping[date, int] | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What the order asks for: every skill and every licence. ``now`` keeps a proposal from lying in the past.

    ``window`` is the whole of it, ``windows`` the parts that the resident named (all of it, when empty).
    ``known`` is the caregiver whom she wishes for.
    """

    skills: frozenset[str]
    licences: frozenset[str]
    window: Span
    duration: timedelta
    place: Point
    now: datetime
    gender: Gender | None = None
    dialect: str = ""
    practice_years: int = 0
    windows: tuple[Span, ...] = ()
    gender_is_must: bool = False
    known: UUID | None = None
    is_urgent: bool = False

    @property
    def hours(self) -> tuple[Span, ...]:
        """The windows in which the whole visit must lie, at least one."""
        return self.windows or (self.window,)


@dataclass(frozen=True, slots=True)
class Weights:
    """Project defaults of ``data/matching.json``: ``parts`` by the criterion's code, and the scales they need."""

    parts: Mapping[str, float]
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


class Day(NamedTuple):
    """A day of the business calendar."""

    date: date
    starts_at: datetime
    ends_at: datetime

    @property
    def monday(self) -> Date:
        """The day that names its week."""
        return self.date - timedelta(days=self.date.weekday())


_QUARTER = 900
"""Every zone's days begin at a whole quarter of an hour."""


def day_at(moment: datetime) -> Day:
    """The business day that a moment lies in."""
    return _day(int(moment.timestamp()) // _QUARTER)


@lru_cache(maxsize=4096)
def _day(quarter: int) -> Day:
    local = datetime.fromtimestamp(quarter * _QUARTER, BUSINESS_ZONE)
    first = local.replace(hour=0, minute=0, second=0)
    after = (first + timedelta(days=1)).replace(hour=0)
    return Day(local.date(), first.astimezone(UTC), after.astimezone(UTC))


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The weights in force."""
    raw = json.loads(files("services.dispatch").joinpath("data/matching.json").read_text("utf-8"))
    return Weights(
        parts=raw["weights"],
        far=timedelta(minutes=raw["far_minutes"]),
        familiar_visits=raw["familiar_visits"],
        full_day=timedelta(minutes=raw["full_day_minutes"]),
        grid=timedelta(minutes=raw["grid_minutes"]),
    )
