"""By when each step of a case must be done: pure, over the data of ``data/deadlines.json``."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files

from services.complaints.models import ComplaintKind


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Project defaults; calendar days and hours."""

    take: timedelta
    decide: timedelta
    decide_serious: timedelta
    appeal: timedelta
    decide_appeal: timedelta
    serious: frozenset[ComplaintKind]

    def is_serious(self, kind: ComplaintKind) -> bool:
        """Whether the county sees it from the first day and the shorter deadline runs."""
        return kind in self.serious

    def decide_by(self, opened_at: datetime, *, is_serious: bool) -> datetime:
        """Counted from the day it came, not from the day somebody took it."""
        return opened_at + (self.decide_serious if is_serious else self.decide)


@lru_cache(maxsize=1)
def deadlines() -> Deadlines:
    """The deadlines in force."""
    raw = json.loads(files("services.complaints").joinpath("data/deadlines.json").read_text("utf-8"))
    return Deadlines(
        take=timedelta(hours=raw["take_within_hours"]),
        decide=timedelta(days=raw["decide_within_days"]["ordinary"]),
        decide_serious=timedelta(days=raw["decide_within_days"]["serious"]),
        appeal=timedelta(days=raw["appeal_within_days"]),
        decide_appeal=timedelta(days=raw["decide_appeal_within_days"]),
        serious=frozenset(ComplaintKind(kind) for kind in raw["serious_kinds"]),
    )
