"""Who can take an order, when, and how well: pure rules over facts that were read beforehand.

A caregiver is either ruled out, with every reason, or ranked by a score of named parts. Times are
timezone-aware; a proposed start always lies inside the resident's window.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from services.caregivers.models import TravelMode
from services.core.clock import BUSINESS_ZONE, business_day
from services.core.geo import distance_m
from services.dispatch.facts import Candidate, Job, Match, Need, RuledOut, Span, Weights
from services.dispatch.reasons import Level, Reason, blocking
from services.dispatch.travel import Pace, Paces, travel_seconds

_MODE_TEXTS = {
    TravelMode.WALK: ("步行", "on foot"),
    TravelMode.BICYCLE: ("骑自行车", "by bicycle"),
    TravelMode.SCOOTER: ("骑电动车", "by scooter"),
    TravelMode.CAR: ("开车", "by car"),
}

_GENDER_TEXTS = {
    True: ("符合性别偏好", "Of the preferred gender"),
    False: ("不符合性别偏好", "Not of the preferred gender"),
}
_DIALECT_TEXTS = {
    True: ("会说长者的方言", "Speaks the resident's dialect"),
    False: ("不会说长者的方言", "Does not speak the resident's dialect"),
}

_NEAR_IN_TIME = timedelta(hours=4)
"""No way inside a county takes longer, so visits further away in time than this cannot matter."""


def rank(
    need: Need, candidates: Iterable[Candidate], scale: Weights, travel: Paces
) -> tuple[list[Match], list[RuledOut]]:
    """Everybody, best first, and those ruled out. Equal scores: the shorter way, then the id."""
    fits: list[Match] = []
    out: list[RuledOut] = []
    for candidate in candidates:
        found = consider(need, candidate, scale, travel)
        if isinstance(found, Match):
            fits.append(found)
        else:
            out.append(found)
    fits.sort(key=lambda match: (-match.score, match.travel, match.caregiver.id))
    out.sort(key=lambda one: (len(one.reasons), one.caregiver.id))
    return fits, out


def consider(need: Need, candidate: Candidate, scale: Weights, travel: Paces) -> Match | RuledOut:
    """One caregiver: ruled out, or a score and the earliest start."""
    starts = possible_starts(need, candidate, travel[candidate.mode])
    reasons = standing_issues(need, candidate, starts[0].starts_at if starts else need.window.starts_at)
    if not starts:
        reasons.append(_why_no_start(need, candidate))
    if reasons:
        return RuledOut(candidate, tuple(blocking(code) for code in reasons))
    starts_at = neat_start(starts[0], scale.grid)
    before = _job_before(candidate, starts_at)
    origin = candidate.home if before is None else before.place
    way = timedelta(seconds=travel_seconds(travel[candidate.mode], origin, need.place))
    metres = distance_m(origin, need.place)
    parts = _parts(need, candidate, scale, starts_at, way, metres, before is None)
    total = sum(weight for weight, _, _ in parts)
    share = 100 / total if total else 0.0
    scored = [
        reason.model_copy(update={"points": round(weight * value * share, 1)}) for weight, value, reason in parts
    ]
    score = round(sum(weight * value for weight, value, _ in parts) * share, 1)
    return Match(candidate, score, starts_at, starts, way, metres, before is None, tuple(scored))


def issues_at(need: Need, candidate: Candidate, starts_at: datetime, travel: Paces) -> list[Reason]:
    """Everything that speaks against this caregiver at exactly this start; empty when nothing does."""
    ends_at = starts_at + need.duration
    codes = standing_issues(need, candidate, starts_at)
    if starts_at < need.window.starts_at or ends_at > need.window.ends_at:
        codes.append("outside_window")
    if starts_at < need.now:
        codes.append("in_the_past")
    if not any(shift.starts_at <= starts_at and ends_at <= shift.ends_at for shift in candidate.shifts):
        codes.append("not_on_shift")
    if any(job.span.starts_at < ends_at and starts_at < job.span.ends_at for job in candidate.jobs):
        codes.append("busy")
    elif not _way_fits(need, candidate, Span(starts_at, ends_at), travel[candidate.mode]):
        codes.append("travel_too_long")
    return [blocking(code) for code in codes]


def standing_issues(need: Need, candidate: Candidate, day_of: datetime) -> list[str]:
    """What speaks against a caregiver whatever the hour: gone, unskilled, unlicensed on that day."""
    codes = []
    if candidate.left_at is not None and candidate.left_at <= day_of:
        codes.append("left")
    if not need.skills <= candidate.skills:
        codes.append("missing_skill")
    day = day_of.astimezone(BUSINESS_ZONE).date()
    valid = {held.kind for held in candidate.licences if held.valid_from <= day <= held.valid_until}
    if missing := need.licences - valid:
        held_once = {held.kind for held in candidate.licences}
        codes.append("licence_expired" if missing <= held_once else "licence_missing")
    if need.practice_years and not _practised(candidate, need.practice_years, day):
        codes.append("practice_too_short")
    return codes


def _practised(candidate: Candidate, years: int, day: date) -> bool:
    """Whether so many years lie between the first day in the profession and the day of service."""
    since = candidate.practice_since
    return since is not None and (since.year + years, since.month, since.day) <= (day.year, day.month, day.day)


def possible_starts(need: Need, candidate: Candidate, pace: Pace) -> tuple[Span, ...]:
    """Closed spans of starts that fit window, shift, the visits before and after, and the ways between."""
    found: list[Span] = []
    for shift in candidate.shifts:
        first = max(need.window.starts_at, shift.starts_at, need.now)
        last = min(need.window.ends_at, shift.ends_at) - need.duration
        if first > last:
            continue
        since, until = first - _NEAR_IN_TIME, last + need.duration + _NEAR_IN_TIME
        near = [job for job in candidate.jobs if job.span.ends_at > since and job.span.starts_at < until]
        found.extend(_gaps(need, candidate, pace, near, first, last))
    return tuple(found)


def _gaps(
    need: Need, candidate: Candidate, pace: Pace, jobs: Sequence[Job], first: datetime, last: datetime
) -> Iterable[Span]:
    """The gaps between jobs in which a start is possible; before the first one the caregiver is at home."""
    from_home = need.now + timedelta(seconds=travel_seconds(pace, candidate.home, need.place))
    earliest = max(first, from_home)
    for job in jobs:
        way = timedelta(seconds=travel_seconds(pace, job.place, need.place))  # the same there and back
        latest = min(last, job.span.starts_at - way - need.duration)
        if earliest <= latest:
            yield Span(earliest, latest)
        earliest = max(earliest, job.span.ends_at + way)
        if earliest > last:
            return
    if earliest <= last:
        yield Span(earliest, last)


def _why_no_start(need: Need, candidate: Candidate) -> str:
    """The first thing in the way: the hour, the shift, another visit, or only the way between visits."""
    if need.window.ends_at - need.duration < need.now:
        return "in_the_past"
    on_shift = [
        Span(first, last)
        for shift in candidate.shifts
        if (first := max(need.window.starts_at, shift.starts_at, need.now))
        <= (last := min(need.window.ends_at, shift.ends_at) - need.duration)
    ]
    if not on_shift:
        return "not_on_shift"
    for span in on_shift:
        candidates = [span.starts_at, *(job.span.ends_at for job in candidate.jobs)]
        for start in candidates:
            end = start + need.duration
            overlaps = any(j.span.starts_at < end and start < j.span.ends_at for j in candidate.jobs)
            if span.starts_at <= start <= span.ends_at and not overlaps:
                return "travel_too_long"
    return "busy"


def _way_fits(need: Need, candidate: Candidate, span: Span, pace: Pace) -> bool:
    """Whether the ways from the visit before and to the one after fit; from home when there is none."""
    before = [job for job in candidate.jobs if job.span.ends_at <= span.starts_at]
    after = [job for job in candidate.jobs if job.span.starts_at >= span.ends_at]
    for job in before:
        if job.span.ends_at + timedelta(seconds=travel_seconds(pace, job.place, need.place)) > span.starts_at:
            return False
    for job in after:
        if span.ends_at + timedelta(seconds=travel_seconds(pace, need.place, job.place)) > job.span.starts_at:
            return False
    return True


def _job_before(candidate: Candidate, starts_at: datetime) -> Job | None:
    """The visit that the caregiver comes from on that day, if any."""
    day = business_day(starts_at)
    before = [
        job for job in candidate.jobs if job.span.ends_at <= starts_at and business_day(job.span.ends_at) == day
    ]
    return max(before, key=lambda job: job.span.ends_at) if before else None


def _parts(
    need: Need,
    candidate: Candidate,
    scale: Weights,
    starts_at: datetime,
    way: timedelta,
    metres: float,
    from_home: bool,
) -> list[tuple[float, float, Reason]]:
    """(weight, value 0..1, reason) of every part that counts for this order."""
    load = day_load(candidate, starts_at)
    parts = [
        (scale.travel, 1 - min(1.0, way / scale.far), _travel_reason(candidate, way, metres, from_home)),
        (
            scale.continuity,
            min(1.0, candidate.earlier_visits / scale.familiar_visits),
            _reason(
                "continuity",
                candidate.earlier_visits > 0,
                *_continuity_texts(candidate.earlier_visits),
            ),
        ),
        (
            scale.load,
            1 - min(1.0, load / scale.full_day),
            _reason(
                "load",
                load < scale.full_day,
                f"当天已安排 {_minutes(load)} 分钟服务",
                f"{_minutes(load)} minutes already booked that day",
            ),
        ),
    ]
    if need.gender is not None:
        same = candidate.gender is need.gender
        parts.append((scale.gender, float(same), _reason("gender", same, *_GENDER_TEXTS[same])))
    if need.dialect:
        speaks = need.dialect in candidate.dialects
        parts.append((scale.dialect, float(speaks), _reason("dialect", speaks, *_DIALECT_TEXTS[speaks])))
    return parts


def day_load(candidate: Candidate, moment: datetime) -> timedelta:
    """How much is booked on the local day of a moment."""
    day = business_day(moment)
    spans = (job.span for job in candidate.jobs if business_day(job.span.starts_at) == day)
    return sum((span.ends_at - span.starts_at for span in spans), timedelta())


def neat_start(span: Span, grid: timedelta) -> datetime:
    """The first start of a span that people can say: a whole five minutes, where the span has one."""
    past = span.starts_at.timestamp() % grid.total_seconds()
    neat = span.starts_at + timedelta(seconds=grid.total_seconds() - past) if past else span.starts_at
    return neat if neat <= span.ends_at else span.starts_at


def common_start(options: Sequence[Sequence[Span]], grid: timedelta) -> datetime | None:
    """The earliest start, neat where it can be, that is possible for everybody: a team starts together."""
    if not options:
        return None
    for start in sorted({span.starts_at for spans in options for span in spans}):
        ends = [next((s.ends_at for s in spans if s.starts_at <= start <= s.ends_at), None) for spans in options]
        if None not in ends:
            return neat_start(Span(start, min(end for end in ends if end is not None)), grid)
    return None


def _travel_reason(candidate: Candidate, way: timedelta, metres: float, from_home: bool) -> Reason:
    by_zh, by_en = _MODE_TEXTS[candidate.mode]
    km = f"{metres / 1000:.1f}"
    where_zh, where_en = ("距住处", "from home") if from_home else ("距上一家", "from the visit before")
    return _reason(
        "travel",
        True,
        f"{where_zh} {km} 公里，{by_zh}约 {_minutes(way)} 分钟",
        f"{km} km {where_en}, about {_minutes(way)} min {by_en}",
    )


def _continuity_texts(visits: int) -> tuple[str, str]:
    if visits == 0:
        return "尚未为该长者服务过", "Has not visited this resident yet"
    return f"此前为该长者服务过 {visits} 次", f"{visits} earlier visits to this resident"


def _reason(code: str, good: bool, zh: str, en: str) -> Reason:
    return Reason(code=code, level=Level.PLUS if good else Level.WARNING, zh=zh, en=en)


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)
