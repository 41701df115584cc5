"""The figures of supervision, from ``data/supervision.json``."""

from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any, Final

import msgspec

from services.supervision.models import FaultKind
from services.supervision.rhythm import RhythmFigures


@dataclass(frozen=True, slots=True)
class Figures:
    """How long is too long. ``silence_factor`` is in intervals of a terminal's own rhythm."""

    rhythm: RhythmFigures
    relearn: timedelta
    look_back: timedelta
    rhythm_readings: int
    silence_factor: float
    silence_at_least: timedelta
    silence_at_most: timedelta
    heartbeat_factor: float
    away_grace: timedelta
    check_at_most: timedelta
    check_live: timedelta
    persistence: dict[FaultKind, timedelta]
    recovery: dict[FaultKind, timedelta]
    recovery_heartbeats: float
    battery_margin: int
    signal_margin: int
    excused: timedelta
    told_kinds: tuple[FaultKind, ...]
    take_within: timedelta
    listening_late: timedelta
    digest_hour: int


def load_figures() -> Figures:
    """Read them; ``KeyError`` or ``ValueError`` for a file with a gap in it."""
    raw: dict[str, Any] = msgspec.json.decode(
        (files("services.supervision") / "data" / "supervision.json").read_bytes()
    )
    rhythm, silence = raw["rhythm"], raw["silence"]
    return Figures(
        rhythm=RhythmFigures(
            rhythm["intervals"],
            rhythm["intervals_at_least"],
            rhythm["slowest_seconds"],
            rhythm["irregular_ratio"],
        ),
        relearn=timedelta(seconds=rhythm["relearn_seconds"]),
        look_back=timedelta(days=rhythm["look_back_days"]),
        rhythm_readings=rhythm["readings"],
        silence_factor=silence["factor"],
        silence_at_least=timedelta(seconds=silence["at_least_seconds"]),
        silence_at_most=timedelta(seconds=silence["at_most_seconds"]),
        heartbeat_factor=silence["heartbeat_factor"],
        away_grace=timedelta(seconds=silence["away_grace_seconds"]),
        check_at_most=timedelta(seconds=silence["check_at_most_seconds"]),
        check_live=timedelta(seconds=silence["check_live_seconds"]),
        persistence={kind: timedelta(seconds=raw["persistence_seconds"][kind]) for kind in FaultKind},
        recovery={kind: timedelta(seconds=raw["recovery_seconds"][kind]) for kind in FaultKind},
        recovery_heartbeats=raw["recovery_heartbeats"],
        battery_margin=raw["battery_margin_percent"],
        signal_margin=raw["signal_margin_db"],
        excused=timedelta(seconds=raw["excused_seconds"]),
        told_kinds=tuple(FaultKind(kind) for kind in raw["told_kinds"]),
        take_within=timedelta(seconds=raw["take_within_seconds"]),
        listening_late=timedelta(seconds=raw["listening_late_seconds"]),
        digest_hour=raw["digest_hour"],
    )


FIGURES: Final = load_figures()
