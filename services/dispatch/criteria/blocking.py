"""What rules a caregiver out: code, words, predicate. Pure; a predicate is true when it speaks against her."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from services.dispatch.facts import Candidate, Day, Need, Span
from services.dispatch.reasons import Level, Reason
from services.dispatch.travel import Ways


class Standing(NamedTuple):
    """One caregiver on one business day, ``at`` a moment of it."""

    need: Need
    who: Candidate
    day: Day
    at: datetime


class Hour(NamedTuple):
    """One caregiver for exactly this stretch of time. ``shifts`` are those that count for the order."""

    need: Need
    who: Candidate
    span: Span
    shifts: tuple[Span, ...]
    ways: Ways


Look = TypeVar("Look", Standing, Hour)


@dataclass(frozen=True)
class Blocking(Generic[Look]):
    """One criterion. ``never_passed``: no override may pass it; ``why`` says whose rule that is."""

    code: str
    zh: str
    en: str
    speaks_against: Callable[[Look], bool]
    never_passed: bool = False
    why: str = ""
    reason: Reason = field(init=False)

    def __post_init__(self) -> None:
        reason = Reason(code=self.code, level=Level.BLOCKING, zh=self.zh, en=self.en)
        object.__setattr__(
            self, "reason", reason.model_copy(update={"never_passed": True}) if self.never_passed else reason
        )


def _licence_gone(look: Standing) -> bool:
    """Every licence was held once, but not all count on that day."""
    missing = look.need.licences - _valid(look.who, look.day.date)
    return bool(missing) and missing <= {held.kind for held in look.who.licences}


def _licence_missing(look: Standing) -> bool:
    return bool(look.need.licences - _valid(look.who, look.day.date)) and not _licence_gone(look)


def _valid(who: Candidate, day: date) -> set[str]:
    return {held.kind for held in who.licences if held.valid_from <= day <= held.valid_until}


def _practice_too_short(look: Standing) -> bool:
    years, since, day = look.need.practice_years, look.who.practice_since, look.day.date
    return years > 0 and (
        since is None or (since.year + years, since.month, since.day) > (day.year, day.month, day.day)
    )


def _over_day(look: Standing) -> bool:
    return look.who.day_limit < booked_on(look.who, look.day) + _minutes(look.need.duration)


def _over_week(look: Standing) -> bool:
    booked = (look.who.week_minutes or {}).get(look.day.monday, 0)
    return look.who.week_limit < booked + _minutes(look.need.duration)


def _on_leave(look: Hour) -> bool:
    return any(_touch(look.span, away) for away in look.who.absences)


def _busy(look: Hour) -> bool:
    return any(_touch(look.span, job.span) for job in look.who.jobs)


def _way_too_long(look: Hour) -> bool:
    """Whether the way from the visit before, or to the one after, does not fit."""
    if _busy(look):
        return False
    need, who, ways = look.need, look.who, look.ways
    before = after = None
    for job in who.jobs:
        if job.span.ends_at <= look.span.starts_at:
            before = job
        elif after is None:
            after = job
    if before is not None:
        way = ways.seconds(who.mode, before.place, need.place)
        if before.span.ends_at + timedelta(seconds=way) > look.span.starts_at:
            return True
    if after is None:
        return False
    way = ways.seconds(who.mode, need.place, after.place)
    return look.span.ends_at + timedelta(seconds=way) > after.span.starts_at


STANDING: tuple[Blocking[Standing], ...] = (
    Blocking(
        "left",
        "已离职",
        "No longer works here",
        lambda look: look.who.left_at is not None and look.who.left_at <= look.at,
        never_passed=True,
        why="There is nobody to send.",
    ),
    Blocking(
        "missing_skill",
        "不具备该项服务技能",
        "Does not have the skill",
        lambda look: not look.need.skills <= look.who.skills,
    ),
    Blocking(
        "licence_missing",
        "没有所需证照",
        "Does not have the licence",
        _licence_missing,
        never_passed=True,
        why="护士条例 arts 8, 10: nobody without a licence.",
    ),
    Blocking(
        "licence_expired",
        "所需证照当日无效或已过期",
        "The licence is not valid on that day",
        _licence_gone,
        never_passed=True,
        why="护士条例 arts 8, 10: nobody whose licence has run out.",
    ),
    Blocking(
        "practice_too_short",
        "从业年限不足",
        "Not enough years in the profession",
        _practice_too_short,
        never_passed=True,
        why="互联网+护理服务 pilot plan, 2019: years of practice are a condition of going to a home.",
    ),
    Blocking(
        "institution_closed",
        "所属机构当日不能承接新服务",
        "The institution takes no new work on that day",
        lambda look: look.day.date in look.who.closed_on,
        never_passed=True,
        why="Suspended, gone, or without a licence or agreement: nobody at the desk may pass that.",
    ),
    Blocking(
        "kept_apart",
        "不派往该长者",
        "Not to be sent to this resident",
        lambda look: look.who.blocked,
    ),
    Blocking(
        "gender_required",
        "长者要求的性别不符",
        "Not of the gender that the resident requires",
        lambda look: (
            look.need.gender_is_must and look.need.gender is not None and look.who.gender is not look.need.gender
        ),
    ),
    Blocking("over_day_limit", "超过当日工时上限", "Over the day's limit of working time", _over_day),
    Blocking("over_week_limit", "超过当周工时上限", "Over the week's limit of working time", _over_week),
)
"""What speaks against a caregiver whatever the hour of the day."""

AT_AN_HOUR: tuple[Blocking[Hour], ...] = (
    Blocking(
        "outside_window",
        "不在长者预约的时间段内",
        "Outside the window that the resident asked for",
        lambda look: not _inside(look.span, look.need.hours),
    ),
    Blocking(
        "in_the_past",
        "开始时间已过",
        "The start has passed",
        lambda look: look.span.starts_at < look.need.now,
        never_passed=True,
        why="Nobody can begin yesterday.",
    ),
    Blocking(
        "not_on_shift",
        "该时间段没有排班",
        "Not on shift then",
        lambda look: not _inside(look.span, look.shifts),
    ),
    Blocking("absent", "该时间段请假或不在岗", "On leave or ill then", _on_leave),
    Blocking(
        "busy",
        "该时间段已有其他服务",
        "Has another visit then",
        _busy,
        never_passed=True,
        why="Nobody is in two places: the database refuses it, whatever is decided here.",
    ),
    Blocking(
        "travel_too_long",
        "来不及赶到，或赶不上下一家",
        "Cannot get there, or to the next visit, in time",
        _way_too_long,
    ),
)
"""What speaks against a caregiver at an hour."""

_BY_CODE: Mapping[str, Reason] = {one.code: one.reason for one in STANDING} | {
    one.code: one.reason for one in AT_AN_HOUR
}

NEVER_OVERRIDDEN = frozenset(code for code, reason in _BY_CODE.items() if reason.never_passed)
"""What no reason passes; each criterion says why."""


def blocking(code: str) -> Reason:
    """The reason that rules out; ``KeyError`` for a code that is no criterion."""
    return _BY_CODE[code]


def booked_on(who: Candidate, day: Day) -> int:
    """Minutes of care that begin on a business day."""
    seconds = 0.0
    for job in who.jobs:
        if day.starts_at <= job.span.starts_at < day.ends_at:
            seconds += (job.span.ends_at - job.span.starts_at).total_seconds()
    return round(seconds / 60)


def _minutes(duration: timedelta) -> int:
    return round(duration.total_seconds() / 60)


def _touch(one: Span, other: Span) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _inside(span: Span, spans: tuple[Span, ...]) -> bool:
    return any(one.starts_at <= span.starts_at and span.ends_at <= one.ends_at for one in spans)
