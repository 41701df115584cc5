"""Who can take an order, when, and how well: pure rules over facts that were read beforehand.

A caregiver is either ruled out, with every reason, or ranked by a score of named parts. What counts stands in
``criteria``, one entry a criterion; here is only how the entries are used. Times are timezone-aware; a proposed
start always lies inside one of the resident's windows.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from services.core.geo import distance_m
from services.dispatch.criteria.blocking import AT_AN_HOUR, STANDING, Hour, Standing, blocking
from services.dispatch.criteria.scored import Fit, score
from services.dispatch.facts import Candidate, Job, Match, Need, RuledOut, Span, Weights, day_at
from services.dispatch.reasons import Reason
from services.dispatch.travel import Ways

_NEAR_IN_TIME = timedelta(hours=4)
"""No way inside a county takes longer, so visits further away in time than this cannot matter."""


def rank(
    need: Need, candidates: Iterable[Candidate], scale: Weights, ways: Ways
) -> tuple[list[Match], list[RuledOut]]:
    """Everybody, best first, and those ruled out. Equal scores: the shorter way, then the id."""
    fits: list[Match] = []
    out: list[RuledOut] = []
    for candidate in candidates:
        found = consider(need, candidate, scale, ways)
        if isinstance(found, Match):
            fits.append(found)
        else:
            out.append(found)
    fits.sort(key=lambda match: (-match.score, match.travel, match.caregiver.id))
    out.sort(key=lambda one: (len(one.reasons), one.caregiver.id))
    return fits, out


def consider(need: Need, candidate: Candidate, scale: Weights, ways: Ways) -> Match | RuledOut:
    """One caregiver: ruled out, or a score and the earliest start."""
    possible = possible_starts(need, candidate, ways)
    starts, against = _allowed(need, candidate, possible)
    if not starts:
        if not possible:
            against = [*standing_issues(need, candidate, need.window.starts_at), _why_no_start(need, candidate)]
        return RuledOut(candidate, tuple(blocking(code) for code in dict.fromkeys(against)))
    starts_at = neat_start(starts[0], scale.grid)
    before = _job_before(candidate, starts_at)
    origin = candidate.home if before is None else before.place
    way = timedelta(seconds=ways.seconds(candidate.mode, origin, need.place))
    metres = distance_m(origin, need.place)
    points, reasons = score(
        Fit(need, candidate, scale, starts_at, day_at(starts_at), way, metres, from_home=before is None)
    )
    return Match(candidate, points, starts_at, starts, way, metres, before is None, reasons)


def issues_at(need: Need, candidate: Candidate, starts_at: datetime, ways: Ways) -> list[Reason]:
    """Everything that speaks against this caregiver at exactly this start; empty when nothing does."""
    codes = standing_issues(need, candidate, starts_at)
    hour = Hour(need, candidate, Span(starts_at, starts_at + need.duration), shifts_for(need, candidate), ways)
    codes.extend(criterion.code for criterion in AT_AN_HOUR if criterion.speaks_against(hour))
    return [blocking(code) for code in codes]


def standing_issues(need: Need, candidate: Candidate, at: datetime) -> list[str]:
    """What speaks against a caregiver on a moment's day whatever the hour: gone, unskilled, unlicensed, full."""
    look = Standing(need, candidate, day_at(at), at)
    return [criterion.code for criterion in STANDING if criterion.speaks_against(look)]


def shifts_for(need: Need, candidate: Candidate) -> tuple[Span, ...]:
    """The stretches of work that count for an order: being on call counts for an urgent one."""
    if not need.is_urgent or not candidate.on_call:
        return candidate.shifts
    return tuple(sorted((*candidate.shifts, *candidate.on_call)))


def possible_starts(need: Need, candidate: Candidate, ways: Ways) -> tuple[Span, ...]:
    """Closed spans of starts that fit windows, shifts, absences, the visits before and after, and the ways."""
    found: list[Span] = []
    shifts = shifts_for(need, candidate)
    for window in need.hours:
        for shift in shifts:
            first = max(window.starts_at, shift.starts_at, need.now)
            last = min(window.ends_at, shift.ends_at) - need.duration
            if first <= last:
                found.extend(
                    _without(candidate.absences, _gaps(need, candidate, ways, first, last), need.duration)
                )
    if len(need.hours) > 1 or len(shifts) > 1:
        found.sort()
    return tuple(found)


def _gaps(need: Need, who: Candidate, ways: Ways, first: datetime, last: datetime) -> Iterator[Span]:
    """The gaps between jobs in which a start is possible; before the first one the caregiver is at home.

    A way is asked for only where the bare time between two visits would do: on a full day that is rare.
    """
    before: Job | None = None
    earliest = first
    for job in who.jobs:
        if job.span.ends_at + _NEAR_IN_TIME <= first:
            continue
        room = job.span.starts_at - need.duration
        if room >= earliest and _may_fit(need, who, ways, before, job, room):
            since = _arrival(need, who, ways, before, earliest)
            until = min(last, room - timedelta(seconds=ways.seconds(who.mode, need.place, job.place)))
            if since <= until:
                yield Span(since, until)
        before = job
        earliest = max(earliest, job.span.ends_at)
        if earliest > last:
            return
    since = _arrival(need, who, ways, before, earliest)
    if since <= last:
        yield Span(since, last)


def _may_fit(need: Need, who: Candidate, ways: Ways, before: Job | None, job: Job, room: datetime) -> bool:
    """Whether a gap is worth the exact ways: on a full day most are far too short."""
    if before is None:
        return True
    mode, spare = who.mode, (room - before.span.ends_at).total_seconds()
    there = ways.at_least(mode, before.place, need.place)
    return there <= spare and there + ways.at_least(mode, need.place, job.place) <= spare


def _arrival(need: Need, who: Candidate, ways: Ways, before: Job | None, earliest: datetime) -> datetime:
    """When the caregiver can be there: from the visit before, or setting out from home now."""
    if before is not None:
        way = ways.seconds(who.mode, before.place, need.place)
        return max(earliest, before.span.ends_at + timedelta(seconds=way))
    if earliest - need.now >= _NEAR_IN_TIME:
        return earliest
    return max(earliest, need.now + timedelta(seconds=ways.seconds(who.mode, who.home, need.place)))


def _without(absences: Sequence[Span], starts: Iterable[Span], duration: timedelta) -> Iterator[Span]:
    """Spans of starts less those whose visit would touch an absence."""
    for span in starts:
        since = span.starts_at
        for away in absences:
            if away.ends_at <= since or away.starts_at >= span.ends_at + duration:
                continue
            if since <= away.starts_at - duration:
                yield Span(since, min(span.ends_at, away.starts_at - duration))
            since = max(since, away.ends_at)
        if since <= span.ends_at:
            yield Span(since, span.ends_at)


def _allowed(need: Need, who: Candidate, spans: Iterable[Span]) -> tuple[tuple[Span, ...], list[str]]:
    """The starts on days on which nothing standing speaks against her, and what speaks against the others."""
    judged: dict[date, list[str]] = {}
    kept: list[Span] = []
    against: list[str] = []
    for span in spans:
        since = span.starts_at
        while since <= span.ends_at:
            day = day_at(since)
            if day.date not in judged:
                judged[day.date] = standing_issues(need, who, since)
                against.extend(judged[day.date])
            if not judged[day.date]:
                kept.append(Span(since, min(span.ends_at, day.ends_at - timedelta(microseconds=1))))
            since = day.ends_at
    return tuple(kept), against


def _why_no_start(need: Need, candidate: Candidate) -> str:
    """The first thing in the way: the hour, the shift, leave, another visit, or only the way between visits."""
    if all(window.ends_at - need.duration < need.now for window in need.hours):
        return "in_the_past"
    on_shift = [
        Span(first, last)
        for window in need.hours
        for shift in shifts_for(need, candidate)
        if (first := max(window.starts_at, shift.starts_at, need.now))
        <= (last := min(window.ends_at, shift.ends_at) - need.duration)
    ]
    if not on_shift:
        return "not_on_shift"
    present = list(_without(candidate.absences, on_shift, need.duration))
    if not present:
        return "absent"
    for span in present:
        for start in (span.starts_at, *(job.span.ends_at for job in candidate.jobs)):
            end = start + need.duration
            overlaps = any(j.span.starts_at < end and start < j.span.ends_at for j in candidate.jobs)
            if span.starts_at <= start <= span.ends_at and not overlaps:
                return "travel_too_long"
    return "busy"


def _job_before(candidate: Candidate, starts_at: datetime) -> Job | None:
    """The visit that the caregiver comes from on that day, if any."""
    since = day_at(starts_at).starts_at
    before = None
    for job in candidate.jobs:
        if job.span.starts_at >= starts_at:
            break
        if since < job.span.ends_at <= starts_at and (before is None or before.span.ends_at <= job.span.ends_at):
            before = job
    return before


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
