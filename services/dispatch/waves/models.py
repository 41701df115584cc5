"""One run of automatic dispatch for one order, and what it did and why."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.dispatch.acts import ActKind
from services.dispatch.policies.models import AutoMode
from services.dispatch.waves.states import RoundStatus


class DispatchRound(SQLModel, table=True):
    """The policy is frozen on it when it begins. ``wave``: how many have gone out; ``next_at``: when it is due."""

    __tablename__ = "dispatch_round"
    __table_args__ = (
        Index("dispatch_round_one_running", "order_id", unique=True, postgresql_where="status = 'running'"),
        Index("dispatch_round_order", "order_id", "id"),
        Index("dispatch_round_due", "next_at", postgresql_where="status = 'running'"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    status: RoundStatus = Field(sa_column=enum_column(RoundStatus))
    mode: AutoMode = Field(sa_column=enum_column(AutoMode))
    policy: dict[str, Any] = Field(sa_type=JSONB)
    started_by: UUID | None = None
    started_at: datetime = Field(sa_type=UtcDateTime)
    wave: int = 0
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_with: str | None = None
    version: int = 1


class WavesStart(BaseModel):
    """Ask in waves now. ``mode`` may override the policy's: ``offer_waves`` or ``assign_best``."""

    model_config = ConfigDict(extra="forbid")

    mode: AutoMode = Described(AutoMode.OFFER_WAVES, examples=["offer_waves"])


class RoundPublic(BaseModel):
    """A round as the desk sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    order_id: UUID
    status: RoundStatus
    mode: AutoMode
    started_by: UUID | None = Described(description="Empty: the system, by the centre's policy.")
    started_at: datetime
    wave: int
    next_at: datetime | None
    ended_at: datetime | None


class ActPublic(BaseModel):
    """One line of an order's dispatch."""

    model_config = ConfigDict(from_attributes=True)

    kind: ActKind
    role: str = Described(description="`system` for what nobody did by hand.")
    account_id: UUID | None
    at: datetime
    document: dict[str, Any]


class DispatchHistory(BaseModel):
    """What dispatch did with an order, oldest first, and its rounds."""

    order_id: UUID
    rounds: list[RoundPublic]
    acts: list[ActPublic]
