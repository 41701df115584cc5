"""The SQL of claims, always inside the actor's walls."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlmodel import col, select

from services.claims.anomalies import VisitFacts
from services.claims.models import Claim, ClaimLine
from services.claims.states import ClaimStatus
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.errors import NotFound
from services.core.geo import Point
from services.core.scope import within
from services.ledger.models import Book
from services.orders.models import Order
from services.payers.models import PayerProgramme
from services.residents.models import Resident


class Open(NamedTuple):
    """What a payer owes of one bill and book, and what it has been asked for already."""

    settlement_id: UUID
    order_id: UUID
    resident_id: UUID
    institution_id: UUID | None
    area_code: str
    book: Book
    service_day: date
    owed_fen: int
    claimed_fen: int


_OPEN = text(
    """
    WITH owed AS (
        SELECT s.id AS settlement_id, l.book, sum(h.amount_fen) AS fen
        FROM settlement s
        JOIN settlement_share h ON h.settlement_id = s.id AND h.revision = s.revision AND h.payer = :payer
        JOIN settlement_line l ON l.id = h.line_id
        WHERE s.status = 'due' AND s.centre_id = :centre_id AND h.month <= :month
        GROUP BY s.id, l.book
    ), claimed AS (
        SELECT n.settlement_id, n.book, sum(CASE WHEN n.cut_action = 'ask_again' THEN n.approved_fen
            ELSE n.asked_fen END) AS fen
        FROM claim_line n JOIN claim c ON c.id = n.claim_id AND c.making = n.making
        WHERE n.payer = :payer AND c.centre_id = :centre_id AND NOT n.is_held
            AND c.status IN ('submitted', 'answered', 'paid')
        GROUP BY n.settlement_id, n.book
    )
    SELECT s.id, s.order_id, s.resident_id, s.institution_id, s.area_code, coalesce(o.book, d.book),
        s.service_day, coalesce(o.fen, 0), coalesce(d.fen, 0)
    FROM owed o FULL JOIN claimed d ON d.settlement_id = o.settlement_id AND d.book = o.book
    JOIN settlement s ON s.id = coalesce(o.settlement_id, d.settlement_id)
    WHERE coalesce(o.fen, 0) <> coalesce(d.fen, 0)
    ORDER BY s.service_day, s.id, coalesce(o.book, d.book)
    """
)


async def open_of(work: Work, payer: str, month: str, centre_id: UUID) -> list[Open]:
    """Everything of a payer up to a month that is owed and not asked for, or asked for and no longer owed."""
    rows = await work.sql(_OPEN, {"payer": payer, "month": month, "centre_id": centre_id})
    return [
        Open(bill, order, resident, institution, area, Book(book), day, int(owed), int(claimed))
        for bill, order, resident, institution, area, book, day, owed, claimed in rows.all()
    ]


_VISITS = text(
    """
    SELECT v.id, v.order_id, v.caregiver_id, v.resident_id, v.care_started_at, v.care_ended_at,
        v.ends_at - v.starts_at, o.latitude, o.longitude,
        ARRAY(SELECT sha256 FROM visit_proof p WHERE p.visit_id = v.id AND p.kind = 'photo'
            AND p.sha256 IS NOT NULL)
    FROM visit v JOIN service_order o ON o.id = v.order_id
    WHERE v.centre_id = :centre_id AND v.status IN ('verified', 'flagged', 'reviewed')
        AND v.starts_at >= :since AND v.starts_at < :until
    """
).bindparams(bindparam("since", type_=UtcDateTime()), bindparam("until", type_=UtcDateTime()))


async def visits_between(work: Work, centre_id: UUID, since: datetime, until: datetime) -> list[VisitFacts]:
    """The ended visits of a centre in a stretch of time."""
    rows = await work.sql(_VISITS, {"centre_id": centre_id, "since": since, "until": until})
    return [
        VisitFacts(visit, order, caregiver, resident, start, end, planned, Point(lat, lng), frozenset(proofs))
        for visit, order, caregiver, resident, start, end, planned, lat, lng, proofs in rows.all()
    ]


async def programme_named(work: Work, payer: str, area_code: str) -> PayerProgramme | None:
    """The newest version of a programme that is in force for an area."""
    statement = (
        select(PayerProgramme).where(PayerProgramme.code == payer).order_by(col(PayerProgramme.valid_from).desc())
    )
    found = (await work.session.exec(statement)).all()
    return next((one for one in found if area_code.startswith(one.area_code)), None)


async def lock_drafts(work: Work, payer: str, centre_id: UUID) -> None:
    """One maker at a time for a payer and centre, so that nothing is asked for twice."""
    await work.sql(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"claim:{payer}:{centre_id}"}
    )


async def draft_of(work: Work, payer: str, month: str, centre_id: UUID) -> Claim | None:
    """The draft of a payer, month and centre, locked."""
    statement = (
        select(Claim)
        .where(
            Claim.payer == payer,
            Claim.month == month,
            Claim.centre_id == centre_id,
            Claim.status == ClaimStatus.DRAFT,
        )
        .with_for_update()
    )
    return (await work.session.exec(statement)).one_or_none()


async def lock_claim(work: Work, claim_id: UUID) -> Claim:
    """A claim in reach, locked and read anew; raises ``NotFound``."""
    statement = (
        select(Claim)
        .where(Claim.id == claim_id, *_reach(work))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    claim = (await work.session.exec(statement)).one_or_none()
    if claim is None:
        raise NotFound
    return claim


async def claim_in_reach(work: Work, claim_id: UUID) -> Claim:
    """A claim in reach; raises ``NotFound``."""
    claim = (await work.session.exec(select(Claim).where(Claim.id == claim_id, *_reach(work)))).one_or_none()
    if claim is None:
        raise NotFound
    return claim


async def claims_page(
    work: Work, limit: int, cursor: UUID | None, payer: str | None, month: str | None
) -> Sequence[Claim]:
    """Claims in reach, newest first."""
    statement = select(Claim).where(*_reach(work)).order_by(col(Claim.id).desc()).limit(limit)
    if payer is not None:
        statement = statement.where(Claim.payer == payer)
    if month is not None:
        statement = statement.where(Claim.month == month)
    if cursor is not None:
        statement = statement.where(col(Claim.id) < cursor)
    return (await work.session.exec(statement)).all()


async def lines_of(work: Work, claim: Claim) -> Sequence[ClaimLine]:
    """The lines of a claim that count, in the order of their days."""
    statement = (
        select(ClaimLine)
        .where(ClaimLine.claim_id == claim.id, ClaimLine.making == claim.making)
        .order_by(col(ClaimLine.service_day), col(ClaimLine.id))
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def line_rows(
    work: Work, claim: Claim, limit: int | None, cursor: UUID | None
) -> list[tuple[ClaimLine, Order, str]]:
    """Lines with their orders and residents' names, by key."""
    statement = (
        select(ClaimLine, Order, Resident.name)
        .join(Order, col(Order.id) == col(ClaimLine.order_id))
        .join(Resident, col(Resident.id) == col(ClaimLine.resident_id))
        .where(ClaimLine.claim_id == claim.id, ClaimLine.making == claim.making)
        .order_by(col(ClaimLine.id).desc())
    )
    if cursor is not None:
        statement = statement.where(col(ClaimLine.id) < cursor)
    if limit is not None:
        statement = statement.limit(limit)
    return [(line, order, name) for line, order, name in (await work.session.exec(statement)).all()]


def _reach(work: Work) -> list[Any]:
    conditions = within(work.actor, Claim.area_code)
    if work.actor.centre_id is not None:
        conditions.append(col(Claim.centre_id) == work.actor.centre_id)
    return conditions
