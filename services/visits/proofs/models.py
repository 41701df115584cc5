"""Photos of the work and the resident's signature: kept sealed, found by their hash."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.core.calendar import Moment
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class ProofKind(StrEnum):
    PHOTO = "photo"
    SIGNATURE = "signature"  # the resident's, who confirms the service by it


class VisitProof(SQLModel, table=True):
    """One picture. ``sealed`` is empty before it has arrived (a phone may announce it first), and again once its
    time is over; the hash stays, so that the same picture is known when it is used twice.

    ``sha256`` is of what is kept: the picture without its metadata.
    """

    __tablename__ = "visit_proof"
    __table_args__ = (UniqueConstraint("caregiver_id", "client_id", name="visit_proof_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    client_id: UUID
    visit_id: UUID = Field(foreign_key="visit.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    kind: ProofKind = Field(sa_column=enum_column(ProofKind))
    taken_at: datetime = Field(sa_type=UtcDateTime)
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = Field(default=None, index=True)
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    received_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class ProofNotice(BaseModel):
    """A picture was taken and will follow."""

    model_config = ConfigDict(extra="forbid")

    proof_id: UUID = Described(description="Made by the phone; the picture follows under it.")
    kind: ProofKind = Described(examples=["photo"])
    device_at: Moment
    sent_at: Moment | None = None


class ProofPublic(BaseModel):
    """A picture without its content."""

    model_config = ConfigDict(from_attributes=True)

    proof_id: UUID
    visit_id: UUID
    kind: ProofKind
    taken_at: datetime
    media_type: str | None
    size: int | None = Described(description="Bytes.")
    sha256: str | None
    received_at: datetime | None = Described(description="`null`: announced, not arrived.")
    deleted_at: datetime | None = Described(description="When its time of keeping was over.")
    version: int
