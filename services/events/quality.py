"""What residents say."""

from typing import ClassVar
from uuid import UUID

from services.core.outbox import Event


class OrderRated(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "order.rated"
    order_id: UUID
    score: int


class ComplaintMoved(Event, frozen=True, kw_only=True):
    """Received, investigating, decided, appealed, closed or withdrawn."""

    name: ClassVar[str] = "complaint.moved"
    complaint_id: UUID
    status: str
