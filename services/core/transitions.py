"""Status changes: only along a table, only under a row lock, always with a row that tells who and why."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.errors import IllegalTransition
from services.core.ids import new_id

S = TypeVar("S", bound=StrEnum)


class StatusChange(SQLModel, table=True):
    """One change of one status: the history that nobody edits."""

    __tablename__ = "status_change"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    entity: str = Field(index=False)
    entity_id: UUID = Field(index=True)
    area_code: str
    from_status: str | None = None
    to_status: str
    reason: str | None = None
    account_id: UUID | None = None
    role: str
    at: datetime = Field(sa_type=UtcDateTime)


class HasStatus(Protocol):
    """What a row must have to be moved."""

    id: UUID
    area_code: str
    status: Any
    version: int


class Transitions(Generic[S]):
    """The allowed moves of one status. A status without an entry is final."""

    def __init__(self, entity: str, moves: Mapping[S, frozenset[S]]) -> None:
        self.entity = entity
        self.moves = moves

    def allows(self, current: S, target: S) -> bool:
        """Whether the table has this move."""
        return target in self.moves.get(current, frozenset())

    def move(self, work: Work, row: HasStatus, target: S, reason: str | None = None) -> None:
        """Change ``row.status`` (the caller has locked the row) and write its history.

        Raises ``IllegalTransition`` with ``current`` and ``target`` when the table has no such move.
        """
        current: S = row.status
        if not self.allows(current, target):
            raise IllegalTransition(
                f"{self.entity}: {current} → {target}", current=str(current), target=str(target)
            )
        row.status = target
        row.version += 1
        self.note(work, row, current, target, reason)

    def begin(self, work: Work, row: HasStatus) -> None:
        """Write the first line of the history of a new row."""
        self.note(work, row, None, row.status, None)

    def note(self, work: Work, row: HasStatus, current: S | None, target: S, reason: str | None) -> None:
        """Add the history row itself."""
        work.session.add(
            StatusChange(
                entity=self.entity,
                entity_id=row.id,
                area_code=row.area_code,
                from_status=None if current is None else str(current),
                to_status=str(target),
                reason=reason,
                account_id=work.actor.account_id,
                role=str(work.actor.role),
                at=work.now,
            )
        )
