"""Recurring plans (FHIR: CarePlan): what is done again and again, its pauses, and what became of each day."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Date
from sqlmodel import Field, SQLModel

from services.care_plans.states import OccurrenceStatus, PlanStatus
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.orders.models import Channel


class HolidayPolicy(StrEnum):
    """What becomes of a day that falls on a public holiday."""

    KEEP = "keep"
    SKIP = "skip"
    MOVE = "move"  # to the next working day, unless the plan has that day already


class CarePlan(SQLModel, table=True):
    """A plan of recurring visits. ``rrule`` is an RFC 5545 rule without DTSTART; ``starts_on`` is its first day.

    ``items`` are ``AskedItem``s, ``times`` pairs of local times, ``wishes`` a ``Wishes``; ``next_run_at`` is
    when the worker looks at it again.
    """

    __tablename__ = "care_plan"
    __table_args__ = (
        Index("care_plan_resident", "resident_id", "id"),
        Index("care_plan_due", "next_run_at", postgresql_where="status = 'active'"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="care_plan_days"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    title: str
    items: list[dict[str, Any]] = Field(sa_type=JSONB)
    times: list[list[str]] = Field(sa_type=JSONB)
    wishes: dict[str, Any] = Field(sa_type=JSONB)
    rrule: str
    starts_on: date
    ends_on: date | None = None
    exdates: list[date] = Field(default_factory=list, sa_column=Column(ARRAY(Date), nullable=False))
    rdates: list[date] = Field(default_factory=list, sa_column=Column(ARRAY(Date), nullable=False))
    holiday_policy: HolidayPolicy = Field(sa_column=enum_column(HolidayPolicy))
    status: PlanStatus = Field(sa_column=enum_column(PlanStatus))
    channel: Channel = Field(sa_column=enum_column(Channel))
    caller: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    planned_by: UUID = Field(foreign_key="account.id")
    planned_at: datetime = Field(sa_type=UtcDateTime)
    end_reason: str | None = None
    next_run_at: datetime = Field(sa_type=UtcDateTime)
    generated_until: date | None = None
    failures: int = 0
    failure: str | None = None
    version: int = 1


class CarePlanPause(SQLModel, table=True):
    """Days on which nothing is made, both included; ``until_day`` is open until somebody knows it."""

    __tablename__ = "care_plan_pause"
    __table_args__ = (
        Index("care_plan_pause_plan", "care_plan_id", "from_day"),
        CheckConstraint("until_day IS NULL OR until_day >= from_day - 1", name="care_plan_pause_days"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    care_plan_id: UUID = Field(foreign_key="care_plan.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    from_day: date
    until_day: date | None = None
    reason: str
    paused_by: UUID | None = None
    paused_at: datetime = Field(sa_type=UtcDateTime)
    resumed_by: UUID | None = None
    resumed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CarePlanOccurrence(SQLModel, table=True):
    """What became of one day of a plan; ``day`` is the day that the rule gives, and stays its name.

    ``content`` recognises what its order was made from; ``change`` is what a person asked for on this day
    alone (``OccurrenceChange``).
    """

    __tablename__ = "care_plan_occurrence"
    __table_args__ = (
        Index("care_plan_occurrence_day", "care_plan_id", "day", unique=True),
        Index("care_plan_occurrence_order", "order_id", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    care_plan_id: UUID = Field(foreign_key="care_plan.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    day: date
    service_day: date
    status: OccurrenceStatus = Field(sa_column=enum_column(OccurrenceStatus))
    order_id: UUID | None = Field(default=None, foreign_key="service_order.id")
    content: str | None = None
    change: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    problem: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    reason: str | None = None
    updated_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1
