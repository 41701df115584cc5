"""The planning of a day as plain numbers: what `plan` takes and gives. No session, no clock, nothing personal.

Times are whole seconds from an origin that the caller chooses (its local midnight). Places are indices into the
travel tables. ``tags`` carry skills and licences alike; the caller has asked whether a licence is valid that day.

What belongs together (a ``team``, a visit that ``follows``) is done together or not at all, pins excepted.
Each shift begins and ends at home, and the way there and back lies within it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class EngineName(StrEnum):
    """Who plans. ``AUTO`` takes the best that can express the day and is there."""

    AUTO = "auto"
    ANNEALING = "annealing"
    VROOM = "vroom"
    GREEDY = "greedy"


@dataclass(frozen=True, slots=True)
class Pin:
    """A visit that has begun, or that a person has fixed: it is never moved."""

    caregiver: str
    starts_at: int


@dataclass(frozen=True, slots=True)
class Follows:
    """This visit starts so many seconds after the other one starts (sequential synchronisation)."""

    visit: str
    at_least: int
    at_most: int
    other_caregiver: bool = False


@dataclass(frozen=True, slots=True)
class PlanVisit:
    """One caregiver's place at one visit; an order for two is two of these with one ``team``: the same start,
    different caregivers.

    ``windows`` are hard: a start at or after the first, an end at or before the second of one of them;
    ``latest_soft_start`` only costs. ``affinity`` is what a caregiver is worth, in seconds of travel
    (continuity, wished gender, dialect; negative is a dislike). ``excluded`` may never come.
    """

    key: str
    place: int
    duration: int
    windows: tuple[tuple[int, int], ...]
    tags: frozenset[str] = frozenset()
    priority: int = 1
    team: str | None = None
    follows: Follows | None = None
    latest_soft_start: int | None = None
    excluded: frozenset[str] = frozenset()
    affinity: Mapping[str, int] = field(default_factory=dict)
    pin: Pin | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """A pause of ``duration`` that begins inside the window and lies between visits, if need be on the way.

    It costs nothing where the working day has not begun or is over, or falls between two shifts.
    """

    earliest: int
    latest: int
    duration: int


@dataclass(frozen=True, slots=True)
class PlanCaregiver:
    """Somebody who works that day. ``profile`` names the travel table; home is where the way begins and ends.

    ``longest_work`` is the limit of service seconds in this plan; ``overtime`` seconds beyond the last shift cost
    extra and are not used unless the options allow it.
    """

    key: str
    home: int
    profile: str
    shifts: tuple[tuple[int, int], ...]
    tags: frozenset[str] = frozenset()
    breaks: tuple[Break, ...] = ()
    longest_work: int | None = None
    overtime: int = 0


@dataclass(frozen=True, slots=True)
class Weights:
    """What a plan costs, in seconds of travel. Project defaults stand in ``data/weights.json``.

    ``unassigned``: for each visit and each point of its priority; ``travel``, ``lateness``, ``overtime``: for each
    second; ``worst_lateness``: for each second of the latest visit; ``unfairness``: for each hour of service above
    the fair share, which follows the length of the shifts; ``change``: for each visit that another caregiver does,
    nobody any more, or that begins at another time than in the running plan.
    """

    unassigned: int
    travel: int
    lateness: int
    overtime: int
    unfairness: int
    change: int
    worst_lateness: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """A day. ``travel[profile][from][to]`` are whole seconds; ``running`` is the plan in force (warm start)."""

    visits: Sequence[PlanVisit]
    caregivers: Sequence[PlanCaregiver]
    travel: Mapping[str, Sequence[Sequence[int]]]
    running: Sequence["Assignment"] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """How to plan. ``seconds`` is kept to within a tenth; equal seeds and moves give equal plans.

    ``tolerance``: a running visit that begins by fewer seconds earlier or later counts as unchanged.
    ``hold``: no running visit begins earlier than in the running plan, as people were told.
    """

    weights: Weights
    engine: EngineName = EngineName.AUTO
    seconds: float = 5.0
    seed: int = 1
    moves: int | None = None
    allow_overtime: bool = False
    tolerance: int = 900
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who does a visit, and when. ``travel`` is the way to it, in seconds."""

    visit: str
    caregiver: str
    starts_at: int
    ends_at: int
    travel: int


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A visit that found nobody, with the codes of ``services.planning.reasons`` and how many each ruled out."""

    visit: str
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """The plan in figures: seconds, and counts. ``note`` says in English why another engine than the wished one
    planned; ``note_zh`` the same.
    """

    engine: EngineName
    seconds: float
    visits: int
    unassigned: int
    travel: int
    waiting: int
    lateness: int
    overtime: int
    changed: int
    busiest: int
    idlest: int
    cost: int
    note: str = ""
    note_zh: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was found, checked by ``services.planning.checker`` before anybody sees it."""

    assignments: tuple[Assignment, ...]
    unassigned: tuple[Unassigned, ...]
    summary: Summary
