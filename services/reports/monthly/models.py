"""A month of home monitoring, as the clinician sees it."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.vitals.kinds import ReadingKind

NOTE_ZH: Final = "家庭监测数据汇总，供医务人员参考，不构成诊断。"
NOTE_EN: Final = "A summary of home measurements for the clinician. It is not a diagnosis."


class StretchPublic(BaseModel):
    """Days in a row without a good reading, both inclusive."""

    model_config = ConfigDict(from_attributes=True)

    first: date
    last: date


class BeyondLimits(BaseModel):
    """How many readings were at or beyond the limits of the resident's rules as they stand today.

    Of the mildest level. `count` is of the readings that are still kept: those of an old month are not.
    """

    low: float | None
    high: float | None
    beyond: int
    count: int
    share: float | None


class KindMonth(BaseModel):
    """One kind. Means count every good reading once; `null` where nothing was measured."""

    model_config = ConfigDict(from_attributes=True)

    kind: ReadingKind
    unit: str
    loinc: str | None
    days: int = Field(description="Days of the month that have begun.")
    days_measured: int
    adherence: float = Field(description="`days_measured` ÷ `days`.")
    is_complete: bool = Field(description="Something was measured on every one of these days.")
    count: int
    no_data: int = Field(description="Values that were no measurement: sensor off, or outside physiology.")
    mean: float | None
    minimum: float | None
    maximum: float | None
    morning_mean: float | None = Field(description="Blood pressure only.")
    evening_mean: float | None = Field(description="Blood pressure only.")
    gaps: list[StretchPublic]
    mean_before: float | None = Field(description="Of the month before.")
    change: float | None = Field(description="`mean` minus `mean_before`.")
    beyond_limits: BeyondLimits | None = Field(description="`null` where no rule has limits for the kind.")


class MonthAlerts(BaseModel):
    """The month's alerts of one kind and outcome; `outcome` is null while nobody has resolved them."""

    kind: str
    outcome: str | None
    count: int


class MonthlyVitals(BaseModel):
    """Home monitoring of one resident in one month of the business calendar."""

    resident_id: UUID
    month: str = Field(examples=["2026-11"])
    taken_at: datetime
    is_over: bool = Field(description="False while the month still runs: the numbers are those so far.")
    kinds: list[KindMonth] = Field(description="Kinds with a value in this month or the one before.")
    alerts: list[MonthAlerts]
    note_zh: str = NOTE_ZH
    note_en: str = NOTE_EN
