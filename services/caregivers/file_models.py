"""What the API takes and gives of a caregiver's file."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.caregivers.credentials.models import CredentialPublic
from services.caregivers.models import TravelMode
from services.core.calendar import Day, Moment
from services.residents.models import Gender

Code = Annotated[str, Field(min_length=1, max_length=40)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class Travel(BaseModel):
    """How somebody gets about, and where the day's first way begins."""

    model_config = ConfigDict(extra="forbid")

    travel_mode: TravelMode = Field(examples=["scooter"])
    home_latitude: Latitude = Field(examples=[28.3])
    home_longitude: Longitude = Field(examples=[113.2])


class CaregiverFields(Travel):
    """What is written of a caregiver."""

    name: str = Field(min_length=2, max_length=40, examples=["周素芬"])
    gender: Gender = Field(examples=["female"])
    profession: Code = Field(examples=["care_worker"])
    skills: list[Code] = Field(max_length=40, examples=[["bathing", "walking_aid"]])
    dialects: list[Code] = Field([], max_length=10, examples=[["长沙话"]])
    practice_since: Day | None = Field(None, description="The first day in the profession.")
    institution_id: UUID | None = Field(None, description="The provider; null: the centre's own.")


class Numbers(BaseModel):
    """Personal numbers to keep, sealed. What is null stays as it is; an empty text takes it off the file."""

    model_config = ConfigDict(extra="forbid")

    phone: str | None = Field(None, max_length=20, examples=["13800001234"])
    id_number: str | None = Field(None, max_length=20, examples=["11010519491231002X"])


class NewCaregiver(CaregiverFields, Numbers):
    """A caregiver to take on at a centre."""

    centre_id: UUID


class Departure(BaseModel):
    """From when somebody no longer works here, and why."""

    model_config = ConfigDict(extra="forbid")

    left_at: Moment = Field(examples=["2026-12-31T18:00:00+08:00"])
    reason: str = Field(min_length=2, max_length=200, examples=["合同到期"])


class LimitFields(BaseModel):
    """Somebody's own working-time limits, minutes; what is null is the general one."""

    model_config = ConfigDict(extra="forbid")

    day_minutes: int | None = Field(None, ge=0, le=1440, examples=[720])
    week_minutes: int | None = Field(None, ge=0, le=10_080)
    rest_minutes: int | None = Field(None, ge=0, le=1440)
    reason: str = Field(min_length=2, max_length=300, examples=["住家服务，已签书面协议"])


class NumberField(StrEnum):
    PHONE = "phone"
    ID_NUMBER = "id_number"


class NumberRequest(BaseModel):
    """Which number is needed, and what for; the purpose stands in the file's log."""

    model_config = ConfigDict(extra="forbid")

    field: NumberField
    purpose: str = Field(min_length=2, max_length=200, examples=["通知临时调班"])


class NumberRevealed(BaseModel):
    """The number in full."""

    field: NumberField
    value: str


class CaregiverSummary(BaseModel):
    """A caregiver in a list."""

    id: UUID
    centre_id: UUID
    institution_id: UUID | None
    area_code: str
    name: str
    gender: Gender
    profession: str
    skills: list[str]
    left_at: datetime | None
    version: int


class LimitsPublic(BaseModel):
    """The working-time limits that hold for somebody, minutes, and why where they are her own."""

    day_minutes: int
    week_minutes: int
    rest_minutes: int
    own_reason: str | None = Field(description="null: the general limits of the project.")
    verified: bool = Field(description="false: a project default that nobody has compared with the law.")


class CaregiverPublic(CaregiverSummary):
    """One caregiver's file. Numbers are masked."""

    dialects: list[str]
    travel_mode: TravelMode
    home_latitude: float
    home_longitude: float
    practice_since: date | None
    phone_masked: str | None = Field(examples=["138****1234"])
    id_number_masked: str | None = Field(examples=["1101**********002X"])
    limits: LimitsPublic
    credentials: list[CredentialPublic]


class LogLine(BaseModel):
    """One line of a file's log."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    act: str
    subject_id: UUID | None
    fields: list[str]
    reason: str
    role: str
    actor_name: str
