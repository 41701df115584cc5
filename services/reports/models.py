"""What the read models that look across domains give."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.billing.states import SettlementStatus
from services.catalogue.models import Category
from services.dispatch.states import OfferStatus
from services.orders.models import OrderPublic
from services.orders.states import OrderStatus
from services.visits.incidents.models import IncidentKind, IncidentSeverity
from services.visits.incidents.states import IncidentStatus
from services.visits.states import VisitStatus
from services.visits.watch.models import IssueKind


class OfferBrief(BaseModel):
    """An offer beside its order."""

    id: UUID
    caregiver_id: UUID
    caregiver_name: str
    status: OfferStatus
    starts_at: datetime
    expires_at: datetime
    decline_reason: str | None


class BookingBrief(BaseModel):
    """Who has the order, and when."""

    id: UUID
    caregiver_id: UUID
    caregiver_name: str
    starts_at: datetime
    ends_at: datetime
    override: dict[str, Any] | None = Field(None, description="Reason and issues, where one was used.")


class VisitBrief(BaseModel):
    """A visit without its health data."""

    id: UUID
    caregiver_id: UUID
    caregiver_name: str
    status: VisitStatus
    starts_at: datetime
    ends_at: datetime
    en_route_at: datetime | None
    care_started_at: datetime | None
    care_ended_at: datetime | None
    flags: list[str]


class OrderDetail(OrderPublic):
    """An order with everything that became of it. The household sees no offers."""

    offers: list[OfferBrief]
    bookings: list[BookingBrief]
    visits: list[VisitBrief]
    settlement_status: SettlementStatus | None
    rating_score: int | None


class BoardOffer(BaseModel):
    """A caregiver who is thinking."""

    offer_id: UUID
    caregiver_id: UUID
    caregiver_name: str
    expires_at: datetime


class BoardVisit(BaseModel):
    """A visit on the board."""

    visit_id: UUID
    caregiver_id: UUID
    caregiver_name: str
    status: VisitStatus
    starts_at: datetime
    flags: list[str]
    issues: list[IssueKind] = Field([], description="What goes wrong with it now: late, missed, …")


class BoardOrder(BaseModel):
    """An order on the board."""

    id: UUID
    resident_id: UUID
    resident_name: str = Field(description="Surname only, the rest masked.")
    area_code: str
    area_name_zh: str | None
    area_name_en: str | None
    item_code: str
    item_name_zh: str
    item_name_en: str
    category: Category
    status: OrderStatus
    is_urgent: bool
    placed_at: datetime
    window_start: datetime
    window_end: datetime
    caregivers_required: int
    caregivers_booked: int
    version: int
    offers: list[BoardOffer]
    visits: list[BoardVisit]


class BoardColumns(BaseModel):
    """Open orders by status, and ended ones whose visit a person must look at."""

    placed: list[BoardOrder] = []
    offered: list[BoardOrder] = []
    assigned: list[BoardOrder] = []
    in_progress: list[BoardOrder] = []
    flagged: list[BoardOrder] = []


class BoardIncident(BaseModel):
    """Something that happened at a visit, not closed yet."""

    id: UUID
    visit_id: UUID
    resident_id: UUID
    resident_name: str = Field(description="Surname only, the rest masked.")
    caregiver_id: UUID
    caregiver_name: str
    kind: IncidentKind
    severity: IncidentSeverity
    status: IncidentStatus
    occurred_at: datetime
    version: int


class BoardAlert(BaseModel):
    """A live alert on the board: the centre's own, or another centre's that it was asked to help with."""

    id: UUID
    kind: str
    severity: int
    status: str
    resident_id: UUID | None
    resident_name: str | None = Field(description="Surname only, the rest masked.")
    area_code: str
    since: datetime
    occurrences: int
    version: int
    aided: bool = Field(description="Another centre's, which has asked this one for help.")
    centre_id: UUID = Field(description="Whose alert it is.")
    centre_name_zh: str
    centre_name_en: str


class BoardFault(BaseModel):
    """A live fault of a terminal on the board."""

    id: UUID
    terminal_id: UUID
    kind: str
    sensor: str
    is_life_safety: bool
    status: str
    resident_id: UUID | None
    resident_name: str | None = Field(description="Surname only, the rest masked.")
    area_code: str
    room: str
    since: datetime
    last_heard_at: datetime | None
    assigned_account_id: UUID | None
    version: int


class BoardPublic(BaseModel):
    """A centre's board at one moment; `truncated` when there was more than fits."""

    centre_id: UUID
    at: datetime
    columns: BoardColumns
    alerts: list[BoardAlert]
    faults: list[BoardFault] = Field(description="Of its terminals: those a life depends on first.")
    tests_overdue: int = Field(description="Terminals without their monthly test call.")
    incidents: list[BoardIncident] = Field(description="At visits, not closed yet; severe ones first.")
    conflicts_open: int = Field(description="Acts of offline work that did not fit and wait for somebody.")
    truncated: bool
