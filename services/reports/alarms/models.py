"""Figures about alerts, each with what it was counted from and when."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.alerts.models import AlertKind
from services.reports.alarms.figures import Measure, Origin
from services.terminals.models import TerminalKind


class TargetPublic(BaseModel):
    """What a standard asks for."""

    code: str = Field(examples=["answered_60s"])
    measure: Measure
    within_seconds: int
    share: float
    source: str
    version: str
    verified: bool


class SharePublic(BaseModel):
    """How many of how many were in time. Not answered counts as missed once the limit has passed."""

    code: str = Field(description="Of the target.")
    numerator: int
    denominator: int
    undecided: int = Field(description="Still within the limit, or ended before it without needing anybody.")
    share: float | None
    met: bool | None


class ResponseRow(BaseModel):
    """The figures of one centre, of all its alarms or all its rule-raised alerts, or of one kind of them."""

    centre_id: UUID | None = Field(description="`null`: all centres in reach together.")
    centre_name_zh: str | None
    centre_name_en: str | None
    origin: Origin
    kind: AlertKind | None = Field(description="`null`: all kinds of this origin.")
    alerts: int = Field(description="Tests left out.")
    tests: int
    unanswered: int = Field(description="Live, and not answered yet.")
    shares: list[SharePublic]
    answer_seconds_p50: float | None = Field(description="t2 − t1 of those answered.")
    answer_seconds_p90: float | None
    dispatch_seconds_p50: float | None = Field(description="t4 − t1 of those with somebody on the way.")
    dispatch_seconds_p90: float | None


class ResponseFigures(BaseModel):
    """A month of the business calendar, counted at `taken_at`."""

    month: str = Field(examples=["2026-11"])
    start: datetime
    end: datetime
    taken_at: datetime
    targets: list[TargetPublic]
    rows: list[ResponseRow]


class FalseRate(BaseModel):
    """Of the closed alerts (tests left out), how many were false, and by which cause."""

    closed: int
    false: int
    rate: float | None
    causes: dict[str, int] = Field(description="By resolution code, `false_…`.")


class KindFalseRate(FalseRate):
    """One kind of alert."""

    kind: AlertKind


class ProfileFalseRate(FalseRate):
    """All terminals of one profile."""

    profile_id: UUID
    profile_code: str
    profile_name_zh: str
    profile_name_en: str


class WorstTerminal(BaseModel):
    """A terminal with many false alarms."""

    terminal_id: UUID
    serial: str
    kind: TerminalKind
    profile_id: UUID
    closed: int
    false: int
    rate: float


class FalseAlarmFigures(BaseModel):
    """False alarms in [start, end), counted at `taken_at`."""

    start: datetime
    end: datetime
    taken_at: datetime
    kinds: list[KindFalseRate]
    profiles: list[ProfileFalseRate]
    worst_terminals: list[WorstTerminal]
