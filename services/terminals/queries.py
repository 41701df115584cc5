"""SQL about whose a terminal was, what happened to it, and what it may do at a broker."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import col, select

from services.core.database import Database, Work
from services.core.scope import within
from services.core.transitions import StatusChange
from services.terminals.broker_policy import ALLOWED_STATES
from services.terminals.models import ProvisionAttempt, TerminalBinding
from services.terminals.states import TERMINAL


class Worn(NamedTuple):
    """One stretch of time in which a terminal was a resident's: from ``bound_at`` to before ``unbound_at``."""

    resident_id: UUID
    centre_id: UUID
    area_code: str
    bound_at: datetime
    unbound_at: datetime | None


_WORN = text(
    "SELECT terminal_id, resident_id, centre_id, area_code, bound_at, unbound_at FROM terminal_binding"
    " WHERE terminal_id = ANY (CAST(:ids AS uuid[])) ORDER BY terminal_id, bound_at, id"
)
_HASH = text(
    "SELECT password_hash FROM terminal WHERE id = :id AND status = ANY (:allowed) AND password_hash IS NOT NULL"
)
_ENDED = text(
    "SELECT id, credential_ended_at FROM terminal"
    " WHERE credential_ended_at > CAST(:since AS timestamptz) ORDER BY credential_ended_at"
)


async def histories(work: Work, terminal_ids: Collection[UUID]) -> dict[UUID, list[Worn]]:
    """Every stretch of each terminal, oldest first; for ingest, which sees all of them."""
    found: dict[UUID, list[Worn]] = {}
    for terminal_id, *stretch in await work.sql(_WORN, {"ids": list(terminal_ids)}):
        found.setdefault(terminal_id, []).append(Worn(*stretch))
    return found


async def live_binding(work: Work, terminal_id: UUID) -> TerminalBinding | None:
    """The binding that has not ended."""
    statement = select(TerminalBinding).where(
        TerminalBinding.terminal_id == terminal_id, col(TerminalBinding.unbound_at).is_(None)
    )
    return (await work.session.exec(statement)).one_or_none()


async def last_unbound_at(work: Work, terminal_id: UUID) -> datetime | None:
    """When the last binding ended, as far as the actor sees it."""
    statement = select(func.max(TerminalBinding.unbound_at)).where(TerminalBinding.terminal_id == terminal_id)
    return (await work.session.exec(statement)).one()


async def page_of_bindings(
    work: Work, limit: int, before: UUID | None, terminal_id: UUID
) -> Sequence[TerminalBinding]:
    """Whose the terminal was, newest first: those residents whom the actor may see."""
    statement = select(TerminalBinding).where(
        *within(work.actor, TerminalBinding.area_code, TerminalBinding.resident_id),
        TerminalBinding.terminal_id == terminal_id,
    )
    if before is not None:
        statement = statement.where(col(TerminalBinding.id) < before)
    return (await work.session.exec(statement.order_by(col(TerminalBinding.id).desc()).limit(limit))).all()


async def page_of_changes(
    work: Work, limit: int, before: UUID | None, terminal_id: UUID
) -> Sequence[StatusChange]:
    """The terminal's history, newest first, as far as it happened in the actor's area."""
    statement = select(StatusChange).where(
        *within(work.actor, StatusChange.area_code),
        StatusChange.entity == TERMINAL.entity,
        StatusChange.entity_id == terminal_id,
    )
    if before is not None:
        statement = statement.where(col(StatusChange.id) < before)
    return (await work.session.exec(statement.order_by(col(StatusChange.id).desc()).limit(limit))).all()


async def page_of_attempts(
    work: Work, limit: int, before: UUID | None, terminal_id: UUID | None
) -> Sequence[ProvisionAttempt]:
    """Attempts to provision a terminal in the actor's area, newest first."""
    statement = select(ProvisionAttempt).where(*within(work.actor, ProvisionAttempt.area_code))
    if terminal_id is not None:
        statement = statement.where(ProvisionAttempt.terminal_id == terminal_id)
    if before is not None:
        statement = statement.where(col(ProvisionAttempt.id) < before)
    return (await work.session.exec(statement.order_by(col(ProvisionAttempt.id).desc()).limit(limit))).all()


async def password_hash(database: Database, terminal_id: UUID) -> str | None:
    """The stored hash of a terminal that may connect."""
    async with database.engine.connect() as connection:
        found = await connection.execute(_HASH, {"id": terminal_id, "allowed": list(ALLOWED_STATES)})
        stored: str | None = found.scalar_one_or_none()
        return stored


async def still_allowed(database: Database, terminal_id: UUID) -> bool:
    """Whether a terminal that was let in still may be there."""
    return await password_hash(database, terminal_id) is not None


async def credentials_ended(database: Database, since: datetime) -> Sequence[tuple[UUID, datetime]]:
    """Terminals whose credential was replaced or withdrawn after a moment, and when; oldest first."""
    async with database.engine.connect() as connection:
        rows = await connection.execute(_ENDED, {"since": since})
        return [(row[0], row[1]) for row in rows]
