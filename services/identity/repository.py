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

# One round trip for every request: session, account, care relationships in force and alerts of other centres that
# one's own helps with. Spoken to asyncpg directly and outside a transaction, because this stands in front of
# everything (a SQLAlchemy session costs several times the query).
_IDENTITY = """
SELECT a.id, a.person_id, a.role, a.area_code, a.centre_id, a.display_name, s.expires_at,
       s.revoked_at IS NOT NULL AS revoked, a.disabled_at IS NOT NULL AS disabled, a.is_demo,
       wall.ids, wall.areas, aid.alerts, aid.residents
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
