"""Complaints as cases: parties, what they said, findings, appeal (FHIR has no word for it)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import BigInteger, Column, Identity, Index
from sqlmodel import Field, SQLModel

from services.complaints.states import ComplaintStatus
from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id


class ComplaintKind(StrEnum):
    """What it is about."""

    LATE = "late"
    NOT_COME = "not_come"
    QUALITY = "quality"
    MANNER = "manner"
    CHARGES = "charges"
    MONEY_TAKEN = "money_taken"  # a caregiver asked for or took money or things
    SAFETY = "safety"
    PRIVACY = "privacy"
    OTHER = "other"


class Outcome(StrEnum):
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    NOT_UPHELD = "not_upheld"


class Measure(StrEnum):
    """What follows from a finding."""

    APOLOGY = "apology"
    REPEAT_SERVICE = "repeat_service"
    REFUND = "refund"  # made in billing, which names this case
    TRAINING = "training"
    WARNING = "warning"
    SUSPENSION = "suspension"
    NONE = "none"


class PartyRole(StrEnum):
    COMPLAINANT = "complainant"
    CAREGIVER = "caregiver"
    CENTRE = "centre"


class EntryKind(StrEnum):
    STATEMENT = "statement"  # what a party says
    CALL = "call"
    EVIDENCE = "evidence"
    NOTE = "note"


class Complaint(SQLModel, table=True):
    """One case. ``number`` is what people say on the phone. ``due_at`` is the present step's deadline."""

    __tablename__ = "complaint"
    __table_args__ = (
        Index("complaint_centre", "centre_id", "id"),
        Index(
            "complaint_due",
            "due_at",
            postgresql_where="status IN ('received', 'investigating', 'decided', 'appealed')",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), unique=True, nullable=False)
    )
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    order_id: UUID | None = Field(default=None, foreign_key="service_order.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    kind: ComplaintKind = Field(sa_column=enum_column(ComplaintKind))
    is_serious: bool
    words: str
    status: ComplaintStatus = Field(sa_column=enum_column(ComplaintStatus))
    opened_by: UUID = Field(foreign_key="account.id")
    opened_role: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    overdue_told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    handled_by: UUID | None = None
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: Outcome | None = Field(default=None, sa_column=enum_column(Outcome, nullable=True))
    findings: str = ""
    measures: list[str] = Field(default_factory=list, sa_type=TextArray)
    decided_by: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    appeal_by: UUID | None = None
    appeal_words: str = ""
    appealed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_outcome: Outcome | None = Field(
        default=None, sa_column=enum_column(Outcome, check_name="first_outcome", nullable=True)
    )
    first_findings: str = ""
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class ComplaintParty(SQLModel, table=True):
    """Somebody whom the case concerns: a caregiver of the order's visits, or the centre itself."""

    __tablename__ = "complaint_party"
    __table_args__ = (Index("complaint_party_one", "complaint_id", "role", "caregiver_id", unique=True),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    complaint_id: UUID = Field(foreign_key="complaint.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    role: PartyRole = Field(sa_column=enum_column(PartyRole))
    caregiver_id: UUID | None = Field(default=None, foreign_key="caregiver.id", index=True)


class ComplaintEntry(SQLModel, table=True):
    """One line of the case's file; never changed. ``is_internal``: not shown to the household."""

    __tablename__ = "complaint_entry"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    complaint_id: UUID = Field(foreign_key="complaint.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    kind: EntryKind = Field(sa_column=enum_column(EntryKind))
    party: PartyRole | None = Field(
        default=None, sa_column=enum_column(PartyRole, check_name="entry_party", nullable=True)
    )
    caregiver_id: UUID | None = None
    is_internal: bool
    words: str
    written_by: UUID | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class ComplaintCreate(BaseModel):
    """What went wrong, in the resident's words; about one order or about the centre."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "resident_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "order_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e60",
                    "kind": "late",
                    "words": "约好九点，十点半才到，也没有打电话",
                }
            ]
        },
    )

    resident_id: UUID
    order_id: UUID | None = None
    kind: ComplaintKind
    words: str = Described(min_length=1, max_length=2000)


class EntryCreate(BaseModel):
    """A line for the file: a call, evidence, a note; or what a party said."""

    model_config = ConfigDict(extra="forbid")

    kind: EntryKind = Described(examples=["call"])
    party: PartyRole | None = Described(None, description="Whose words these are; none for a note.")
    caregiver_id: UUID | None = None
    is_internal: bool = Described(True, description="False shows it to the household.")
    words: str = Described(min_length=1, max_length=2000, examples=["电话询问护理员，承认迟到，因电动车故障"])


class StatementCreate(BaseModel):
    """A caregiver's own words."""

    model_config = ConfigDict(extra="forbid")

    words: str = Described(min_length=1, max_length=2000, examples=["电动车坏在路上，已向调度说明"])


class Decision(BaseModel):
    """What was found and what follows."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome = Described(examples=["upheld"])
    findings: str = Described(
        min_length=1, max_length=4000, examples=["迟到九十分钟且未告知，属实。已道歉，费用退还一半"]
    )
    measures: list[Measure] = Described(min_length=1, max_length=6, examples=[["apology", "refund"]])


class AppealCreate(BaseModel):
    """Why the finding is not right."""

    model_config = ConfigDict(extra="forbid")

    words: str = Described(min_length=1, max_length=2000, examples=["没有人来向我们核实过"])


class WithdrawRequest(BaseModel):
    """Why it is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=1, max_length=200, examples=["已经说清楚了"])


class EntryPublic(BaseModel):
    """A line of the file."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: EntryKind
    party: PartyRole | None
    caregiver_id: UUID | None
    is_internal: bool
    words: str
    at: datetime


class PartyPublic(BaseModel):
    """A party."""

    role: PartyRole
    caregiver_id: UUID | None
    name: str


class ComplaintSummary(BaseModel):
    """A case in a list."""

    id: UUID
    number: str = Described(description="To say on the phone.", examples=["TS-000042"])
    resident_id: UUID
    resident_name: str
    order_id: UUID | None
    centre_id: UUID
    kind: ComplaintKind
    is_serious: bool
    status: ComplaintStatus
    opened_at: datetime
    due_at: datetime | None
    is_overdue: bool
    outcome: Outcome | None
    version: int


class ComplaintPublic(ComplaintSummary):
    """A case as its reader may see it."""

    words: str
    parties: list[PartyPublic]
    entries: list[EntryPublic]
    taken_at: datetime | None
    decided_at: datetime | None
    findings: str
    measures: list[Measure]
    may_appeal_until: datetime | None
    appealed_at: datetime | None
    appeal_words: str
    first_outcome: Outcome | None
    first_findings: str
    ended_at: datetime | None


class ComplaintAboutMe(BaseModel):
    """A case as the caregiver sees it whom it concerns: not whose words brought it about."""

    id: UUID
    number: str
    kind: ComplaintKind
    order_id: UUID | None
    status: ComplaintStatus
    opened_at: datetime
    my_statements: list[str]
    outcome: Outcome | None
    findings: str
    measures: list[Measure]
    may_appeal_until: datetime | None
    version: int
