"""Plans of a day: the tables. What the API shows of them stands in ``views``."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.dispatch.day_plans.states import ItemChange, ItemResult, PlanStatus


class PlanKind(StrEnum):
    DAY = "day"  # a whole day, asked for by a dispatcher
    REPAIR = "repair"  # the running plan with the fewest changes, after something went wrong


class RepairCause(StrEnum):
    ABSENCE = "absence"  # a caregiver cannot come
    OVERRUN = "overrun"  # a visit lasts longer, and the next one cannot be reached in time
    URGENT = "urgent"  # an urgent order that nobody has time for
    REQUEST = "request"  # a dispatcher asks for one order


class DayPlan(SQLModel, table=True):
    """One plan of one centre and day. ``lease`` and ``leased_until`` say which worker has it; a worker that died
    lets it lapse, and another takes it up again.

    A centre has one day plan in the making, and one proposal for each cause: the partial unique indexes hold it.
    """

    __tablename__ = "day_plan"
    __table_args__ = (
        CheckConstraint("(kind = 'repair') = (cause IS NOT NULL)", name="day_plan_cause"),
        Index(
            "day_plan_one_computing",
            "centre_id",
            unique=True,
            postgresql_where="kind = 'day' AND status = 'computing'",
        ),
        Index(
            "day_plan_one_ready",
            "centre_id",
            "day",
            unique=True,
            postgresql_where="kind = 'day' AND status = 'ready'",
        ),
        Index(
            "day_plan_one_proposal",
            "centre_id",
            "day",
            "cause_key",
            unique=True,
            postgresql_where="kind = 'repair' AND status IN ('computing', 'ready')",
        ),
        Index("day_plan_waiting", "id", postgresql_where="status = 'computing'"),
        Index("day_plan_of_centre", "centre_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    kind: PlanKind = Field(sa_column=enum_column(PlanKind))
    day: date
    status: PlanStatus = Field(sa_column=enum_column(PlanStatus))
    options: dict[str, Any] = Field(sa_type=JSONB)
    cause: RepairCause | None = Field(default=None, sa_column=enum_column(RepairCause, nullable=True))
    cause_key: str = ""
    order_id: UUID | None = Field(default=None, foreign_key="service_order.id")
    caregiver_id: UUID | None = Field(default=None, foreign_key="caregiver.id")
    requested_by: UUID | None = None
    requested_at: datetime = Field(sa_type=UtcDateTime)
    lease: UUID | None = None
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    engine: str | None = None
    engine_why: dict[str, str] | None = Field(default=None, sa_type=JSONB)
    summary: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    failure: str | None = None
    committed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    committed_by: UUID | None = None
    version: int = 1


class DayPlanItem(SQLModel, table=True):
    """One caregiver's place at one order in a plan: who has it now (``from_*``), and who would.

    ``reasons`` are ``services.dispatch.reasons.Reason`` with the number of caregivers they rule out.
    """

    __tablename__ = "day_plan_item"
    __table_args__ = (UniqueConstraint("plan_id", "order_id", "place_no", name="day_plan_item_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    plan_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("day_plan.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    place_no: int
    change: ItemChange = Field(sa_column=enum_column(ItemChange))
    is_pinned: bool = False
    booking_id: UUID | None = Field(default=None, foreign_key="booking.id")
    from_caregiver_id: UUID | None = Field(default=None, foreign_key="caregiver.id")
    from_starts_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    caregiver_id: UUID | None = Field(default=None, foreign_key="caregiver.id")
    starts_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    travel_seconds: int = 0
    reasons: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    result: ItemResult | None = Field(default=None, sa_column=enum_column(ItemResult, nullable=True))
    result_reason: str | None = None


class BookingPin(SQLModel, table=True):
    """A person has fixed a visit: no plan moves it until the pin is taken off."""

    __tablename__ = "booking_pin"
    __table_args__ = (Index("booking_pin_one", "booking_id", unique=True, postgresql_where="removed_at IS NULL"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    booking_id: UUID = Field(foreign_key="booking.id")
    visit_id: UUID = Field(foreign_key="visit.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    reason: str
    pinned_by: UUID
    pinned_at: datetime = Field(sa_type=UtcDateTime)
    removed_by: UUID | None = None
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    removed_reason: str | None = None


class PlanningPolicy(SQLModel, table=True):
    """What a centre lets the planner do by itself. A centre without a row lets it do nothing."""

    __tablename__ = "planning_policy"

    centre_id: UUID = Field(foreign_key="centre.id", primary_key=True)
    area_code: str
    repairs_commit_themselves: bool = False
    changed_by: UUID | None = None
    changed_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1
