"""The card at a resident's door whose QR code starts a visit."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.ids import new_id


class DoorCard(SQLModel, table=True):
    """One card a resident. ``edition`` counts its prints: a lost card is replaced, and the old one is void.

    What is printed is the key of this row, the edition and a signature: nothing of the resident.
    """

    __tablename__ = "door_card"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id", unique=True)
    area_code: str = Field(index=True)
    edition: int = 1
    issued_at: datetime = Field(sa_type=UtcDateTime)
    issued_by: UUID | None = None
    reason: str = ""
    version: int = 1


class ReplaceCard(BaseModel):
    """Why a new card is printed."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=1, max_length=200, examples=["卡片遗失"])


class DoorCardPublic(BaseModel):
    """The card in force, without what is printed on it."""

    model_config = ConfigDict(from_attributes=True)

    resident_id: UUID
    edition: int
    issued_at: datetime
    reason: str
    version: int
