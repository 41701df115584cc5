"""The button that a caregiver presses for herself, and what she is told."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from services.alerts.states import AlertStatus
from services.core.calendar import Moment


class PanicPress(BaseModel):
    """One press. Only the id is asked for: an alarm is never refused for want of a position or a clock."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "id": "0198c6f0-5b5e-7c3e-9d0f-3c0a8f3d2b11",
                    "device_at": "2026-11-24T10:05:00+08:00",
                    "latitude": 28.3012,
                    "longitude": 113.2044,
                    "accuracy_m": 15,
                }
            ]
        },
    )

    id: UUID = Described(description="Made by the phone, anew for every press; the same id is the same press.")
    device_at: Moment | None = None
    latitude: float | None = Described(None, ge=-90, le=90)
    longitude: float | None = Described(None, ge=-180, le=180)
    accuracy_m: float | None = Described(None, ge=0, le=100_000)


class PanicState(BaseModel):
    """Her newest press, if she has ever pressed."""

    press: "PanicPublic | None"


class PanicPublic(BaseModel):
    """That the centre has it, and how far help has come."""

    press_id: UUID
    alert_id: UUID
    status: AlertStatus
    received_at: datetime
    acknowledged_at: datetime | None
    responding_at: datetime | None
    is_repeat: bool = Described(False, description="This very press had come in before.")
    words_zh: str
    words_en: str
