"""What dispatch did with an order beside offers and bookings, and on which grounds: lines that nobody edits."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.ids import new_id
from services.orders.models import Order


class ActKind(StrEnum):
    """What dispatch did with an order beside offers and bookings."""

    ROUND_STARTED = "round_started"
    SUGGESTED = "suggested"
    WAVE_SENT = "wave_sent"
    ASSIGNED = "assigned"
    NOBODY_FITS = "nobody_fits"
    ROUND_ENDED = "round_ended"
    REASSIGNED = "reassigned"
    OVERRIDDEN = "overridden"
    NEIGHBOUR_ASKED = "neighbour_asked"
    COUNTY_ASKED = "county_asked"


class DispatchAct(SQLModel, table=True):
    """One line of what was done and on which grounds: caregivers with scores and reason codes, no free words."""

    __tablename__ = "dispatch_act"
    __table_args__ = (Index("dispatch_act_order", "order_id", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    round_id: UUID | None = None
    kind: str
    account_id: UUID | None = None
    role: str
    at: datetime = Field(sa_type=UtcDateTime)
    document: dict[str, Any] = Field(sa_type=JSONB)


def write_act(
    work: Work, order: Order, kind: ActKind, document: Mapping[str, Any], round_id: UUID | None = None
) -> None:
    """Add one line. ``document``: ids, codes, times and scores; no free words."""
    work.session.add(
        DispatchAct(
            order_id=order.id,
            resident_id=order.resident_id,
            centre_id=order.centre_id,
            area_code=order.area_code,
            round_id=round_id,
            kind=str(kind),
            account_id=work.actor.account_id,
            role=str(work.actor.role),
            at=work.now,
            document=dict(document),
        )
    )
