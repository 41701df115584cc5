"""A caregiver's own call for help, as its alert shows it."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from pydantic import Field as Described
from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.ids import new_id


class CaregiverPanic(SQLModel, table=True):
    """One press of the button with where she was. The newest of an alert is what the screen shows.

    Name and sealed number stand here as well, because a centre that is asked to help sees the alert and not the
    file of another centre's caregiver.
    """

    __tablename__ = "caregiver_panic"
    __table_args__ = (
        UniqueConstraint("caregiver_id", "client_id", name="caregiver_panic_once"),
        Index("caregiver_panic_alert", "alert_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    client_id: UUID
    alert_id: UUID | None = Field(default=None, foreign_key="alert.id")
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    name: str
    phone_encrypted: str | None = None
    phone_purpose: str | None = None
    pressed_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    visit_id: UUID | None = None
    visit_address: str | None = None
    visit_latitude: float | None = None
    visit_longitude: float | None = None


class PanicCaller(BaseModel):
    """Who calls for help, how to reach her, where she was last."""

    caregiver_id: UUID
    name: str
    phone: str | None
    presses: int
    latitude: float | None = Described(description="Last position; the newest that a press told.")
    longitude: float | None
    accuracy_m: float | None
    position_at: datetime | None = Described(description="By the phone's clock.")
    visit_id: UUID | None = Described(description="The visit she was at, or on the way to.")
    visit_address: str | None
    visit_latitude: float | None
    visit_longitude: float | None
