"""Escalation policies: who is paged, in what order, through what, and for how long an acknowledgement holds."""

from datetime import datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ViewField
from sqlalchemy import SMALLINT, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from services.core.actor import Role
from services.core.columns import UtcDateTime
from services.core.ids import new_id
from services.notifications.models import Channel

STEPS_AT_MOST = 12


class EscalationPolicy(SQLModel, table=True):
    """One version of one policy; saving makes the next version and ends this one.

    ``centre_id`` null is the county's layer, whose ``area_code`` is the county's. Days are ISO weekdays (1 is
    Monday), hours those of the business calendar; ``from_time`` equal to ``until_time`` is the whole day, later
    than it goes over midnight.
    """

    __tablename__ = "escalation_policy"
    __table_args__ = (
        UniqueConstraint("policy_id", "version", name="escalation_policy_version"),
        CheckConstraint("min_severity BETWEEN 1 AND 4", name="escalation_policy_severity"),
        Index("escalation_policy_in_force", "area_code", postgresql_where="ended_at IS NULL"),
        Index("escalation_policy_one_current", "policy_id", unique=True, postgresql_where="ended_at IS NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    policy_id: UUID
    version: int = 1
    centre_id: UUID | None = Field(default=None, foreign_key="centre.id")
    area_code: str
    name: str
    min_severity: int
    weekdays: list[int] = Field(sa_type=ARRAY(SMALLINT))
    from_time: time
    until_time: time
    document: dict[str, Any] = Field(sa_type=JSONB)
    saved_by: UUID | None = None
    saved_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Who(StrEnum):
    """One line of a step's list of people."""

    DUTY = "duty"  # who is on duty in the role at the alert's centre
    ALL = "all"  # everybody with the role at the alert's centre
    NEIGHBOUR = "neighbour"  # who is on duty at the nearest other centre that has somebody on duty
    COUNTY = "county"  # the county's people on duty
    RELATION = "relation"  # the resident's family or doctor
    CONTACTS = "contacts"  # the resident's emergency contacts, in their order


class Relation(StrEnum):
    FAMILY = "family"
    VILLAGE_DOCTOR = "village_doctor"
    FAMILY_DOCTOR = "family_doctor"


class Recipients(BaseModel):
    """Whom a step pages: `role` for the desk's people, `relation` or `first` for the resident's own."""

    model_config = ConfigDict(frozen=True)

    who: Who
    role: Role | None = ViewField(None, examples=["dispatcher"])
    relation: Relation | None = ViewField(None, examples=[None])
    first: int | None = ViewField(None, description="How many emergency contacts.", examples=[None])


class Repeats(BaseModel):
    """How often the step pages again before the next one."""

    model_config = ConfigDict(frozen=True)

    count: int = 0
    every_seconds: int = 60


class Step(BaseModel):
    """One rung. `after_seconds` counts from the alert, or from the beginning of a further round."""

    model_config = ConfigDict(frozen=True)

    after_seconds: int
    recipients: tuple[Recipients, ...]
    channels: tuple[Channel, ...]
    repeats: Repeats = Repeats()
    all_must_acknowledge: bool = ViewField(
        False,
        description="Page those who have not acknowledged again, every `repeats.every_seconds`, until all have.",
    )


class PolicyDocument(BaseModel):
    """The ladder itself; a copy of it is frozen on every alert. All times in seconds."""

    model_config = ConfigDict(frozen=True)

    steps: tuple[Step, ...] = ViewField(max_length=STEPS_AT_MOST)
    loop_seconds: int = ViewField(description="Pause after the last step before the ladder begins again.")
    acknowledged_lease_seconds: int
    responding_lease_seconds: int
    on_scene_lease_seconds: int


class PolicyChange(BaseModel):
    """A policy as it is to be from now on."""

    name: str = ViewField(min_length=1, max_length=80, examples=["夜间紧急"])
    min_severity: int = ViewField(4, description="1 notice, 2 warning, 3 high, 4 life safety.", examples=[4])
    weekdays: list[int] = ViewField([1, 2, 3, 4, 5, 6, 7], max_length=7, description="1 is Monday.")
    from_time: time = ViewField(time(0), description="Business calendar.", examples=["22:00"])
    until_time: time = ViewField(time(0), examples=["06:00"])
    document: PolicyDocument = ViewField(
        examples=[
            {
                "steps": [
                    {
                        "after_seconds": 0,
                        "recipients": [{"who": "duty", "role": "dispatcher"}],
                        "channels": ["app", "voice"],
                    },
                    {
                        "after_seconds": 60,
                        "recipients": [{"who": "county", "role": "county_officer"}],
                        "channels": ["app", "voice"],
                    },
                ],
                "loop_seconds": 120,
                "acknowledged_lease_seconds": 600,
                "responding_lease_seconds": 2700,
                "on_scene_lease_seconds": 7200,
            }
        ]
    )


class NewPolicy(PolicyChange):
    """A new policy of a centre, or of the county when `centre_id` is left out."""

    centre_id: UUID | None = ViewField(None, examples=[None])


class PolicyWarning(BaseModel):
    """Something weak in a policy that is allowed all the same. The code is stable."""

    code: str = ViewField(examples=["no_phone_channel"])
    zh: str
    en: str


class PolicyPublic(BaseModel):
    """One version of a policy."""

    policy_id: UUID
    version: int
    centre_id: UUID | None
    area_code: str
    name: str
    min_severity: int
    weekdays: list[int]
    from_time: time
    until_time: time
    document: PolicyDocument
    saved_by: UUID | None
    saved_at: datetime
    ended_at: datetime | None
    warnings: list[PolicyWarning] = ViewField(
        [], description="What is weak about it for life safety; it is in force."
    )


class PreviewPerson(BaseModel):
    """Somebody who would be paged. The resident's own people depend on the resident and are not named."""

    account_id: UUID
    display_name: str
    role: Role
    centre_id: UUID | None
    why: str


class PreviewStep(BaseModel):
    """One rung, as it would be now."""

    step: int
    after_seconds: int
    people: list[PreviewPerson]
    nobody: bool = ViewField(description="Nobody of the desk: the ladder would go on at once.")
    of_the_resident: list[str] = ViewField(description="`family`, `village_doctor`, `contacts`, …")
    channels: list[Channel]


class PolicyPreview(BaseModel):
    """Who would be paged now for an alert of a severity at a centre."""

    centre_id: UUID
    severity: int
    at: datetime
    policy_id: UUID | None = ViewField(description="`null`: the default policy.")
    version: int | None
    name: str
    steps: list[PreviewStep]
    warnings: list[PolicyWarning] = ViewField(description="What is weak about it; for severity 4 only.")
