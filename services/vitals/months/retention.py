"""How long readings are kept: by policy, whole months at a time, with what is deleted on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from services.core.database import Work
from services.vitals.models import RetentionLog
from services.vitals.months import repository
from services.vitals.months.repository import Month

log = structlog.get_logger("retention")

READINGS: Final = "reading"
LEAST_MONTHS: Final = {READINGS: 15}
"""A reading may arrive 400 days late (``services.vitals.service.CLOCK_BEHIND``): its month must still be there."""

_CHAIN: Final = (READINGS, "reading_hourly", "reading_daily")


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many whole months of one kind of rows are kept; on ``hold`` nothing of it is deleted."""

    what: str
    months: int
    hold: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept how long. ``held_months`` (``YYYY-MM``) are kept whatever their age, as for a dispute."""

    version: str
    source: str
    verified: bool
    items: tuple[Keeping, ...]
    held_months: frozenset[str]

    def __post_init__(self) -> None:
        """``ValueError`` for a policy that would delete what can still arrive, or a sum before its parts."""
        months = {item.what: item.months for item in self.items}
        for what, least in LEAST_MONTHS.items():
            if months.get(what, least) < least:
                raise ValueError(f"{what}: at least {least} months")
        kept = [months[what] for what in _CHAIN]
        if kept != sorted(kept):
            raise ValueError("days are kept at least as long as hours, hours at least as long as readings")


@dataclass(frozen=True, slots=True)
class Doomed:
    """Something that the policy lets go. ``rows`` of a partition is an estimate until it is dropped."""

    what: str
    start: datetime | None
    end: datetime
    rows: int
    held: bool
    month: Month | None = None


def load_policy() -> Policy:
    """From the data file, which says where the numbers come from."""
    raw: Any = msgspec.json.decode((files("services.vitals") / "data" / "retention.json").read_bytes())
    return Policy(
        version=raw["version"],
        source=raw["source"],
        verified=raw["verified"],
        items=tuple(Keeping(row["what"], row["months"], row["hold"]) for row in raw["items"]),
        held_months=frozenset(raw["held_months"]),
    )


def kept_since(now: datetime, months: int) -> date:
    """The first month that is kept: this one and so many whole ones before it."""
    number = now.year * 12 + now.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


async def plan(work: Work, policy: Policy) -> list[Doomed]:
    """What would be deleted now, oldest first by kind; what is on hold is listed as held."""
    doomed: list[Doomed] = []
    for item in policy.items:
        since = kept_since(work.now, item.months)
        if item.what == READINGS:
            for month in await repository.months(work):
                if month.first < since:
                    held = item.hold or f"{month.first:%Y-%m}" in policy.held_months
                    doomed.append(Doomed(READINGS, *_bounds(month.first), month.rows, held, month))
        else:
            rows, start = await repository.count_old(work, item.what, _midnight(since))
            if rows:
                doomed.append(Doomed(item.what, start, _midnight(since), rows, item.hold))
    return doomed


async def retain(work: Work, policy: Policy | None = None) -> list[RetentionLog]:
    """Delete one thing that the policy lets go, and write down what it was. One a turn keeps the locks short.

    A month of readings goes only when every one of them is counted in the hours; until then it stays, and the log
    of the process says so.
    """
    policy = policy or load_policy()
    if not await repository.lead(work):
        return []
    for doomed in await plan(work, policy):
        if doomed.held:
            continue
        if doomed.month is None or doomed.start is None:
            rows = await repository.delete_old(work, doomed.what, doomed.end)
        elif await repository.is_counted(work, doomed.start, doomed.end):
            rows = await repository.drop_month(work, doomed.month, doomed.start, doomed.end)
        else:
            log.warning("month_not_counted", month=f"{doomed.month.first:%Y-%m}")
            continue
        line = RetentionLog(
            at=work.now,
            what=doomed.what,
            range_start=doomed.start or doomed.end,
            range_end=doomed.end,
            rows=rows,
            policy_version=policy.version,
        )
        work.session.add(line)
        log.info("deleted_by_policy", what=doomed.what, until=doomed.end.isoformat(), rows=rows)
        return [line]
    return []


async def retention_log(work: Work, limit: int, cursor: UUID | None) -> Sequence[RetentionLog]:
    """What was deleted by policy, newest first."""
    return await repository.retention_log(work, limit, cursor)


def _bounds(first: date) -> tuple[datetime, datetime]:
    number = first.year * 12 + first.month
    return _midnight(first), _midnight(date(number // 12, number % 12 + 1, 1))


def _midnight(day: date) -> datetime:
    """Partitions begin at midnight UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
