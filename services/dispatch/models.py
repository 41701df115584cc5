"""Offers to caregivers and the bookings that come of them (FHIR: Task)."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described
from sqlalchemy import Column, Index
from sqlalchemy.dialects.postgresql import INT8RANGE, JSONB, ExcludeConstraint, Range
from sqlmodel import Field, SQLModel

from services.core.calendar import Moment
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused
from services.dispatch.reasons import Reason
from services.dispatch.states import DeclineCode, EndCode, OfferStatus

_TIME_BITS = 34
"""Seconds since 1970 fit in 34 bits until the year 2514; the caregiver's number stands above them."""


def busy_range(caregiver_number: int, starts_at: datetime, ends_at: datetime) -> Range[int]:
    """Caregiver and time in one ``int8range``, so that a core GiST index can exclude overlaps.

    ``btree_gist`` would allow ``(caregiver_id WITH =, during WITH &&)``, but the embedded PostgreSQL has
    no contrib extensions. Half-open: a visit may start the second another ends.
    """
    base = caregiver_number << _TIME_BITS
    return Range(base + int(starts_at.timestamp()), base + int(ends_at.timestamp()), bounds="[)")


class Offer(SQLModel, table=True):
    """One question to one caregiver: will you take this order at this time?

    ``sent_by`` is empty for the system, which then names its ``round_id`` and ``wave``; ``lent_by``: the helping
    centre whose caregiver she is. ``remind_at`` is when she is reminded, empty once she has been.
    """

    __tablename__ = "offer"
    __table_args__ = (
        Index(
            "offer_one_pending",
            "order_id",
            "caregiver_id",
            unique=True,
            postgresql_where="status IN ('sent', 'viewed')",
        ),
        Index("offer_expiry", "expires_at", postgresql_where="status IN ('sent', 'viewed')"),
        Index(
            "offer_reminder",
            "remind_at",
            postgresql_where="remind_at IS NOT NULL AND status IN ('sent', 'viewed')",
        ),
        Index("offer_lent", "centre_id", postgresql_where="lent_by IS NOT NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    status: OfferStatus = Field(sa_column=enum_column(OfferStatus))
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    sent_by: UUID | None = None
    sent_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decline_code: DeclineCode | None = Field(default=None, sa_column=enum_column(DeclineCode, nullable=True))
    decline_reason: str | None = None
    round_id: UUID | None = None
    wave: int | None = None
    score: float | None = None
    remind_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lent_by: UUID | None = Field(default=None, foreign_key="centre.id")
    version: int = 1


class Booking(SQLModel, table=True):
    """A caregiver's time given to an order. The exclusion constraint makes double booking impossible.

    ``assigned_by`` is empty for the system. An ended one keeps who ended it, when and why.
    """

    __tablename__ = "booking"
    __table_args__ = (
        ExcludeConstraint(("busy", "&&"), name="booking_no_overlap", using="gist", where="is_active"),
        Index("booking_one_active", "order_id", "caregiver_id", unique=True, postgresql_where="is_active"),
        Index("booking_caregiver_time", "caregiver_id", "starts_at", postgresql_where="is_active"),
        Index("booking_lent", "centre_id", postgresql_where="lent_by IS NOT NULL"),
        Index("booking_overridden", "centre_id", "id", postgresql_where="override IS NOT NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    busy: Any = Field(sa_column=Column(INT8RANGE, nullable=False))
    is_active: bool = True
    offer_id: UUID | None = Field(default=None, foreign_key="offer.id")
    assigned_by: UUID | None = None
    assigned_at: datetime = Field(sa_type=UtcDateTime)
    override: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    lent_by: UUID | None = Field(default=None, foreign_key="centre.id")
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: UUID | None = None
    end_code: EndCode | None = Field(default=None, sa_column=enum_column(EndCode, nullable=True))
    end_reason: str | None = None


class OffersCreate(BaseModel):
    """Whom to ask, and for how long. Without ``starts_at`` each is asked for her earliest possible start."""

    model_config = ConfigDict(extra="forbid")

    caregiver_ids: list[UUID] = Described(
        min_length=1, max_length=100, examples=[["0198c6f0-5b5e-7c3e-9d0f-3c0a8f3d2b11"]]
    )
    starts_at: Moment | None = None
    seconds: int | None = Described(None, ge=5, le=86_400, description="Time to answer.")


class DeclineRequest(BaseModel):
    """Why not."""

    model_config = ConfigDict(extra="forbid")

    code: DeclineCode = DeclineCode.OTHER
    reason: str = Described("", max_length=200, examples=["今天已经排满"])


class Override(BaseModel):
    """Passes what may be passed, and is kept, audited and shown on the order.

    Never passed: a licence, years of practice, a closed institution, the past, and a double booking.
    """

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=3, max_length=300)


class AssignRequest(BaseModel):
    """Who goes, decided by the dispatcher. ``caregiver_id`` is short for a list of one."""

    model_config = ConfigDict(extra="forbid")

    caregiver_ids: list[UUID] = Described([], max_length=4, examples=[["0198c6f0-5b5e-7c3e-9d0f-3c0a8f3d2b11"]])
    caregiver_id: UUID | None = None
    starts_at: Moment | None = None
    override: Override | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.caregiver_id is not None:
            self.caregiver_ids = [*self.caregiver_ids, self.caregiver_id]
            self.caregiver_id = None
        self.caregiver_ids = list(dict.fromkeys(self.caregiver_ids))
        if not self.caregiver_ids:
            raise refused("caregiver_missing", "caregiver_ids")
        return self


class ReleaseRequest(BaseModel):
    """Who is taken off an order, and why: ill, delayed, not wanted."""

    model_config = ConfigDict(extra="forbid")

    caregiver_id: UUID
    code: EndCode = EndCode.OTHER
    reason: str = Described(min_length=1, max_length=300, examples=["护工生病"])


class ReassignRequest(BaseModel):
    """Who goes instead, decided in one step: the order is never without anybody in between."""

    model_config = ConfigDict(extra="forbid")

    from_caregiver_id: UUID
    to_caregiver_id: UUID
    code: EndCode = EndCode.REASSIGNED
    reason: str = Described(min_length=1, max_length=300, examples=["原护理员临时请病假"])
    starts_at: Moment | None = Described(
        None, description="Empty: the same start. A team's start is never changed."
    )
    override: Override | None = None


class OfferPublic(BaseModel):
    """An offer. Until it is accepted it shows the place by area and distance, not by address."""

    id: UUID
    order_id: UUID
    caregiver_id: UUID
    caregiver_name: str
    resident_name: str = Described(description="Surname only, the rest masked.")
    area_code: str
    item_code: str
    item_name_zh: str
    item_name_en: str
    is_urgent: bool
    caregivers_required: int
    distance_m: int = Described(description="From the caregiver's home, straight line.")
    status: OfferStatus
    starts_at: datetime
    ends_at: datetime
    sent_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    decline_code: DeclineCode | None
    decline_reason: str | None
    wave: int | None = Described(description="Of an automatic round; empty: a dispatcher asked.")
    lent_by: UUID | None = Described(description="The helping centre whose caregiver she is.")
    visit_id: UUID | None = Described(None, description="Once accepted.")
    version: int


class OffersSent(BaseModel):
    """The offers that went out."""

    items: list[OfferPublic]


class SuggestionPublic(BaseModel):
    """A caregiver who fits, with the earliest start and the reasons behind the score (0–100)."""

    caregiver_id: UUID
    caregiver_name: str
    score: float
    starts_at: datetime
    ends_at: datetime
    travel_minutes: int
    distance_m: int
    reasons: list[Reason]


class RuledOutPublic(BaseModel):
    """A caregiver who does not fit, with every reason."""

    caregiver_id: UUID
    caregiver_name: str
    reasons: list[Reason]


class MoveProposal(BaseModel):
    """Who could come to an urgent order if a later visit of hers that is not urgent were moved. A proposal."""

    caregiver_id: UUID
    caregiver_name: str
    starts_at: datetime
    travel_minutes: int
    moved_order_id: UUID
    moved_item_name_zh: str
    moved_item_name_en: str
    moved_starts_at: datetime = Described(description="When the visit is booked now.")
    moved_to: datetime | None = Described(
        description="When she could do it after all, within its window; empty: somebody else must."
    )


class SuggestionsPublic(BaseModel):
    """Who could go. ``starts_at`` is the earliest start for as many of the best as the order still needs."""

    order_id: UUID
    caregivers_required: int
    caregivers_missing: int
    starts_at: datetime | None
    suggestions: list[SuggestionPublic]
    ruled_out: list[RuledOutPublic]
    if_moved: list[MoveProposal] = Described([], description="For an urgent order only.")
