"""What residents say of the service: ratings, and calls back to those who say little."""

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused
from services.quality.states import CallbackStatus


class Face(StrEnum):
    """What a rating looks like on the resident's page."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class RatedBy(StrEnum):
    """How a rating came."""

    APP = "app"
    PHONE = "phone"  # said when the centre called back


class Rating(SQLModel, table=True):
    """One rating an order, by the unique key; 1 (bad) to 5 (good), shown as three faces."""

    __tablename__ = "rating"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", unique=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    score: int
    tags: list[str] = Field(default_factory=list, sa_type=TextArray)
    words: str = ""
    channel: RatedBy = Field(default=RatedBy.APP, sa_column=enum_column(RatedBy, check_name="rating_channel"))
    rated_by: UUID = Field(foreign_key="account.id")
    rated_at: datetime = Field(sa_type=UtcDateTime)


class CallbackReason(StrEnum):
    """Why somebody is called back; the gravest one stands."""

    POOR_RATING = "poor_rating"
    FLAGGED_VISIT = "flagged_visit"
    FIRST_SERVICE = "first_service"
    SAMPLE = "sample"  # drawn by lot, so that nobody chooses whom to ask


class Callback(SQLModel, table=True):
    """One call back to a resident about one order (回访)."""

    __tablename__ = "callback"
    __table_args__ = (
        Index("callback_due", "centre_id", "due_by", postgresql_where="status = 'due'"),
        Index("callback_centre", "centre_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", unique=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    reason: CallbackReason = Field(sa_column=enum_column(CallbackReason))
    status: CallbackStatus = Field(sa_column=enum_column(CallbackStatus))
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_by: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    last_attempt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    called_by: UUID | None = None
    face: Face | None = Field(default=None, sa_column=enum_column(Face, nullable=True))
    came_on_time: bool | None = None
    work_done: bool | None = None
    charged_right: bool | None = None
    words: str = ""
    version: int = 1


class RatingCreate(BaseModel):
    """How it was: a face or a number, a few ready words, and what there is to add."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"face": "good", "tags": ["on_time"], "words": "很细心"}]}
    )

    face: Face | None = None
    score: int | None = Described(None, ge=1, le=5, strict=True, description="1 (bad) to 5 (good).")
    tags: list[str] = Described([], max_length=6, description="Codes of `GET /ratings/words`.")
    words: str = Described("", max_length=500)

    @model_validator(mode="after")
    def _face_or_score(self) -> Self:
        if (self.face is None) == (self.score is None):
            raise refused("exactly_one", "face", "score")
        return self


class RatingPublic(BaseModel):
    """A rating as it is shown."""

    id: UUID
    order_id: UUID
    score: int
    face: Face
    tags: list[str]
    words: str
    channel: RatedBy
    rated_at: datetime


class RatingWord(BaseModel):
    """A ready word, and the face beside which it is offered."""

    code: str
    zh: str
    en: str
    face: Face


class RatingWords(BaseModel):
    """Every ready word."""

    items: list[RatingWord]


class CallbackResult(BaseModel):
    """What the resident said on the phone; without an earlier rating the face becomes one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"face": "fair", "came_on_time": False, "work_done": True, "charged_right": True}]
        },
    )

    face: Face
    came_on_time: bool | None = None
    work_done: bool | None = None
    charged_right: bool | None = None
    words: str = Described("", max_length=500)


class CallbackPublic(BaseModel):
    """One call back. `is_overdue` is told by the clock of the answer."""

    id: UUID
    order_id: UUID
    resident_id: UUID
    resident_name: str
    item_name_zh: str
    item_name_en: str
    centre_id: UUID
    reason: CallbackReason
    status: CallbackStatus
    created_at: datetime
    due_by: datetime
    is_overdue: bool
    attempts: int
    last_attempt_at: datetime | None
    ended_at: datetime | None
    face: Face | None
    came_on_time: bool | None
    work_done: bool | None
    charged_right: bool | None
    words: str
    version: int
