"""What went wrong at a visit, as its caregiver reports it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from services.core.calendar import Moment
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.visits.incidents.states import IncidentStatus


class IncidentKind(StrEnum):
    FALL = "fall"
    MEDICAL = "medical"
    MEDICATION_ERROR = "medication_error"
    REFUSAL = "refusal"
    NOBODY_HOME = "nobody_home"
    AGGRESSION = "aggression"
    PROPERTY_DAMAGE = "property_damage"
    SUSPECTED_ABUSE = "suspected_abuse"
    UNSAFE_HOME = "unsafe_home"
    CAREGIVER_HURT = "caregiver_hurt"
    OTHER = "other"


class IncidentSeverity(StrEnum):
    MINOR = "minor"
    SERIOUS = "serious"
    SEVERE = "severe"  # the manager is told at once


class VisitIncident(SQLModel, table=True):
    """One incident with what was done about it there and what the centre made of it."""

    __tablename__ = "visit_incident"
    __table_args__ = (Index("visit_incident_open", "centre_id", "id", postgresql_where="status <> 'closed'"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    visit_id: UUID = Field(foreign_key="visit.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    kind: IncidentKind = Field(sa_column=enum_column(IncidentKind))
    severity: IncidentSeverity = Field(sa_column=enum_column(IncidentSeverity))
    words: str
    done: str = ""
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    reported_at: datetime = Field(sa_type=UtcDateTime)
    reported_by: UUID | None = None
    status: IncidentStatus = Field(sa_column=enum_column(IncidentStatus))
    taken_by: UUID | None = None
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: UUID | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = None
    version: int = 1


class IncidentReport(BaseModel):
    """What happened, how grave it is, what was done there and then."""

    model_config = ConfigDict(extra="forbid")

    kind: IncidentKind = Described(examples=["fall"])
    severity: IncidentSeverity = Described(examples=["serious"])
    words: str = Described(min_length=1, max_length=1000, examples=["起身时滑倒，右膝擦伤"])
    done: str = Described("", max_length=1000, examples=["已扶起、清洗伤口、通知家属"])
    device_at: Moment = Described(description="When it happened, by the phone.")
    sent_at: Moment | None = None


class IncidentClose(BaseModel):
    """What came of it."""

    model_config = ConfigDict(extra="forbid")

    outcome: str = Described(min_length=1, max_length=1000, examples=["村医已上门查看，无需就医"])


class IncidentPublic(BaseModel):
    """An incident as the centre sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    visit_id: UUID
    resident_id: UUID
    caregiver_id: UUID
    centre_id: UUID
    kind: IncidentKind
    severity: IncidentSeverity
    words: str
    done: str
    occurred_at: datetime
    reported_at: datetime
    status: IncidentStatus
    taken_by: UUID | None
    taken_at: datetime | None
    closed_by: UUID | None
    closed_at: datetime | None
    outcome: str | None
    version: int
