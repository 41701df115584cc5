"""What the columns of a recording mean, whoever exported it: names, units in the header, ways to write time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_PLAIN = re.compile(r"[^a-z0-9]")
_BRACKETS = re.compile(r"[\[(].*?[\])]")

# In one row the first column with a value counts: a cuff measures on purpose, a line runs along.
QUANTITIES: Final[dict[str, tuple[str, ...]]] = {
    "heart_rate": ("hr", "heartrate", "ecghr", "pulse", "pr", "pulserate", "bpm"),
    "spo2": ("spo2", "o2sat", "sao2", "saturation", "oxygensaturation"),
    "respiratory_rate": ("resp", "rr", "respiratoryrate", "resprate", "respiration"),
    "temperature": ("temp", "temperature", "bodytemperature", "tblood", "tskin"),
    "glucose": ("glu", "glucose", "bloodglucose"),
}
PRESSURES: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    (
        ("nbpsys", "nibpsys", "nbps", "nisysabp", "sbp", "systolic", "systolicbp", "sys", "bpsys"),
        ("nbpdias", "nibpdias", "nbpd", "nidiasabp", "dbp", "diastolic", "diastolicbp", "dia", "bpdia"),
    ),
    (("abpsys", "artsys", "sysabp", "ibpsys"), ("abpdias", "artdias", "diasabp", "ibpdias")),
)
_SECONDS: Final[dict[str, float]] = {
    "second": 1,
    "seconds": 1,
    "sec": 1,
    "secs": 1,
    "s": 1,
    "minute": 60,
    "minutes": 60,
    "min": 60,
    "hour": 3600,
    "hours": 3600,
    "h": 3600,
    "ms": 0.001,
    "millisecond": 0.001,
    "milliseconds": 0.001,
}
_CLOCKS: Final = ("time", "timestamp", "datetime", "elapsed", "elapsedtime", "t", "offset", "at", "date")


def bare(name: str) -> str:
    """A column name without case, unit and punctuation: ``SpO2 (%)`` is ``spo2``."""
    return _PLAIN.sub("", _BRACKETS.sub("", name).lower())


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """The column that tells the time, and how many seconds its number 1 is."""

    name: str
    seconds: float

    def read(self, text: str) -> float | datetime:
        """Seconds as a number, as ``h:m:s``, or a moment. ``ValueError`` for anything else."""
        text = text.strip().strip("'[]")
        try:
            return float(text) * self.seconds
        except ValueError:
            pass
        if re.fullmatch(r"\d+:\d{1,2}(:\d{1,2}(\.\d+)?)?", text):
            parts = [float(part) for part in text.split(":")]
            parts = [0.0, *parts] if len(parts) == 2 and bare(self.name).startswith("min") else parts
            hours, minutes, seconds = (*parts, 0.0)[:3]
            return hours * 3600 + minutes * 60 + seconds
        return datetime.fromisoformat(text)


def time_column(columns: Iterable[str]) -> TimeColumn | None:
    """The column of time: one named for a unit (``minute``), or ``time`` and the like, by default in seconds."""
    known = list(columns)
    for name in known:
        if bare(name) in _SECONDS:
            return TimeColumn(name, _SECONDS[bare(name)])
    for name in known:
        word = bare(name)
        if word in _CLOCKS:
            unit = next((w for w in re.findall(r"[a-z]+", name.lower())[1:] if w in _SECONDS), "s")
            return TimeColumn(name, _SECONDS[unit])
        for clock in _CLOCKS:
            if word.startswith(clock) and word[len(clock) :] in _SECONDS:  # time_s, elapsed_min
                return TimeColumn(name, _SECONDS[word[len(clock) :]])
    return None


@dataclass(frozen=True, slots=True)
class MonitorColumns:
    """The columns of one table that mean something, in the order in which they count."""

    time: TimeColumn
    quantities: dict[str, tuple[str, ...]]
    pressures: tuple[tuple[str, str], ...]

    @property
    def used(self) -> frozenset[str]:
        """All of them."""
        pairs = (name for pair in self.pressures for name in pair)
        return frozenset({self.time.name, *pairs, *(n for names in self.quantities.values() for n in names)})


def monitor_columns(columns: Iterable[str]) -> MonitorColumns | None:
    """What a table of one column a quantity has; ``None`` without a time."""
    by_bare = {bare(name): name for name in columns}
    time = time_column(by_bare.values())
    if time is None:
        return None
    quantities = {
        kind: found
        for kind, words in QUANTITIES.items()
        if (found := tuple(by_bare[word] for word in words if word in by_bare))
    }
    pressures = []
    for high_words, low_words in PRESSURES:
        high = next((by_bare[word] for word in high_words if word in by_bare), None)
        low = next((by_bare[word] for word in low_words if word in by_bare), None)
        if high is not None and low is not None:
            pressures.append((high, low))
    return MonitorColumns(time, quantities, tuple(pressures))
