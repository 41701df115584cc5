"""What is wrong with a terminal now, and when to look again. Pure: facts in, findings out.

Silence is held against the terminal's own rhythm, never counted from before ingest was listening, and a fault
ends only after it has been away for a while: a terminal that comes and goes is one fault, not twenty.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

import msgspec

from services.supervision.figures import Figures
from services.supervision.models import FaultKind


class FaultKey(NamedTuple):
    """A fault as its terminal can have it once. ``sensor`` is empty but for ``sensor_off``."""

    kind: FaultKind
    sensor: str = ""

    @property
    def name(self) -> str:
        """Its key in the memory between two looks."""
        return f"{self.kind}:{self.sensor}"


class Memory(msgspec.Struct, omit_defaults=True):
    """What one look leaves for the next. Times are those of the looks, by the name of the fault.

    ``doubt``: it has looked wrong since; ``steady``: it has looked right again since; ``excused``: a person
    cleared it although it still is so, and it is not opened again until it has been right, or for long.
    """

    rhythms: dict[str, float] = {}
    learnt_at: datetime | None = None
    doubt: dict[str, datetime] = {}
    steady: dict[str, datetime] = {}
    excused: dict[str, datetime] = {}
    back_at: datetime | None = None


class Stream(NamedTuple):
    """When the newest reading of a kind arrived, and the newest good one."""

    any_at: datetime
    good_at: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """One terminal as it stands. What is ``None`` is not known or not supervised.

    ``state_at`` is the arrival of the last status message; with ``is_online`` false, that of its goodbye or of
    its last will. ``greeted_at`` is the arrival of the last one that was neither.
    """

    bound_at: datetime
    listening_since: datetime
    heartbeat: timedelta | None = None
    inactivity: timedelta | None = None
    battery_low: int | None = None
    signal_weak: int | None = None
    is_online: bool | None = None
    state_at: datetime | None = None
    greeted_at: datetime | None = None
    went_away_at: datetime | None = None
    alarm_at: datetime | None = None
    battery: int | None = None
    signal: int | None = None
    tamper: bool | None = None
    sensors: Mapping[str, str] = field(default_factory=dict)
    streams: Mapping[str, Stream] = field(default_factory=dict)

    @property
    def spoke_at(self) -> datetime | None:
        """The last message of whatever kind but a goodbye."""
        said = [stream.any_at for stream in self.streams.values()]
        last_state_at = self.state_at if self.is_online else None
        said += [at for at in (self.alarm_at, last_state_at, self.greeted_at) if at is not None]
        return max(said, default=None)

    @property
    def heard_at(self) -> datetime | None:
        """The last sign of life, a goodbye included."""
        return max((at for at in (self.spoke_at, self.state_at) if at is not None), default=None)

    @property
    def is_away(self) -> bool:
        """Whether its last word was a goodbye."""
        if self.is_online is not False or self.state_at is None:
            return False
        return self.spoke_at is None or self.spoke_at <= self.state_at


class Sign(Enum):
    """How one thing looks. ``BETWEEN``: not wrong enough to open, not right enough to clear."""

    WRONG = "wrong"
    RIGHT = "right"
    BETWEEN = "between"
    UNKNOWN = "unknown"


class Look(NamedTuple):
    """One thing looked at. ``until``: when to look again; ``has_lasted``: it was wrong for long enough."""

    key: FaultKey
    sign: Sign
    until: datetime | None = None
    has_lasted: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What follows from a look."""

    opened: list[FaultKey]
    cleared: list[FaultKey]
    memory: Memory
    next_check_at: datetime


OFFLINE = FaultKey(FaultKind.OFFLINE)


def late_at(facts: Facts, memory: Memory, figures: Figures) -> datetime | None:
    """When the terminal is late if it says nothing until then; ``None``: its silence means nothing.

    The profile's time-out holds for one without a rhythm. One with a rhythm is late sooner, though not before
    the heartbeat of a terminal that sends any, for it may be alive and not worn. One without heartbeats whose
    readings come more rarely than the profile's time-out is given its own time.
    """
    if facts.inactivity is None:
        return None
    heard = max(facts.heard_at or facts.bound_at, facts.bound_at, facts.listening_since)
    late = heard + facts.inactivity
    own = min(memory.rhythms.values(), default=None)
    if own is not None:
        beats = facts.state_at is not None and facts.state_at > heard - 2 * facts.inactivity
        if not beats:
            late = heard + silence(own, figures)
        elif facts.state_at is not None:
            heartbeat = facts.inactivity if facts.heartbeat is None else facts.heartbeat * figures.heartbeat_factor
            beat_late = max(facts.state_at, facts.listening_since) + heartbeat
            late = min(late, max(heard + silence(own, figures), beat_late))
    if facts.is_away and facts.state_at is not None:
        # A hint only: after an interruption of ours everybody is given the full time-out again, for a broker that
        # ends in good order sends everybody's will. Who was heard since then and left has really left.
        hinted = facts.state_at + figures.away_grace
        if facts.spoke_at is None or facts.spoke_at < facts.listening_since:
            hinted = max(hinted, facts.listening_since + facts.inactivity)
        late = min(late, hinted)
    return late


def silence(rhythm_seconds: float, figures: Figures) -> timedelta:
    """How long a stream of that rhythm may stay away."""
    own = timedelta(seconds=rhythm_seconds * figures.silence_factor)
    return min(max(own, figures.silence_at_least), figures.silence_at_most)


def examine(facts: Facts, memory: Memory, live: frozenset[FaultKey], now: datetime, figures: Figures) -> Findings:
    """Look at everything about one terminal. ``memory`` is changed and given back in the findings."""
    opened: list[FaultKey] = []
    cleared: list[FaultKey] = []
    looks: list[datetime] = []
    for look in _looks(facts, memory, live, now, figures):
        if look.until is not None:
            looks.append(look.until)
        if look.sign is Sign.WRONG:
            if _opens(look, memory, live, now, figures, looks):
                opened.append(look.key)
        elif _clears(look, facts, memory, live, now, figures, looks):
            cleared.append(look.key)
    # What is wrong is looked at more often: its return need not be told by a greeting.
    looks.append(now + (figures.check_live if live or opened else figures.check_at_most))
    # A moment that has passed and changed nothing is not worth waiting for again.
    ahead = min(at for at in looks if at > now)
    return Findings(opened, cleared, memory, ahead)


def _opens(
    look: Look,
    memory: Memory,
    live: frozenset[FaultKey],
    now: datetime,
    figures: Figures,
    looks: list[datetime],
) -> bool:
    key = look.key
    memory.steady.pop(key.name, None)
    if key in live:
        return False
    excused = memory.excused.get(key.name)
    if excused is not None and now < excused + figures.excused:
        looks.append(excused + figures.excused)
        return False
    since = memory.doubt.setdefault(key.name, now)
    counts_at = since + figures.persistence[key.kind]
    if now < counts_at and not look.has_lasted:
        looks.append(counts_at)
        return False
    memory.doubt.pop(key.name)
    memory.excused.pop(key.name, None)
    return True


def _clears(
    look: Look,
    facts: Facts,
    memory: Memory,
    live: frozenset[FaultKey],
    now: datetime,
    figures: Figures,
    looks: list[datetime],
) -> bool:
    name = look.key.name
    memory.doubt.pop(name, None)
    if look.sign is Sign.RIGHT:
        memory.excused.pop(name, None)
    if look.key not in live or look.sign is not Sign.RIGHT:
        memory.steady.pop(name, None)
        return False
    since = memory.steady.setdefault(name, now)
    if facts.went_away_at is not None and facts.went_away_at > since:
        since = memory.steady[name] = now
    clears_at = since + _recovery(look.key, facts, figures)
    spoke_at = facts.spoke_at
    # One message is not steadiness: there must be another one after the first that was seen.
    if now < clears_at or spoke_at is None or spoke_at <= since:
        looks.append(clears_at if now < clears_at else now + figures.recovery[look.key.kind])
        return False
    memory.steady.pop(name)
    if look.key == OFFLINE:
        memory.back_at = now
    return True


def _recovery(key: FaultKey, facts: Facts, figures: Figures) -> timedelta:
    """How long it must look right; for a terminal that speaks rarely, until it has spoken again."""
    window = figures.recovery[key.kind]
    if facts.heartbeat is None:
        return window
    return max(window, facts.heartbeat * figures.recovery_heartbeats)


def _looks(
    facts: Facts, memory: Memory, live: frozenset[FaultKey], now: datetime, figures: Figures
) -> Iterator[Look]:
    """Every thing that can be wrong, each looked at."""
    late = late_at(facts, memory, figures)
    if late is None:
        offline = Look(OFFLINE, Sign.UNKNOWN)
    elif now >= late:
        offline = Look(OFFLINE, Sign.WRONG)
    elif facts.is_away or facts.heard_at is None:
        offline = Look(OFFLINE, Sign.BETWEEN, late)
    else:
        offline = Look(OFFLINE, Sign.RIGHT, late)
    yield offline
    is_there = offline.sign in (Sign.RIGHT, Sign.UNKNOWN) and OFFLINE not in live
    kinds = {*memory.rhythms, *facts.sensors, *(key.sensor for key in live if key.kind is FaultKind.SENSOR_OFF)}
    for kind in sorted(kinds):
        key = FaultKey(FaultKind.SENSOR_OFF, kind)
        yield _sensor(key, facts, memory, now, figures) if is_there else Look(key, Sign.UNKNOWN)
    yield Look(FaultKey(FaultKind.LOW_BATTERY), _level(facts.battery, facts.battery_low, figures.battery_margin))
    yield Look(FaultKey(FaultKind.WEAK_SIGNAL), _level(facts.signal, facts.signal_weak, figures.signal_margin))
    tamper = Sign.UNKNOWN if facts.tamper is None else Sign.WRONG if facts.tamper else Sign.RIGHT
    yield Look(FaultKey(FaultKind.TAMPER), tamper)


def _level(value: int | None, limit: int | None, margin: int) -> Sign:
    """A level with hysteresis: wrong at the limit or below, right only a margin above it."""
    if value is None or limit is None:
        return Sign.UNKNOWN
    if value <= limit:
        return Sign.WRONG
    return Sign.RIGHT if value >= limit + margin else Sign.BETWEEN


def _sensor(key: FaultKey, facts: Facts, memory: Memory, now: datetime, figures: Figures) -> Look:
    """A kind of reading that its terminal switched off, or that stays away, or that only says "no data".

    It stays away only when something else was heard after it was late: else it may be the terminal that is gone.
    """
    said, own = facts.sensors.get(key.sensor), memory.rhythms.get(key.sensor)
    if said == "off":
        return Look(key, Sign.WRONG)
    if own is None:
        return Look(key, Sign.UNKNOWN if said is None else Sign.RIGHT)
    stream = facts.streams.get(key.sensor)
    since = [facts.bound_at, facts.listening_since, memory.back_at, stream and stream.good_at]
    late = max(at for at in since if at is not None) + silence(own, figures)
    if now < late:
        return Look(key, Sign.RIGHT, late)
    if facts.spoke_at is not None and facts.spoke_at >= late:
        return Look(key, Sign.WRONG, has_lasted=True)
    return Look(key, Sign.BETWEEN, now + figures.silence_at_least)
