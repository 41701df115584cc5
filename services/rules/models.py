"""Rules in layers and versions, residents' own figures, watches for missing data, maintenance."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.rules.definitions import Layer

RULES_CHANNEL = "guoyuan_rules"
"""Triggers on ``vital_rule_version`` and ``resident_attribute`` notify here; ingest then reads the rules anew."""


class VitalRule(SQLModel, table=True):
    """A rule of one layer and place, by kind and code. ``current`` points to the version that counts.

    ``scope`` is the area code of a county, the id of a centre or the id of a resident.
    """

    __tablename__ = "vital_rule"
    __table_args__ = (UniqueConstraint("layer", "scope", "kind", "code", name="vital_rule_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    layer: Layer = Field(sa_column=enum_column(Layer))
    scope: str
    area_code: str = Field(index=True)
    centre_id: UUID | None = Field(default=None, foreign_key="centre.id", index=True)
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id", index=True)
    kind: str
    code: str
    current: int = 1
    version: int = 1


class VitalRuleVersion(SQLModel, table=True):
    """One saved state of a rule; never changed. ``definition`` is kept when a rule is switched off."""

    __tablename__ = "vital_rule_version"
    __table_args__ = (UniqueConstraint("rule_id", "number", name="vital_rule_version_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    rule_id: UUID = Field(foreign_key="vital_rule.id", index=True)
    number: int
    area_code: str
    resident_id: UUID | None = None
    definition: dict[str, Any] = Field(sa_type=JSONB)
    is_off: bool
    reason: str
    account_id: UUID | None = None
    role: str
    at: datetime = Field(sa_type=UtcDateTime)


class ResidentAttribute(SQLModel, table=True):
    """A figure of one resident that limits may refer to. The newest row of a name counts, also an empty one."""

    __tablename__ = "resident_attribute"
    __table_args__ = (Index("resident_attribute_newest", "resident_id", "name", "set_at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    name: str
    value: float | None = None
    reason: str
    set_by: UUID | None = None
    set_at: datetime = Field(sa_type=UtcDateTime)


class RuleWatch(SQLModel, table=True):
    """When the worker next looks whether a kind of reading has stayed away; see ``plan_watches``."""

    __tablename__ = "rule_watch"
    __table_args__ = (UniqueConstraint("resident_id", "kind", "code", name="rule_watch_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    kind: str
    code: str
    due_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Maintenance(SQLModel, table=True):
    """A stretch of time in which rules raise nothing for a terminal or a resident. It expires by itself.

    Readings stay stored, what would have been raised is kept in ``silenced_alarm``, and what a person or a
    detector sends (SOS, fall, smoke …) never comes near it.
    """

    __tablename__ = "maintenance"
    __table_args__ = (
        CheckConstraint("(resident_id IS NULL) <> (terminal_id IS NULL)", name="maintenance_of_one"),
        CheckConstraint("until_at > started_at", name="maintenance_forwards"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    area_code: str
    centre_id: UUID = Field(foreign_key="centre.id", index=True)
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id", index=True)
    terminal_id: UUID | None = Field(default=None, foreign_key="terminal.id", index=True)
    reason: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime = Field(sa_type=UtcDateTime)
    started_by: UUID | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: UUID | None = None
    end_reason: str | None = None


class SilencedAlarm(SQLModel, table=True):
    """An alarm that a rule would have raised during a maintenance."""

    __tablename__ = "silenced_alarm"
    __table_args__ = (UniqueConstraint("resident_id", "kind", "code", "at", name="silenced_alarm_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    maintenance_id: UUID = Field(foreign_key="maintenance.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    alert: str
    kind: str
    code: str
    severity: int
    side: str
    at: datetime = Field(sa_type=UtcDateTime)
