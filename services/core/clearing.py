"""What a turn of forgetting has deleted, for the record of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many rows of one kind, from the first to the last of them in time, by which version of a policy."""

    what: str
    rows: int
    start: datetime
    end: datetime
    policy_version: str
