"""Missing test calls: the list of them, and when a centre was last told of it."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from services.core.columns import UtcDateTime
from services.terminals.models import TerminalKind


class DigestOfTests(SQLModel, table=True):
    """When a centre was last sent its list of terminals without a test call: once a day, and only when it grew."""

    __tablename__ = "test_digest"

    centre_id: UUID = Column(foreign_key="centre.id", primary_key=True)
    area_code: str
    sent_at: datetime = Column(sa_type=UtcDateTime)


class OverdueTest(BaseModel):
    """A terminal that has not been tested for longer than its profile allows."""

    terminal_id: UUID
    serial: str
    kind: TerminalKind
    area_code: str
    resident_id: UUID | None
    room: str
    last_test_at: datetime | None = Field(description="Null when there never was one.")
    due_at: datetime
    days_overdue: int = Field(description="Whole days since it was due.")
