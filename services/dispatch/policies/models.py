"""What a centre lets the system do with an order, and for how long it may go untaken: versioned, never edited."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.catalogue.models import Category
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused

EVERY_CATEGORY = ""


class AutoMode(StrEnum):
    """How far the system goes with an order that has just been placed."""

    OFF = "off"  # the desk does everything
    SUGGEST = "suggest"  # the best are written down beside the order
    OFFER_WAVES = "offer_waves"  # caregivers are asked, wave after wave
    ASSIGN_BEST = "assign_best"  # the best is booked, if nothing speaks against it


class Circle(StrEnum):
    """Whom a wave may reach; each is wider than the one before."""

    KNOWN = "known"  # has visited the resident before, or is the one she wishes
    NEAREST = "nearest"  # within the policy's near minutes of travel
    ALL = "all"  # everybody on shift who fits
    ON_CALL = "on_call"  # those on call, for an urgent order only


class Wave(BaseModel):
    """So many caregivers of a circle are asked at once, and have so many seconds before the next wave."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    circle: Circle
    size: int = Described(ge=1, le=50)
    seconds: int = Described(ge=10, le=86_400)


class ClimbLimits(BaseModel):
    """Seconds after which an order that nobody took is shown further away.

    They count from when it was placed, or, for one that lies far ahead, from ``within_hours`` before its window.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    neighbour_after_seconds: int = Described(ge=30, le=604_800)
    between_neighbours_seconds: int = Described(ge=30, le=604_800)
    county_after_seconds: int = Described(ge=30, le=604_800)
    within_hours: int = Described(48, ge=1, le=2_160)
    neighbours: int = Described(ge=0, le=10, description="How many are asked, one after another.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.county_after_seconds < self.neighbour_after_seconds:
            raise refused("county_before_neighbour", "county_after_seconds")
        return self


class PolicyDocument(BaseModel):
    """The figures of a policy: waves for ordinary and urgent orders, and when an untaken order climbs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    waves: list[Wave] = Described(min_length=1, max_length=12)
    urgent_waves: list[Wave] = Described(min_length=1, max_length=12)
    near_minutes: int = Described(ge=1, le=240)
    remind_share: float = Described(0.5, gt=0, lt=1, description="Share of the time to answer until the reminder.")
    climb: ClimbLimits
    urgent_climb: ClimbLimits

    def waves_for(self, *, urgent: bool) -> list[Wave]:
        """The waves of an order."""
        return self.urgent_waves if urgent else self.waves

    def climb_for(self, *, urgent: bool) -> ClimbLimits:
        """The limits of an order."""
        return self.urgent_climb if urgent else self.climb


class DispatchPolicy(SQLModel, table=True):
    """A version for a place and category; without ``ended_at`` it is in force. The county's has no centre."""

    __tablename__ = "dispatch_policy"
    __table_args__ = (
        Index(
            "dispatch_policy_one_current",
            "area_code",
            "category",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
        Index("dispatch_policy_history", "area_code", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    centre_id: UUID | None = Field(default=None, foreign_key="centre.id")
    area_code: str
    category: str = EVERY_CATEGORY
    version: int = 1
    mode: AutoMode = Field(sa_column=enum_column(AutoMode))
    document: dict[str, Any] = Field(sa_type=JSONB)
    reason: str
    saved_by: UUID | None = None
    saved_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CentreNeighbour(SQLModel, table=True):
    """Whom a centre turns to, in which order; without rows it is the nearest centres of the county."""

    __tablename__ = "centre_neighbour"
    __table_args__ = (
        Index(
            "centre_neighbour_one", "centre_id", "neighbour_id", unique=True, postgresql_where="ended_at IS NULL"
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    place: int
    neighbour_id: UUID = Field(foreign_key="centre.id")
    set_by: UUID | None = None
    set_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DispatchPolicySave(BaseModel):
    """A new version. ``document`` may be left out: the figures in force are kept."""

    model_config = ConfigDict(extra="forbid")

    centre_id: UUID | None = Described(None, description="Empty: the whole county's.")
    category: Category | None = Described(None, description="Empty: every category without a policy of its own.")
    mode: AutoMode
    document: PolicyDocument | None = None
    reason: str = Described(min_length=2, max_length=300, examples=["助洁订单试行自动派单"])


class DispatchPolicyPublic(BaseModel):
    """A policy as it stands, and where it comes from."""

    centre_id: UUID | None
    category: Category | None
    version: int = Described(description="0: the default that the platform comes with.")
    mode: AutoMode
    document: PolicyDocument
    reason: str
    saved_by: UUID | None
    saved_at: datetime | None
    ended_at: datetime | None
    source: str = Described(description="centre, county or default.")


class DispatchPolicies(BaseModel):
    """Every version that a place has had, newest first, or what is in force there."""

    items: list[DispatchPolicyPublic]


class NeighboursSave(BaseModel):
    """Whom the centre turns to, the first first."""

    model_config = ConfigDict(extra="forbid")

    neighbour_ids: list[UUID] = Described(max_length=20, examples=[["0198c6f0-5b5e-7c3e-9d0f-3c0a8f3d2b11"]])


class NeighboursPublic(BaseModel):
    """Whom the centre turns to. ``is_default``: nobody has set it, these are the nearest of the county."""

    centre_id: UUID
    neighbour_ids: list[UUID]
    is_default: bool
