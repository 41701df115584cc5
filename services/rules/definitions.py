"""What a rule is: kind of reading × condition × severity levels × schedule. Pure, and validated when made.

A limit is a number or an attribute of the resident (``{"attribute": "usual_spo2_low"}``), optionally moved
(``plus``) and with a number to fall back on (``otherwise``). Which rule counts for whom: ``layers.py``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.models import AlertKind
from services.alerts.states import Severity
from services.core.clock import BUSINESS_ZONE
from services.rules.conditions import AnyCondition
from services.rules.errors import InvalidRule
from services.vitals.kinds import ReadingKind
from services.vitals.plausibility import LIMITS

EARLY_WARNING = "early_warning"
"""Stands where a rule's kind of reading stands, for the rule that looks at several kinds together."""


class Layer(StrEnum):
    """From far to near; the nearest wins per kind and rule code."""

    DEFAULT = "default"
    PROFILE = "profile"
    COUNTY = "county"
    CENTRE = "centre"
    RESIDENT = "resident"


NEARNESS = {layer: place for place, layer in enumerate(Layer)}


class RuleSeverity(StrEnum):
    """How grave a level is. Life safety is not among them: it is for what a person presses."""

    NOTICE = "notice"
    WARNING = "warning"
    HIGH = "high"

    @property
    def rank(self) -> Severity:
        """The severity of the alert."""
        return Severity[self.name]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AttributeLimit(_Part):
    """The resident's own figure; without one ``otherwise`` counts, and without that the rule cannot be judged."""

    attribute: Annotated[str, Field(min_length=1, max_length=60)]
    plus: float = 0
    otherwise: float | None = None


Limit = float | AttributeLimit


class Level(_Part):
    """One step of severity with its limits; which names of limits there are is the condition's."""

    severity: RuleSeverity
    limits: dict[str, Limit]


class Schedule(_Part):
    """When the rule counts, in the calendar of Asia/Shanghai. ``hours`` are [from, until) pairs of whole hours.

    A pair whose end is not after its start runs over midnight. ``days``: 1 Monday … 7 Sunday, of the day on
    which the reading was taken.
    """

    hours: Annotated[tuple[tuple[int, int], ...], Field(max_length=6)] = ()
    days: Annotated[tuple[int, ...], Field(max_length=7)] = ()

    def covers(self, at: datetime) -> bool:
        """Whether the rule counts at a moment."""
        local = at.astimezone(BUSINESS_ZONE)
        if self.days and local.isoweekday() not in self.days:
            return False
        return not self.hours or any(_within(local.hour, start, end) for start, end in self.hours)


def _within(hour: int, start: int, end: int) -> bool:
    return start <= hour < end if start < end else hour >= start or hour < end


class RuleDefinition(_Part):
    """One rule as it is written down. ``check`` says whether it makes sense."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "heart_rate_limits",
                "kind": "heart_rate",
                "alert": "heart_rate",
                "condition": {"type": "n_of_m", "needed": 3, "of": 5, "within_minutes": 60, "every_seconds": 30},
                "levels": [
                    {"severity": "warning", "limits": {"high": 120}},
                    {"severity": "high", "limits": {"low": 40, "high": 131}},
                ],
                "margin": 5,
                "rearm_minutes": 30,
                "schedule": {"hours": [[22, 6]], "days": []},
                "source": "主治医师意见",
            }
        }
    )

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,59}$")]
    kind: Annotated[str, Field(max_length=40, description="A kind of reading, or `early_warning`.")]
    alert: AlertKind
    condition: AnyCondition
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=4)]
    margin: Annotated[float, Field(ge=0, description="Recovered only past a limit by so much.")] = 0
    rearm_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    schedule: Schedule = Schedule()
    source: Annotated[str, Field(min_length=2, max_length=300)]

    @property
    def key(self) -> tuple[str, str]:
        """By what a nearer layer replaces a farther one."""
        return self.kind, self.code

    @property
    def rearm(self) -> timedelta:
        """After so long it may raise again without a recovery."""
        return timedelta(minutes=self.rearm_minutes)

    def attributes(self) -> Iterator[str]:
        """Names of the resident's attributes that it asks for."""
        for level in self.levels:
            for limit in level.limits.values():
                if isinstance(limit, AttributeLimit):
                    yield limit.attribute

    def check(self) -> "RuleDefinition":
        """Itself, if it can work; ``InvalidRule`` names the first field that cannot."""
        _check_kind(self)
        for field, why in self.condition.problems():
            raise InvalidRule(why, field=f"condition.{field}")
        _check_schedule(self.schedule)
        _check_levels(self)
        return self


def _check_kind(rule: RuleDefinition) -> None:
    known = {kind.value for kind in ReadingKind}
    if rule.condition.several_kinds:
        if rule.kind != EARLY_WARNING:
            raise InvalidRule("an early-warning score has the kind early_warning", field="kind")
    elif rule.kind not in known:
        raise InvalidRule("not a kind of reading", field="kind")
    if rule.alert not in ALERT_KINDS:
        raise InvalidRule("not an alert that a reading raises", field="alert")


def _check_schedule(schedule: Schedule) -> None:
    for start, end in schedule.hours:
        if not (0 <= start <= 23 and 0 <= end <= 24) or start == end:
            raise InvalidRule("hours run from 0 to 24 and take some time", field="schedule.hours")
    if any(not 1 <= day <= 7 for day in schedule.days) or len(set(schedule.days)) != len(schedule.days):
        raise InvalidRule("days are 1 (Monday) to 7, each once", field="schedule.days")


def _check_levels(rule: RuleDefinition) -> None:
    names = set(rule.condition.limit_names)
    severities = [level.severity for level in rule.levels]
    if len(set(severities)) != len(severities):
        raise InvalidRule("one level a severity", field="levels")
    for place, level in enumerate(rule.levels):
        field = f"levels.{place}.limits"
        if not level.limits or not set(level.limits) <= names:
            raise InvalidRule(f"the condition takes limits named {sorted(names)}, at least one", field=field)
        for name, limit in level.limits.items():
            if isinstance(limit, AttributeLimit) and limit.attribute not in ATTRIBUTES:
                raise InvalidRule("no such attribute", field=f"{field}.{name}")
        figures = {name: number for name, limit in level.limits.items() if (number := _figure(limit)) is not None}
        for name, why in rule.condition.limit_problems(figures):
            raise InvalidRule(why, field=f"{field}.{name}")
        if rule.condition.limits_are_values and rule.kind in LIMITS:
            low, high = LIMITS[rule.kind]
            for name in ("low", "high"):
                if name in figures and not low <= figures[name] <= high:
                    raise InvalidRule("outside what a sensor can measure", field=f"{field}.{name}")
    _check_order(rule)


def _figure(limit: Limit) -> float | None:
    if isinstance(limit, AttributeLimit):
        return None if limit.otherwise is None else limit.otherwise
    return limit


def _check_order(rule: RuleDefinition) -> None:
    """A graver level must not be easier to reach: it would hide the milder one."""
    graver = sorted(enumerate(rule.levels), key=lambda item: item[1].severity.rank)
    for (_, mild), (place, grave) in pairwise(graver):
        for name in set(mild.limits) & set(grave.limits):
            first, second = _figure(mild.limits[name]), _figure(grave.limits[name])
            if first is None or second is None:
                continue
            if second >= first if name == "low" else second <= first:
                raise InvalidRule(
                    "a graver level needs a limit further out", field=f"levels.{place}.limits.{name}"
                )


class Attribute(BaseModel):
    """One figure of a resident that limits may refer to; set by a clinician."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str | None
    low: float
    high: float
    unit: str
    zh: str
    en: str


def load_attributes() -> dict[str, Attribute]:
    """Known attributes by name, from the data file."""
    raw: Any = msgspec.json.decode((files("services.rules") / "data" / "attributes.json").read_bytes())
    return {row["name"]: Attribute.model_validate(row) for row in raw["attributes"]}


ATTRIBUTES = load_attributes()
SCALE_2 = "spo2_scale_2"
"""The attribute that puts a resident on NEWS2's second SpO2 scale: 1, set by a clinician."""

ALERT_KINDS = frozenset(
    {
        AlertKind.HEART_RATE,
        AlertKind.SPO2,
        AlertKind.BLOOD_PRESSURE,
        AlertKind.TEMPERATURE,
        AlertKind.RESPIRATORY_RATE,
        AlertKind.GLUCOSE,
        AlertKind.EARLY_WARNING,
        AlertKind.NO_READINGS,
    }
)
"""What a rule may raise: never a kind that a person presses, so that no rule can be taken for an SOS."""


class RuleSet(BaseModel):
    """The rules that stand under all layers, with the age beyond which a reading raises nothing."""

    version: str
    source: str
    effective_date: str
    verified: bool
    stale_after_minutes: int
    protocol: tuple[str, ...]
    rules: tuple[RuleDefinition, ...]


def load_rules() -> RuleSet:
    """The default rule set from its data file; a rule in it that could not work stops the start."""
    rules = RuleSet.model_validate_json((files("services.rules") / "data" / "rules.json").read_bytes())
    for rule in rules.rules:
        rule.check()
    return rules
