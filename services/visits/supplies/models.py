"""Drugs and consumables that were used at a visit."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from services.core.calendar import Moment
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class SupplyKind(StrEnum):
    DRUG = "drug"
    CONSUMABLE = "consumable"


class VisitSupply(SQLModel, table=True):
    """So many of one thing. ``unit_fen`` is what the caregiver knows of its cost; a price list goes before it.

    A corrected one is voided, never changed.
    """

    __tablename__ = "visit_supply"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    visit_id: UUID = Field(foreign_key="visit.id", index=True)
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    code: str
    name: str
    kind: SupplyKind = Field(sa_column=enum_column(SupplyKind))
    quantity: int
    lot: str | None = None
    unit_fen: int | None = None
    used_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    correction_id: UUID | None = None
    voided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    voided_by_correction: UUID | None = None


class Supply(BaseModel):
    """One thing used."""

    model_config = ConfigDict(extra="forbid")

    code: str = Described(min_length=1, max_length=60, examples=["gauze-10"])
    name: str = Described(min_length=1, max_length=120, examples=["无菌纱布 10×10 cm"])
    kind: SupplyKind = Described(examples=["consumable"])
    quantity: int = Described(1, ge=1, le=1_000)
    lot: str | None = Described(None, max_length=60)
    unit_fen: int | None = Described(
        None, ge=0, le=10_000_000, description="Cost of one in fen, where no list has it."
    )


class SupplyUse(Supply):
    """One thing used, when."""

    device_at: Moment
    sent_at: Moment | None = None


class SupplyPublic(BaseModel):
    """What is on record."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    kind: SupplyKind
    quantity: int
    lot: str | None
    unit_fen: int | None
    used_at: datetime
    voided_at: datetime | None
