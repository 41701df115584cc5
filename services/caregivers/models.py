"""Care workers, nurses, therapists and village doctors: what they may do and when they work."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlmodel import Field, SQLModel

from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id
from services.residents.models import Gender


class TravelMode(StrEnum):
    WALK = "walk"
    BICYCLE = "bicycle"
    SCOOTER = "scooter"
    CAR = "car"


class Caregiver(SQLModel, table=True):
    """One caregiver. ``number`` is a small integer that goes into the double-booking range.

    ``practice_since`` is the first day in the profession, from which years of practice are counted.
    """

    __tablename__ = "caregiver"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), unique=True, nullable=False)
    )
    centre_id: UUID = Field(foreign_key="centre.id", index=True)
    area_code: str = Field(index=True)
    name: str
    gender: Gender = Field(sa_column=enum_column(Gender))
    profession: str
    skills: list[str] = Field(default_factory=list, sa_type=TextArray)
    dialects: list[str] = Field(default_factory=list, sa_type=TextArray)
    travel_mode: TravelMode = Field(sa_column=enum_column(TravelMode))
    home_latitude: float
    home_longitude: float
    phone_encrypted: str | None = None
    practice_since: date | None = None
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class Credential(SQLModel, table=True):
    """A licence or certificate. An expired or missing one blocks assignment from that day."""

    __tablename__ = "credential"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    area_code: str
    kind: str
    issuer: str
    valid_from: date
    valid_until: date


class Shift(SQLModel, table=True):
    """A stretch of time in which a caregiver works."""

    __tablename__ = "shift"
    __table_args__ = (Index("shift_caregiver_starts", "caregiver_id", "starts_at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    area_code: str
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
