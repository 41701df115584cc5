"""What the API takes and gives of credentials."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.caregivers.states import CredentialStatus
from services.core.calendar import Day
from services.core.refused import refused


class CredentialFields(BaseModel):
    """What stands on a licence or certificate."""

    model_config = ConfigDict(extra="forbid")

    issuer: str = Field(min_length=2, max_length=80, examples=["示范发证机关（虚构）"])
    number: str | None = Field(
        None,
        min_length=2,
        max_length=60,
        description="Kept sealed. Null leaves it as it is.",
        examples=["SF12345678"],
    )
    scope: str = Field("", max_length=200, description="What it is registered for.", examples=["内科护理"])
    level: int | None = Field(None, ge=1, le=5, description="Skill grade of a care worker, 1 highest.")
    valid_from: Day = Field(examples=["2024-01-01"])
    valid_until: Day = Field(examples=["2028-12-31"], description="The last day on which it counts.")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.valid_until < self.valid_from:
            raise refused("last_day_before_first", "valid_from", "valid_until")
        return self


class NewCredential(CredentialFields):
    """A credential to record. It counts once somebody has verified it."""

    kind: str = Field(min_length=1, max_length=40, examples=["nurse_licence"])


class CheckNote(BaseModel):
    """How it was verified."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=300, examples=["已核对原件与注册系统"])


class RefusalNote(BaseModel):
    """Why it does not count, or no longer."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=2, max_length=300, examples=["注册已注销"])


class CredentialPublic(BaseModel):
    """One credential; its number is masked."""

    id: UUID
    caregiver_id: UUID
    kind: str
    kind_zh: str
    kind_en: str
    issuer: str
    number_masked: str | None = Field(examples=["******5678"])
    scope: str
    level: int | None
    valid_from: date
    valid_until: date
    status: CredentialStatus
    counts_today: bool = Field(description="Verified, and today lies within its days.")
    days_left: int = Field(description="Until the last day; negative: over.")
    checked_by: UUID | None
    checked_at: datetime | None
    check_note: str
    revoked_at: datetime | None
    version: int
