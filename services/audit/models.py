"""Who read whose data: the log that the resident can see."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from services.core.columns import TextArray, UtcDateTime
from services.core.ids import new_id


class AccessLog(SQLModel, table=True):
    """One read of one resident's personal or health data (PIPL art 51, 54: user-level audit)."""

    __tablename__ = "access_log"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    resident_id: UUID = Field(index=True)
    area_code: str
    account_id: UUID | None = None
    role: str
    reader_name: str
    resource: str
    purpose: str
    fields: list[str] = Field(default_factory=list, sa_type=TextArray)


class AccessLogPublic(SQLModel):
    """One read, as the resident sees it."""

    id: UUID
    at: datetime
    resident_id: UUID
    reader_name: str
    role: str
    resource: str = Field(description="What was opened, such as `resident` or `vitals`.")
    fields: list[str] = Field(description="Names of what was shown; never values.")
    purpose: str


class AuditedReadPublic(AccessLogPublic):
    """One read, as a supervisor sees it."""

    account_id: UUID | None
    area_code: str
