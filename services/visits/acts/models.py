"""Acts of a visit: what a phone sends of what was done without network, and what becomes of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.calendar import Moment
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.visits.acts.states import ActStatus
from services.visits.states import VisitStatus


class VisitAct(SQLModel, table=True):
    """One act as a phone sent it, word for word, and what became of it. The same ``client_id`` counts once.

    ``visit_id`` is what the phone said: a conflict may name a visit that is not hers, so it is no foreign key.
    """

    __tablename__ = "visit_act"
    __table_args__ = (
        UniqueConstraint("caregiver_id", "client_id", name="visit_act_once"),
        Index("visit_act_visit", "visit_id", "device_id", "seq"),
        Index("visit_act_conflicts", "centre_id", "id", postgresql_where="status = 'conflict'"),
        Index("visit_act_waiting", "received_at", postgresql_where="status = 'waiting'"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    client_id: UUID
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    visit_id: UUID
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    device_id: str
    seq: int
    kind: str
    device_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    said: dict[str, Any] = Field(sa_type=JSONB)
    status: ActStatus = Field(sa_column=enum_column(ActStatus))
    code: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    settled_by: UUID | None = None
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_note: str | None = None
    version: int = 1


class ActKind(StrEnum):
    """What can be done at a visit; ``said`` is the body of the verb of the same name."""

    SET_OUT = "set_out"
    CHECK_IN = "check_in"
    TASK = "task"
    READING = "reading"
    SUPPLY = "supply"
    NOTE = "note"
    PROOF = "proof"
    INCIDENT = "incident"
    NO_SHOW = "no_show"
    CHECK_OUT = "check_out"


class OfflineAct(BaseModel):
    """One thing that was done, in the order in which it was done."""

    model_config = ConfigDict(extra="forbid")

    id: UUID = Described(description="Made by the phone; the same id always has the same answer.")
    seq: int = Described(
        ge=1, le=1_000_000, description="1, 2, 3 … for the acts of one visit on one phone, without a gap."
    )
    visit_id: UUID
    do: str = Described(max_length=40, description="One of " + ", ".join(f"`{kind}`" for kind in ActKind))
    device_at: Moment = Described(description="The phone's own time of the act.")
    said: dict[str, Any] = Described(
        {}, description="The body of the online verb of that name; `device_at` may be left out of it."
    )


class SyncRequest(BaseModel):
    """Everything that waited on a phone, in one go or in parts, in any order."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "device_id": "phone-7f3a",
                    "sent_at": "2026-11-24T11:30:00+08:00",
                    "acts": [
                        {
                            "id": "0198c6f0-5b5e-7c3e-9d0f-3c0a8f3d2b11",
                            "seq": 1,
                            "visit_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                            "do": "check_in",
                            "device_at": "2026-11-24T09:02:00+08:00",
                            "said": {"start_code": "8307", "latitude": 28.3, "longitude": 113.2},
                        }
                    ],
                }
            ]
        },
    )

    device_id: str = Described(
        min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._:-]+$", description="Which phone."
    )
    sent_at: Moment | None = Described(
        None, description="The phone's clock now: tells a wrong clock from waiting."
    )
    acts: list[OfflineAct] = Described(min_length=1, max_length=200)


class ActAnswer(BaseModel):
    """What became of one act. ``applied``, ``repeated``: the phone may forget it. ``conflict``: kept for the
    dispatcher, the phone may forget it too. ``waiting``: kept; send what is missing."""

    id: UUID
    seq: int
    visit_id: UUID
    result: Literal["applied", "repeated", "waiting", "conflict"]
    became: ActStatus = Described(description="How it stands now; of a repeated one, what the first became.")
    code: str | None = Described(None, description="Stable; see docs/visits.md.")
    words_zh: str | None = None
    words_en: str | None = None
    detail: dict[str, Any] = Described({}, description="For example `missing`: numbers still to come.")


class SyncedVisit(BaseModel):
    """How a visit stands after the batch."""

    visit_id: UUID
    status: VisitStatus
    version: int
    flags: list[str]


class SyncAnswer(BaseModel):
    """One answer for each act, in the order of the request, then what else has come free by them."""

    items: list[ActAnswer]
    released: list[ActAnswer] = Described([], description="Acts of earlier batches that had waited for these.")
    visits: list[SyncedVisit]


class ConflictPublic(BaseModel):
    """An act that could not be taken as it was, kept word for word."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    client_id: UUID
    visit_id: UUID
    resident_id: UUID | None
    caregiver_id: UUID
    centre_id: UUID
    kind: str
    device_at: datetime
    received_at: datetime
    status: ActStatus
    code: str
    words_zh: str
    words_en: str
    said: dict[str, Any]
    detail: dict[str, Any]
    settled_at: datetime | None
    settled_note: str | None
    version: int


class SettleConflict(BaseModel):
    """What the dispatcher has done about a conflict."""

    model_config = ConfigDict(extra="forbid")

    note: str = Described(min_length=1, max_length=500, examples=["已电话核实，按实际服务补录订单"])
