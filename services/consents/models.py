"""What a resident has agreed to: for which purpose, given by whom, how, after reading which text, until when."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from services.core.calendar import Day
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class ConsentPurpose(StrEnum):
    """One purpose a consent: health data wants separate consent for each (PIPL arts 23, 29)."""

    HOME_NURSING = "home_nursing"  # scope: an item's code, a category, or none for all home nursing
    VISIT_PHOTOS = "visit_photos"  # no scope
    FAMILY_FEED = "family_feed"  # scope: the account that may follow her visits
    DATA_SHARING = "data_sharing"  # scope: the institution that receives


class Giver(StrEnum):
    RESIDENT = "resident"
    GUARDIAN = "guardian"


class ConsentMethod(StrEnum):
    IN_APP = "in_app"
    SIGNATURE = "signature"  # on paper; `evidence` says where it is kept
    SPOKEN = "spoken"  # recorded by the staff member who heard it


class ConsentEnd(StrEnum):
    REVOKED = "revoked"
    REPLACED = "replaced"  # given anew: another text, another way, another term


class Consent(SQLModel, table=True):
    """One consent. It ends once and is never deleted or changed: the rows are the history.

    ``scope`` is empty for a purpose that needs none, or for all of it. In force: not ended, and not past
    ``valid_until`` (the last day, in the business calendar).
    """

    __tablename__ = "consent"
    __table_args__ = (
        Index(
            "consent_once",
            "resident_id",
            "purpose",
            "scope",
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
        Index("consent_resident", "resident_id", "id"),
        CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name="consent_end_whole"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    purpose: ConsentPurpose = Field(sa_column=enum_column(ConsentPurpose))
    scope: str = ""
    giver: Giver = Field(sa_column=enum_column(Giver))
    giver_name: str = ""
    how: ConsentMethod = Field(sa_column=enum_column(ConsentMethod))
    text_version: str
    evidence: str = ""
    given_at: datetime = Field(sa_type=UtcDateTime)
    valid_until: date | None = None
    recorded_by: UUID | None = Field(default=None, foreign_key="account.id")
    recorded_role: str
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_how: ConsentEnd | None = Field(default=None, sa_column=enum_column(ConsentEnd, nullable=True))
    ended_by: UUID | None = Field(default=None, foreign_key="account.id")
    end_reason: str = ""


class ConsentText(BaseModel):
    """What is shown or read out before somebody agrees (PIPL arts 17, 30)."""

    purpose: ConsentPurpose
    version: str
    effective_date: date
    verified: bool = Described(description="False: a draft of the project that no lawyer has gone through.")
    source: str
    zh: str
    en: str


class ConsentGive(BaseModel):
    """A consent as it was given. In the app: by the resident herself or her guardian, for nobody else."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "purpose": "home_nursing",
                    "scope": "nursing",
                    "giver": "resident",
                    "how": "signature",
                    "text_version": "2026-11",
                    "evidence": "镇卫生院档案柜 3-12",
                }
            ]
        },
    )

    purpose: ConsentPurpose
    scope: str | None = Described(
        None,
        max_length=60,
        description="Home nursing: an item's code or a category, or none for all of it. Family feed: the account's"
        " id. Data sharing: who receives. Photos: none.",
    )
    giver: Giver = Giver.RESIDENT
    giver_name: str = Described("", max_length=40, description="The guardian's name, where staff records it.")
    how: ConsentMethod
    text_version: str = Described(min_length=1, max_length=20, description="Of the text that was shown.")
    evidence: str = Described("", max_length=200, description="Where the signed paper is kept, who else heard it.")
    valid_until: Day | None = Described(None, description="The last day; none: until it is revoked.")


class ConsentRevoke(BaseModel):
    """A resident owes nobody a reason."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "不想再拍照"}]})

    reason: str = Described("", max_length=200)


class ConsentPublic(BaseModel):
    """One consent, in force or ended."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    resident_id: UUID
    purpose: ConsentPurpose
    scope: str
    giver: Giver
    giver_name: str
    how: ConsentMethod
    text_version: str
    evidence: str
    given_at: datetime
    valid_until: date | None
    recorded_role: str
    is_in_force: bool
    ended_at: datetime | None
    ended_how: ConsentEnd | None
    end_reason: str
