"""What the API takes and shows about rules."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.core.refused import refused
from services.rules.definitions import Attribute, Layer, RuleDefinition
from services.rules.layers import Reason

_WHY = Annotated[str, Field(min_length=2, max_length=500, examples=["夜间心率偏低为其常态，经门诊确认"])]
_EXAMPLE: dict[str, Any] = {
    "code": "heart_rate_limits",
    "kind": "heart_rate",
    "alert": "heart_rate",
    "condition": {"type": "n_of_m", "needed": 3, "of": 5},
    "levels": [
        {"severity": "warning", "limits": {"high": 120}},
        {"severity": "high", "limits": {"low": {"attribute": "heart_rate_low", "otherwise": 40}, "high": 131}},
    ],
    "margin": 5,
    "rearm_minutes": 30,
    "schedule": {"hours": [[22, 6]]},
    "source": "主治医师意见",
}


class RuleSave(BaseModel):
    """A new version of a rule in one layer. ``is_off`` switches it off there, with the reason on record."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"definition": _EXAMPLE, "is_off": False, "reason": "门诊调整"}},
    )

    definition: RuleDefinition
    is_off: bool = False
    reason: _WHY


class RulePreview(BaseModel):
    """A rule to try out on what was measured."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"definition": _EXAMPLE}})

    definition: RuleDefinition


class RulePublic(BaseModel):
    """A rule as it stands in one layer."""

    rule_id: UUID
    layer: Layer
    area_code: str
    centre_id: UUID | None
    resident_id: UUID | None
    kind: str
    code: str
    definition: RuleDefinition
    is_off: bool
    reason: str
    version: int
    account_id: UUID | None
    role: str
    at: datetime


class RuleVersionPublic(BaseModel):
    """One saved version: who, when, why."""

    id: UUID
    number: int
    definition: RuleDefinition
    is_off: bool
    reason: str
    account_id: UUID | None
    role: str
    at: datetime
    is_current: bool


class LevelPublic(BaseModel):
    """A severity with the numbers that count for this resident."""

    severity: str
    limits: dict[str, float]


class EffectiveRule(BaseModel):
    """What counts for a resident under one kind and code, and which layer it comes from."""

    kind: str
    code: str
    layer: Layer
    rule_id: UUID | None
    version: int | None
    is_off: bool
    reason: str = Field(description="Why it was saved; for a rule of the default set, the set's version.")
    levels: list[LevelPublic] = Field(description="Empty when it is off or cannot be judged.")
    fallbacks: list[str] = Field(
        description="Attributes this resident has not got, for which the rule's own number stands in."
    )
    definition: RuleDefinition | None


class NotEvaluablePublic(BaseModel):
    """A rule that cannot be judged, why, and what counts instead: a layer, or nothing."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    code: str
    layer: Layer
    reason: Reason
    detail: str
    instead: Layer | None


class ResidentRules(BaseModel):
    """The rules of one resident, and those that have nothing to judge."""

    resident_id: UUID
    effective: list[EffectiveRule]
    not_evaluable: list[NotEvaluablePublic]


class ResidentNotEvaluable(BaseModel):
    """One resident of a centre with rules that cannot be judged."""

    resident_id: UUID
    not_evaluable: list[NotEvaluablePublic]


class PreviewAlarm(BaseModel):
    """One alarm that a rule would have raised."""

    at: datetime
    severity: str
    side: str


class PreviewOutcome(BaseModel):
    """How many and when."""

    alarms: int
    times: list[PreviewAlarm]


class PreviewPublic(BaseModel):
    """What a rule would have raised in the last 30 days, beside what the present one would have."""

    resident_id: UUID
    kind: str
    code: str
    start: datetime
    end: datetime
    readings: int
    truncated: bool = Field(description="There were more readings; the newest were looked at.")
    proposed: PreviewOutcome | None = Field(description="`null`: not evaluable for this resident.")
    present: PreviewOutcome | None
    not_evaluable: list[NotEvaluablePublic]


class AttributeSet(BaseModel):
    """A resident's own figure, set by a clinician; ``value`` null withdraws it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "usual_spo2_low", "value": 88, "reason": "慢阻肺，门诊测得平时 88–92%"}
        },
    )

    name: Annotated[str, Field(min_length=1, max_length=60)]
    value: float | None
    reason: _WHY


class AttributePublic(BaseModel):
    """One setting of an attribute; the newest of a name counts."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    value: float | None
    reason: str
    set_by: UUID | None
    set_at: datetime


class DefaultRules(BaseModel):
    """The set under all layers, with its source, and the attributes that limits may refer to."""

    version: str
    source: str
    effective_date: str
    verified: bool
    protocol: list[str]
    rules: list[RuleDefinition]
    attributes: list[Attribute]


class MaintenanceStart(BaseModel):
    """Silence the rules for one terminal or one resident for some hours. SOS, fall and smoke stay as they are."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "terminal_id": "0198c6f0-5b5e-7c3e-9d0f-3c0a8f3d2b11",
                "hours": 2,
                "reason": "更换传感器",
            }
        },
    )

    resident_id: UUID | None = None
    terminal_id: UUID | None = None
    hours: Annotated[float, Field(gt=0, le=8760)]
    reason: _WHY

    @model_validator(mode="after")
    def _one_of_them(self) -> "MaintenanceStart":
        if (self.resident_id is None) == (self.terminal_id is None):
            raise refused("exactly_one", "resident_id", "terminal_id")
        return self


class MaintenanceEnd(BaseModel):
    """Why it ends before its time."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "传感器已更换"}})

    reason: _WHY


class MaintenancePublic(BaseModel):
    """One maintenance; ``silenced`` counts the alarms that rules would have raised."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    centre_id: UUID
    resident_id: UUID | None
    terminal_id: UUID | None
    reason: str
    started_at: datetime
    until_at: datetime
    started_by: UUID | None
    ended_at: datetime | None
    ended_by: UUID | None
    end_reason: str | None
    silenced: int
    is_running: bool
