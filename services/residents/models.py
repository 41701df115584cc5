"""Older residents, their emergency contacts, and who may act for them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field, SQLModel

from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"


class Resident(SQLModel, table=True):
    """A person who is cared for. Phone and ID number are kept sealed, with a keyed hash to find them; so are
    the place and code of the key box, which open on the emergency card only.

    ``categories`` are payer tags (特困, 低保, 失能, …); ``conditions`` are plain names of known diseases.
    """

    __tablename__ = "resident"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    area_code: str = Field(index=True)
    name: str
    gender: Gender = Field(sa_column=enum_column(Gender))
    birth_date: date
    address: str
    latitude: float
    longitude: float
    access_note: str = ""
    key_box_encrypted: str | None = None
    phone_encrypted: str | None = None
    phone_lookup: str | None = Field(default=None, index=True)
    id_number_encrypted: str | None = None
    id_number_lookup: str | None = Field(default=None, unique=True)
    conditions: list[str] = Field(default_factory=list, sa_type=TextArray)
    allergies: list[str] = Field(default_factory=list, sa_type=TextArray)
    medicines: list[str] = Field(default_factory=list, sa_type=TextArray)
    categories: list[str] = Field(default_factory=list, sa_type=TextArray)
    preferred_gender: Gender | None = Field(
        default=None, sa_column=enum_column(Gender, check_name="preferred_gender", nullable=True)
    )
    dialect: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class EmergencyContact(SQLModel, table=True):
    """Whom to call, in order."""

    __tablename__ = "emergency_contact"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    area_code: str
    call_order: int
    name: str
    relation: str
    phone_encrypted: str


class RelationKind(StrEnum):
    SELF = "self"
    FAMILY = "family"
    GUARDIAN = "guardian"
    VILLAGE_DOCTOR = "village_doctor"
    FAMILY_DOCTOR = "family_doctor"


class CareRelationship(SQLModel, table=True):
    """An account that may act for a resident, with the consent it rests on and its end."""

    __tablename__ = "care_relationship"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    area_code: str
    kind: RelationKind = Field(sa_column=enum_column(RelationKind))
    may_order: bool = True
    may_see_health: bool = False
    consented_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ResidentSummary(SQLModel):
    """A resident in a list: nothing of health, no number."""

    id: UUID
    area_code: str
    name: str
    gender: Gender
    age: int
    address: str


class ResidentHealth(SQLModel):
    """What a carer must know."""

    conditions: list[str]
    allergies: list[str]
    medicines: list[str]


class ResidentPublic(ResidentSummary):
    """A resident, as far as the reader's role and relationship go; what they do not reach is ``null``."""

    birth_date: date | None
    phone_masked: str | None = Field(schema_extra={"examples": ["138****1234"]})
    id_number_masked: str | None = Field(schema_extra={"examples": ["4301**********002X"]})
    latitude: float | None
    longitude: float | None
    categories: list[str] | None
    preferred_gender: Gender | None
    dialect: str
    health: ResidentHealth | None
    version: int


class Revealable(StrEnum):
    PHONE = "phone"
    ID_NUMBER = "id_number"


class RevealRequest(SQLModel):
    """Which number is needed, and what for; the purpose stands in the resident's access log."""

    field: Revealable
    purpose: str = Field(min_length=2, max_length=200, schema_extra={"examples": ["电话确认上门时间"]})


class Revealed(SQLModel):
    """The number in full."""

    field: Revealable
    value: str


class KeyBox(SQLModel):
    """Where the key of a home is, and the code of its box; empty takes it off the record."""

    key_box: str = Field(max_length=200, schema_extra={"examples": ["门左侧电表箱内，密码见贴纸背面"]})


class KeyBoxKept(SQLModel):
    """That it is on record. What it says stands on the emergency card only."""

    resident_id: UUID
    is_recorded: bool
    version: int


class ContactCard(SQLModel):
    """Whom to call."""

    call_order: int
    name: str
    relation: str
    phone: str


class EmergencyCard(SQLModel):
    """Everything a responder needs at once, on one screen."""

    resident_id: UUID
    name: str
    gender: Gender
    age: int
    phone: str | None
    address: str
    latitude: float
    longitude: float
    access_note: str
    key_box: str | None = Field(description="Where the key is, and the code of its box.")
    dialect: str
    categories: list[str]
    conditions: list[str]
    allergies: list[str]
    medicines: list[str]
    contacts: list[ContactCard]


class ResidentInCare(SQLModel):
    """A resident that the signed-in account may act for."""

    id: UUID
    name: str
    area_code: str
    relation: RelationKind
    may_order: bool
    may_see_health: bool
