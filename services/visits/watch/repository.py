"""The watch's SQL: one indexed look at what has not begun, what goes on, and what has lately begun."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.actor import Role
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.residents.models import CareRelationship, RelationKind
from services.visits.watch.models import VisitIssue
from services.visits.watch.states import IssueStatus

_FACTS = """
    SELECT v.id, v.order_id, v.resident_id, v.caregiver_id, v.centre_id, v.area_code, v.status, v.starts_at,
        v.ends_at, v.care_started_at, v.care_ended_at, o.window_end, o.duration_minutes, o.latitude, o.longitude,
        p.started_at AS before_started_at, p.ended_at AS before_ended_at, p.latitude AS before_latitude,
        p.longitude AS before_longitude, p.visit_id AS before_visit_id
"""
# Each part has an index of its own: what has not begun (by its start), who is there (by its end), what began
# lately (by its check-in) with the visit that its caregiver came from.
_LOOK = text(
    f"""
    WITH lately AS (
        SELECT v.*, (SELECT b.id FROM visit b
            WHERE b.caregiver_id = v.caregiver_id AND b.care_started_at <= v.care_started_at AND b.id <> v.id
                AND (b.care_started_at, b.id) < (v.care_started_at, v.id)
            ORDER BY b.care_started_at DESC, b.id DESC LIMIT 1) AS before_id
        FROM visit v WHERE v.check_in_at >= :since AND v.care_started_at IS NOT NULL
    ), chosen AS (
        SELECT id, NULL::uuid AS before_id FROM visit
        WHERE status IN ('scheduled', 'en_route') AND starts_at > :since AND starts_at <= :until
        UNION ALL
        SELECT id, NULL FROM visit WHERE status = 'in_service' AND ends_at <= :now
        UNION ALL
        SELECT id, before_id FROM lately
    )
    {_FACTS}
    FROM chosen c JOIN visit v ON v.id = c.id JOIN service_order o ON o.id = v.order_id
    LEFT JOIN LATERAL (
        SELECT b.id AS visit_id, b.care_started_at AS started_at, b.care_ended_at AS ended_at, bo.latitude,
            bo.longitude
        FROM visit b JOIN service_order bo ON bo.id = b.order_id WHERE b.id = c.before_id
    ) p ON true
    """  # noqa: S608  our own text
).bindparams(*(bindparam(name, type_=UtcDateTime()) for name in ("since", "until", "now")))
_OPEN = text(
    """
    SELECT i.id, i.kind, v.status, v.check_in_at FROM visit_issue i JOIN visit v ON v.id = i.visit_id
    WHERE i.status = 'open'
        AND (i.kind IN ('late_start', 'missed') AND v.status NOT IN ('scheduled', 'en_route')
            OR i.kind = 'overrun' AND v.status <> 'in_service'
            OR v.status IN ('reviewed', 'cancelled', 'no_show'))
    LIMIT :limit
    """
)


class Watched(NamedTuple):
    """A visit that may go wrong, and the one its caregiver came from."""

    id: UUID
    order_id: UUID
    resident_id: UUID
    caregiver_id: UUID
    centre_id: UUID
    area_code: str
    status: str
    starts_at: datetime
    ends_at: datetime
    care_started_at: datetime | None
    care_ended_at: datetime | None
    window_end: datetime
    duration_minutes: int
    latitude: float
    longitude: float
    before_started_at: datetime | None
    before_ended_at: datetime | None
    before_latitude: float | None
    before_longitude: float | None
    before_visit_id: UUID | None


async def look(work: Work, since: datetime, until: datetime) -> list[Watched]:
    """Visits that should begin by ``until``, go on past their end, or were checked in ``since`` then."""
    rows = await work.sql(_LOOK, {"since": since, "until": until, "now": work.now})
    return [Watched(*row) for row in rows]


async def add_issues(work: Work, issues: Sequence[VisitIssue]) -> set[UUID]:
    """Store what is new of its kind at its visit; gives the keys of those."""
    if not issues:
        return set()
    statement = (
        insert(VisitIssue)
        .values([issue.model_dump() for issue in issues])
        .on_conflict_do_nothing(constraint="visit_issue_once")
        .returning(col(VisitIssue.id))
    )
    return set((await work.sql(statement)).scalars().all())


async def issues_of(work: Work, ids: Sequence[UUID]) -> Sequence[VisitIssue]:
    """Some issues by their keys."""
    statement = select(VisitIssue).where(col(VisitIssue.id).in_(ids)).order_by(col(VisitIssue.id))
    return (await work.session.exec(statement)).all()


async def over(work: Work, limit: int) -> Sequence[VisitIssue]:
    """Open issues whose visit has been put right, locked; what somebody else holds is left for the next look."""
    ids = [row[0] for row in await work.sql(_OPEN, {"limit": limit})]
    statement = (
        select(VisitIssue)
        .where(col(VisitIssue.id).in_(ids), VisitIssue.status == IssueStatus.OPEN)
        .order_by(col(VisitIssue.id))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def issues_page(
    work: Work, limit: int, cursor: UUID | None, statuses: Sequence[IssueStatus], visit_id: UUID | None
) -> Sequence[VisitIssue]:
    """Issues in reach, newest first."""
    statement: Any = (
        select(VisitIssue)
        .where(*within(work.actor, VisitIssue.area_code, VisitIssue.resident_id))
        .order_by(col(VisitIssue.id).desc())
        .limit(limit)
    )
    if work.actor.role is Role.CAREGIVER:
        statement = statement.where(VisitIssue.caregiver_id == work.actor.person_id)
    elif work.actor.centre_id is not None:
        statement = statement.where(VisitIssue.centre_id == work.actor.centre_id)
    if statuses:
        statement = statement.where(col(VisitIssue.status).in_(statuses))
    if visit_id is not None:
        statement = statement.where(VisitIssue.visit_id == visit_id)
    if cursor is not None:
        statement = statement.where(col(VisitIssue.id) < cursor)
    rows: Sequence[VisitIssue] = (await work.session.exec(statement)).all()
    return rows


async def lock_issue(work: Work, issue_id: UUID) -> VisitIssue:
    """One issue in reach, locked. Raises ``NotFound``."""
    statement = (
        select(VisitIssue)
        .where(VisitIssue.id == issue_id, *within(work.actor, VisitIssue.area_code, VisitIssue.resident_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def family_of(work: Work, resident_id: UUID) -> Sequence[UUID]:
    """Accounts of family and guardians whose relationship is in force."""
    statement = select(CareRelationship.account_id).where(
        CareRelationship.resident_id == resident_id,
        col(CareRelationship.kind).in_([RelationKind.FAMILY, RelationKind.GUARDIAN]),
        col(CareRelationship.ended_at).is_(None),
    )
    return (await work.session.exec(statement.distinct().order_by(col(CareRelationship.account_id)))).all()
