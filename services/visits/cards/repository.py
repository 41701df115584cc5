"""The door cards' SQL."""

from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.database import Work
from services.core.scope import within
from services.visits.cards.models import DoorCard


async def card_of(work: Work, resident_id: UUID, *, lock: bool = False) -> DoorCard | None:
    """The card of a resident in reach."""
    statement: Any = select(DoorCard).where(
        DoorCard.resident_id == resident_id, *within(work.actor, DoorCard.area_code, DoorCard.resident_id)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    card: DoorCard | None = (await work.session.exec(statement)).one_or_none()
    return card


async def add_card(work: Work, card: DoorCard) -> None:
    """Store the first card; another request may have been quicker."""
    statement = insert(DoorCard).values(**card.model_dump())
    await work.sql(statement.on_conflict_do_nothing(index_elements=[col(DoorCard.resident_id)]))
