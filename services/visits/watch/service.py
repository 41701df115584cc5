"""The worker's watch over visits, and who is told: the board, the desk, the family as far as she agrees."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.consents.models import ConsentPurpose
from services.consents.service import has_consent
from services.core.actor import Role
from services.core.database import Work
from services.core.geo import Point
from services.core.ids import new_id
from services.core.versions import expect_version
from services.duty.service import on_duty
from services.events import VisitIssueMoved
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify
from services.visits.states import VisitStatus
from services.visits.watch import repository
from services.visits.watch.models import IssueKind, IssuePublic, VisitIssue
from services.visits.watch.repository import Watched
from services.visits.watch.rules import (
    Stay,
    WatchRules,
    impossible_travel,
    late_at,
    left_early,
    overrun_at,
    watch_rules,
)
from services.visits.watch.states import ISSUE, IssueStatus

_NOT_BEGUN = (VisitStatus.SCHEDULED.value, VisitStatus.EN_ROUTE.value)
_AT_ONCE = 500


async def watch_visits(work: Work) -> int:
    """Open what goes wrong now, clear what has been put right; gives how many were opened.

    For the worker. May run as often as it likes and twice at once: a visit has one issue of a kind.
    """
    rules = watch_rules()
    since = work.now - timedelta(hours=rules.look_back_hours)
    until = work.now + timedelta(minutes=rules.warn_before_latest_minutes)
    watched = await repository.look(work, since, until)
    found = [_issue(work, one, kind, detail) for one in watched for kind, detail in issues_in(work, one, rules)]
    fresh = await repository.add_issues(work, found)
    for issue in await repository.issues_of(work, sorted(fresh)):
        ISSUE.begin(work, issue)
        _announce(work, issue)
        await _tell(work, issue, rules)
    for issue in await repository.over(work, _AT_ONCE):
        _clear(work, issue, "put_right")
    return len(fresh)


def issues_in(work: Work, one: Watched, rules: WatchRules) -> Iterator[tuple[IssueKind, dict[str, Any]]]:
    """Everything that is wrong with one visit at this moment."""
    if one.status in _NOT_BEGUN:
        under_way = one.status == VisitStatus.EN_ROUTE.value
        if work.now >= late_at(one.starts_at, one.window_end, one.duration_minutes, under_way, rules):
            latest = one.window_end - timedelta(minutes=one.duration_minutes)
            yield IssueKind.LATE_START, {"latest_start": latest.isoformat(), "can_be_kept": work.now <= latest}
        if work.now >= one.ends_at:
            yield IssueKind.MISSED, {}
        return
    if one.status == VisitStatus.IN_SERVICE.value and work.now >= overrun_at(
        one.ends_at, one.care_started_at, one.duration_minutes, rules
    ):
        yield IssueKind.OVERRUN, {}
    if one.care_started_at is None:
        return
    is_over = one.status in (VisitStatus.VERIFIED.value, VisitStatus.FLAGGED.value)
    ended = one.care_ended_at if is_over else None
    if ended is not None and left_early(one.care_started_at, ended, one.duration_minutes, rules):
        minutes = round((ended - one.care_started_at).total_seconds() / 60)
        yield IssueKind.LEFT_EARLY, {"minutes": minutes, "planned_minutes": one.duration_minutes}
    impossible = _travel(one, rules)
    if impossible is not None and one.status != VisitStatus.REVIEWED.value:
        yield IssueKind.IMPOSSIBLE_TRAVEL, impossible | {"from_visit_id": str(one.before_visit_id)}


def _travel(one: Watched, rules: WatchRules) -> dict[str, float] | None:
    if one.before_started_at is None or one.before_latitude is None or one.before_longitude is None:
        return None
    if one.care_started_at is None:
        return None
    before_ended = one.before_ended_at or one.before_started_at
    before = Stay(Point(one.before_latitude, one.before_longitude), one.before_started_at, before_ended)
    after = Stay(Point(one.latitude, one.longitude), one.care_started_at, one.care_ended_at or one.care_started_at)
    return impossible_travel(before, after, rules)


def _issue(work: Work, one: Watched, kind: IssueKind, detail: dict[str, Any]) -> VisitIssue:
    return VisitIssue(
        id=new_id(),
        visit_id=one.id,
        order_id=one.order_id,
        resident_id=one.resident_id,
        caregiver_id=one.caregiver_id,
        centre_id=one.centre_id,
        area_code=one.area_code,
        kind=kind,
        status=IssueStatus.OPEN,
        detail=detail,
        seen_at=work.now,
    )


def _announce(work: Work, issue: VisitIssue) -> None:
    work.record(
        VisitIssueMoved(
            area_code=issue.area_code,
            centre_id=issue.centre_id,
            visit_id=issue.visit_id,
            order_id=issue.order_id,
            issue_id=issue.id,
            kind=str(issue.kind),
            status=str(issue.status),
        )
    )


async def _tell(work: Work, issue: VisitIssue, rules: WatchRules) -> None:
    """The dispatchers on duty; the family whom she lets follow her visits, of when somebody comes."""
    desk = await on_duty(work, issue.centre_id, Role.DISPATCHER, work.now)
    await _notify(work, issue, "visit_issue", desk)
    if issue.kind.value in rules.tells_family:
        await _notify(work, issue, "visit_issue_family", await followers(work, issue.resident_id))


async def _notify(work: Work, issue: VisitIssue, template: str, accounts: Sequence[UUID]) -> None:
    if not accounts:
        return
    notice = Notice(
        key=f"{template}:{issue.id}",
        template=template,
        area_code=issue.area_code,
        centre_id=issue.centre_id,
        parameters={"issue": str(issue.kind)},
        is_life_safety=False,
    )
    await notify(work, notice, [Recipient(account_id=one) for one in accounts], [Channel.APP])


async def followers(work: Work, resident_id: UUID) -> list[UUID]:
    """The family's accounts that she lets follow her visits."""
    return [
        account_id
        for account_id in await repository.family_of(work, resident_id)
        if await has_consent(work, resident_id, ConsentPurpose.FAMILY_FEED, str(account_id))
    ]


async def list_issues(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: Sequence[IssueStatus],
    visit_id: UUID | None = None,
) -> list[IssuePublic]:
    """A page of the issues in reach, newest first; leaves rows in the access log."""
    rows = await repository.issues_page(work, limit, cursor, statuses, visit_id)
    await record_read(work, [row.resident_id for row in rows], "visit_issues", ["kind", "detail"])
    return [IssuePublic.model_validate(row) for row in rows]


async def clear_issue(work: Work, issue_id: UUID, note: str, if_match: int | None) -> IssuePublic:
    """A dispatcher has dealt with it; a repeat changes nothing. Raises ``NotFound``."""
    issue = await repository.lock_issue(work, issue_id)
    if issue.status is IssueStatus.OPEN:
        expect_version(issue, if_match)
        _clear(work, issue, note)
    return IssuePublic.model_validate(issue)


def _clear(work: Work, issue: VisitIssue, reason: str) -> None:
    issue.cleared_at = work.now
    ISSUE.move(work, issue, IssueStatus.CLEARED, reason)
    _announce(work, issue)
