"""Which warnings before a credential's end are due. Pure; the days stand in ``data/credential_warnings.json``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from uuid import UUID

import msgspec


class WarningFigures(msgspec.Struct, frozen=True):
    """The file's content."""

    version: str
    source: str
    verified: bool
    days_before: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A verified credential."""

    id: UUID
    caregiver_id: UUID
    kind: str
    valid_from: date
    valid_until: date


@lru_cache(maxsize=1)
def load_figures() -> WarningFigures:
    """How many days before the end somebody is warned."""
    raw = (files("services.caregivers") / "data" / "credential_warnings.json").read_bytes()
    return msgspec.json.decode(raw, type=WarningFigures)


def warning_due(held: Held, day: date) -> int | None:
    """The smallest number of days before the end that has come; ``None`` before the first, and after the end."""
    left = (held.valid_until - day).days
    return min((days for days in load_figures().days_before if 0 <= left <= days), default=None)


def is_renewed(held: Held, others: Iterable[Held]) -> bool:
    """Whether another of the same kind and person goes on without a day between."""
    return any(
        other.id != held.id
        and (other.caregiver_id, other.kind) == (held.caregiver_id, held.kind)
        and other.valid_from <= held.valid_until + timedelta(days=1)
        and other.valid_until > held.valid_until
        for other in others
    )
