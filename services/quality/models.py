"""What residents say of the service."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.ids import new_id


class Rating(SQLModel, table=True):
    """One rating an order, by the unique key; 1 (bad) to 5 (good)."""

    __tablename__ = "rating"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", unique=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    score: int
    words: str = ""
    rated_by: UUID = Field(foreign_key="account.id")
    rated_at: datetime = Field(sa_type=UtcDateTime)


class RatingCreate(BaseModel):
    """How it was."""

    model_config = ConfigDict(extra="forbid")

    score: int = Described(ge=1, le=5, strict=True, description="1 (bad) to 5 (good).", examples=[5])
    words: str = Described("", max_length=500, examples=["护工很细心"])


class RatingPublic(BaseModel):
    """A rating as it is shown."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    order_id: UUID
    score: int
    words: str
    rated_at: datetime
