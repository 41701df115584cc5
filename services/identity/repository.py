"""SQL of accounts and sessions.

Nothing here is narrowed by an actor, because it runs before there is one: only this package calls it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from services.core.actor import Actor, Role
from services.core.database import Database, Work
from services.identity.models import Account, AuthSession
from services.identity.scope import actor_of

# One round trip for every request: session, account, care relationships in force, alerts and orders of other
# centres that one's own helps with, residents visited for another centre, caregivers lent to one's own. Spoken to
# asyncpg directly and outside a transaction, because this stands in front of everything (a session costs
# several times the query).
_IDENTITY = """
SELECT a.id, a.person_id, a.role, a.area_code, a.centre_id, a.display_name, s.expires_at,
       s.revoked_at IS NOT NULL AS revoked, a.disabled_at IS NOT NULL AS disabled, a.is_demo,
       wall.ids, wall.areas, aid.alerts, aid.residents, help.orders,
       visiting.orders AS asked, visiting.residents AS visited, lent.caregivers AS lent
FROM auth_session s
JOIN account a ON a.id = s.account_id
LEFT JOIN LATERAL (
    SELECT array_agg(r.id) AS ids, array_agg(r.area_code) AS areas
    FROM care_relationship c
    JOIN resident r ON r.id = c.resident_id
    WHERE c.account_id = a.id AND c.ended_at IS NULL
      AND CASE a.role WHEN 'resident' THEN c.kind = 'self' ELSE c.kind IN ('family', 'guardian') END
) wall ON a.role IN ('resident', 'family')
LEFT JOIN LATERAL (
    SELECT array_agg(h.alert_id) AS alerts, array_agg(h.resident_id) AS residents
    FROM alert_aid h
    WHERE h.centre_id = a.centre_id AND h.ended_at IS NULL
) aid ON a.role IN ('dispatcher', 'centre_manager')
LEFT JOIN LATERAL (
    SELECT array_agg(h.order_id) AS orders FROM order_aid h WHERE h.centre_id = a.centre_id AND h.ended_at IS NULL
) help ON a.role IN ('dispatcher', 'centre_manager')
LEFT JOIN LATERAL (
    SELECT array_agg(order_id) AS orders, array_agg(resident_id) AS residents FROM (
        SELECT f.order_id, f.resident_id FROM offer f
        WHERE f.caregiver_id = a.person_id AND f.lent_by IS NOT NULL AND f.status IN ('sent', 'viewed', 'accepted')
            AND f.ends_at > now() - interval '7 days'
        UNION SELECT b.order_id, b.resident_id FROM booking b
        WHERE b.caregiver_id = a.person_id AND b.lent_by IS NOT NULL AND b.is_active
            AND b.ends_at > now() - interval '7 days'
    ) theirs
) visiting ON a.role = 'caregiver'
LEFT JOIN LATERAL (
    SELECT array_agg(caregiver_id) AS caregivers FROM (
        SELECT f.caregiver_id FROM offer f
        WHERE f.lent_by IS NOT NULL AND f.centre_id = a.centre_id AND f.ends_at > now() - interval '400 days'
        UNION SELECT b.caregiver_id FROM booking b
        WHERE b.lent_by IS NOT NULL AND b.ends_at > now() - interval '400 days'
            AND (b.centre_id = a.centre_id OR b.resident_id = ANY (wall.ids))
    ) theirs
) lent ON a.role IN ('dispatcher', 'centre_manager', 'resident', 'family')
WHERE s.id = $1
"""


@dataclass(frozen=True, slots=True)
class SessionState:
    """What one look at the database says about a session."""

    actor: Actor
    expires_at: datetime
    is_revoked: bool
    is_disabled: bool
    is_demo: bool


async def read_session(database: Database, session_id: UUID) -> SessionState | None:
    """The session, its account and its walls; ``None`` when there is no such session."""
    async with database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        row = await driver.fetchrow(_IDENTITY, session_id)
    if row is None:
        return None
    actor = actor_of(
        account_id=row["id"],
        person_id=row["person_id"],
        role=Role(row["role"]),
        area_code=row["area_code"],
        centre_id=row["centre_id"],
        session_id=session_id,
        display_name=row["display_name"],
        residents=list(zip(row["ids"] or [], row["areas"] or [], strict=True)),
    )
    if row["alerts"]:
        residents = frozenset(row["residents"]) - {None}
        actor = replace(actor, aided_alerts=frozenset(row["alerts"]), aided_residents=residents)
    if row["orders"] or row["asked"] or row["lent"]:
        actor = replace(
            actor,
            aided_orders=frozenset(row["orders"] or row["asked"] or ()),
            visited_residents=frozenset(row["visited"] or ()),
            lent_caregivers=frozenset(row["lent"] or ()),
        )
    return SessionState(
        actor,
        row["expires_at"],
        is_revoked=row["revoked"],
        is_disabled=row["disabled"],
        is_demo=row["is_demo"],
    )


async def account_by_login(work: Work, login: str) -> Account | None:
    """The account of a login, whatever its state."""
    return (await work.session.exec(select(Account).where(Account.login == login))).one_or_none()


async def account_by_phone(work: Work, phone_lookup: str) -> Account | None:
    """The account that codes for this number sign in to."""
    found = await work.session.exec(select(Account).where(Account.phone_lookup == phone_lookup))
    return found.one_or_none()


async def get_account(work: Work, account_id: UUID) -> Account | None:
    """One account."""
    return await work.session.get(Account, account_id)


async def lock_session(work: Work, session_id: UUID) -> AuthSession | None:
    """One session, locked: two refreshes at once happen one after the other."""
    found = await work.session.exec(select(AuthSession).where(col(AuthSession.id) == session_id).with_for_update())
    return found.one_or_none()
