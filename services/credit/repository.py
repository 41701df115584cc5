"""The SQL of credit: what is counted in a window, the rules of a county, and the stored scores."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Interval, bindparam, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func, or_, select

from services.caregivers.models import Caregiver
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.scope import within
from services.credit.models import CreditRuleSet, CreditScore, Subject
from services.credit.rules import CreditFacts
from services.institutions.models import Institution


class Counted(NamedTuple):
    """One caregiver with what was counted of her."""

    caregiver_id: UUID
    institution_id: UUID | None
    centre_id: UUID
    area_code: str
    facts: CreditFacts


_FACTS = text(
    """
    WITH visits AS (
        SELECT caregiver_id,
            count(*) FILTER (WHERE status IN ('verified', 'flagged', 'reviewed')) AS ended_visits,
            count(*) FILTER (WHERE care_started_at IS NOT NULL) AS started_visits,
            count(*) FILTER (WHERE care_started_at <= starts_at + :tolerance) AS on_time_visits,
            count(*) FILTER (WHERE status IN ('verified', 'reviewed')) AS agreed_visits
        FROM visit WHERE starts_at >= :since AND starts_at < :until AND status <> 'cancelled' GROUP BY caregiver_id
    ), rated AS (
        SELECT v.caregiver_id, count(*) AS ratings, sum(r.score) AS rating_points
        FROM rating r JOIN LATERAL (SELECT DISTINCT caregiver_id FROM visit
            WHERE order_id = r.order_id AND status <> 'cancelled') v ON true
        WHERE r.rated_at >= :since AND r.rated_at < :until GROUP BY v.caregiver_id
    ), asked AS (
        SELECT caregiver_id, count(*) AS offers,
            count(*) FILTER (WHERE status IN ('accepted', 'declined')) AS answered_offers
        FROM offer WHERE sent_at >= :since AND sent_at < :until AND status IN ('accepted', 'declined', 'expired')
        GROUP BY caregiver_id
    ), found AS (
        SELECT p.caregiver_id, count(*) FILTER (WHERE NOT c.is_serious) AS upheld,
            count(*) FILTER (WHERE c.is_serious) AS upheld_serious
        FROM complaint c JOIN complaint_party p ON p.complaint_id = c.id AND p.caregiver_id IS NOT NULL
        WHERE c.status = 'closed' AND c.outcome IN ('upheld', 'partly_upheld')
            AND c.decided_at >= :since AND c.decided_at < :until
        GROUP BY p.caregiver_id
    )
    SELECT g.id, g.institution_id, g.centre_id, g.area_code,
        coalesce(ended_visits, 0), coalesce(started_visits, 0), coalesce(on_time_visits, 0),
        coalesce(agreed_visits, 0), coalesce(ratings, 0), coalesce(rating_points, 0),
        coalesce(offers, 0), coalesce(answered_offers, 0), coalesce(upheld, 0), coalesce(upheld_serious, 0)
    FROM caregiver g
    LEFT JOIN visits ON visits.caregiver_id = g.id LEFT JOIN rated ON rated.caregiver_id = g.id
    LEFT JOIN asked ON asked.caregiver_id = g.id LEFT JOIN found ON found.caregiver_id = g.id
    WHERE starts_with(g.area_code, :county) AND (g.left_at IS NULL OR g.left_at >= :since)
    ORDER BY g.id
    """
).bindparams(
    bindparam("tolerance", type_=Interval()),
    bindparam("since", type_=UtcDateTime()),
    bindparam("until", type_=UtcDateTime()),
)


async def count_facts(work: Work, county: str, since: datetime, until: datetime, tolerance: Any) -> list[Counted]:
    """Everybody of a county with what was counted of them; an order for two counts for both."""
    rows = await work.sql(_FACTS, {"county": county, "since": since, "until": until, "tolerance": tolerance})
    return [Counted(row[0], row[1], row[2], row[3], CreditFacts(*map(int, row[4:]))) for row in rows.all()]


async def counties_without(work: Work, month: date) -> Sequence[str]:
    """Counties with caregivers, of whose month nothing has been scored yet."""
    scored = select(func.left(col(CreditScore.area_code), 6)).where(CreditScore.month == month)
    county = func.left(col(Caregiver.area_code), 6)
    statement = select(county).where(county.not_in(scored)).distinct()
    return (await work.session.exec(statement)).all()


async def rules_in_force(work: Work, county: str, day: date) -> CreditRuleSet | None:
    """The county's rules of a day; ``None`` before it has published any."""
    statement = (
        select(CreditRuleSet)
        .where(CreditRuleSet.area_code == county, col(CreditRuleSet.effective_from) <= day)
        .order_by(col(CreditRuleSet.effective_from).desc())
        .limit(1)
    )
    return (await work.session.exec(statement)).one_or_none()


async def rule_sets(work: Work, county: str) -> Sequence[CreditRuleSet]:
    """Every version that a county has published, newest first."""
    statement = (
        select(CreditRuleSet)
        .where(CreditRuleSet.area_code == county)
        .order_by(col(CreditRuleSet.effective_from).desc())
    )
    return (await work.session.exec(statement)).all()


async def add_score(work: Work, score: CreditScore) -> None:
    """Store a month's score; the first one stays."""
    await work.sql(
        insert(CreditScore)
        .values(**score.model_dump())
        .on_conflict_do_nothing(index_elements=["subject", "subject_id", "month"])
    )


async def scores_page(
    work: Work,
    limit: int,
    cursor: UUID | None,
    subject: Subject | None,
    subject_id: UUID | None,
    month: date | None,
) -> list[tuple[CreditScore, str]]:
    """Scores in reach with the subjects' names, newest first."""
    statement = (
        select(CreditScore, func.coalesce(col(Caregiver.name), col(Institution.name), ""))
        .outerjoin(Caregiver, col(Caregiver.id) == col(CreditScore.subject_id))
        .outerjoin(Institution, col(Institution.id) == col(CreditScore.subject_id))
        .where(*within(work.actor, CreditScore.area_code))
        .order_by(col(CreditScore.id).desc())
        .limit(limit)
    )
    if work.actor.centre_id is not None:
        own = col(CreditScore.centre_id) == work.actor.centre_id
        statement = statement.where(or_(own, col(CreditScore.subject) == Subject.INSTITUTION))
    if subject is not None:
        statement = statement.where(CreditScore.subject == subject)
    if subject_id is not None:
        statement = statement.where(CreditScore.subject_id == subject_id)
    if month is not None:
        statement = statement.where(CreditScore.month == month)
    if cursor is not None:
        statement = statement.where(col(CreditScore.id) < cursor)
    return [(row, name) for row, name in (await work.session.exec(statement)).all()]
