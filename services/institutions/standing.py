"""Whether an institution may take new work on a day, and which warnings are due. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files

import msgspec

from services.institutions.models import Due, Institution
from services.institutions.states import InstitutionStatus


class WarningFigures(msgspec.Struct, frozen=True):
    """The file's content: how many days before a date somebody is warned."""

    version: str
    source: str
    verified: bool
    days_before: Mapping[Due, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class DueDate:
    """Something that runs out on a day, and the nearest of the warnings that its time has come for."""

    what: Due
    on: date
    days: int


@lru_cache(maxsize=1)
def load_figures() -> WarningFigures:
    """The days of ``data/warnings.json``."""
    raw = (files("services.institutions") / "data" / "warnings.json").read_bytes()
    return msgspec.json.decode(raw, type=WarningFigures)


def closed_because(institution: Institution, day: date) -> list[str]:
    """Why it takes no work on a day: suspended, exited, licence_not_valid, agreement_not_valid; empty: it does.

    A review that is late is warned of and closes nothing by itself: the county may be late, not the institution.
    """
    found = [] if institution.status is InstitutionStatus.ACTIVE else [str(institution.status)]
    if not institution.licence_from <= day <= institution.licence_until:
        found.append("licence_not_valid")
    if not institution.agreement_from <= day <= institution.agreement_until:
        found.append("agreement_not_valid")
    return found


def furthest_warning(day: date) -> date:
    """The last day on which something may fall due that is to be warned of today."""
    return day + timedelta(days=max(days for each in load_figures().days_before.values() for days in each))


def due_dates(institution: Institution, day: date) -> list[DueDate]:
    """What is to be warned of on a day: for each date ahead, the smallest number of days that it is within."""
    found = []
    for what, on in _dates(institution).items():
        left = (on - day).days
        within = [days for days in load_figures().days_before[what] if 0 <= left <= days]
        if within:
            found.append(DueDate(what, on, min(within)))
    return found


def has_run_out(institution: Institution, day: date) -> list[DueDate]:
    """What has run out and closes an active institution: licence, agreement."""
    if institution.status is not InstitutionStatus.ACTIVE:
        return []
    dates = _dates(institution)
    return [DueDate(what, dates[what], -1) for what in (Due.LICENCE, Due.AGREEMENT) if dates[what] < day]


def _dates(institution: Institution) -> dict[Due, date]:
    return {
        Due.LICENCE: institution.licence_until,
        Due.AGREEMENT: institution.agreement_until,
        Due.REVIEW: institution.review_due,
    }
