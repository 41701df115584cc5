"""Who works when: shifts on the business calendar, from a week back to four weeks ahead.

A shift's key depends on caregiver and day, so that a load on a later day prolongs the roster and repeats
nothing.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from ops.demo.staff import Member
from services.caregivers.models import Shift, ShiftKind
from services.core.clock import BUSINESS_ZONE

DAYS_BACK = 7
DAYS_AHEAD = 28

_EARLY = (time(6), time(14))
_LATE = (time(14), time(22))
_NIGHT = (time(22), time(6))
_OFFICE = (time(8), time(17))
_WHOLE_DAY = (time(0), time(0))
_EVENING = (time(18), time(22))
"""Village doctors are on call after work, for urgent orders."""


def roster(team: Iterable[Member], now: datetime) -> Iterator[Shift]:
    """Every shift in the window around ``now``."""
    today = now.astimezone(BUSINESS_ZONE).date()
    days = [today + timedelta(days=offset) for offset in range(-DAYS_BACK, DAYS_AHEAD + 1)]
    for member in team:
        for day in days:
            hours = hours_of(member, day)
            if hours is not None:
                yield _shift(member, day, *hours)
                if member.post.profession == "village_doctor":
                    yield _shift(member, day, *_EVENING, kind=ShiftKind.ON_CALL)


def hours_of(member: Member, day: date) -> tuple[time, time] | None:
    """When this member works on a day; ``None`` on a day off. An end not after the start is next day's."""
    post = member.post
    if (day.weekday() + member.town.index) % 7 in post.days_off:
        return None
    if post.pattern in ("early_first", "late_first"):
        # Early and late change places every week, so that nobody always has the evenings.
        even_week = day.isocalendar().week % 2 == 0
        return _EARLY if even_week == (post.pattern == "early_first") else _LATE
    # "always" lives in: somebody whom a demonstration finds at any hour.
    return {"night": _NIGHT, "office": _OFFICE, "always": _WHOLE_DAY}[post.pattern]


def _shift(member: Member, day: date, starts: time, ends: time, kind: ShiftKind = ShiftKind.WORK) -> Shift:
    last_day = day if ends > starts else day + timedelta(days=1)
    starts_at = datetime.combine(day, starts, BUSINESS_ZONE)
    return Shift(
        id=member.seed.key("shift", member.number, day, at=starts_at),
        kind=kind,
        caregiver_id=member.caregiver_id,
        area_code=member.town.code,
        starts_at=starts_at,
        ends_at=datetime.combine(last_day, ends, BUSINESS_ZONE),
    )
