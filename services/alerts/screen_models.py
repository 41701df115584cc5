"""What the desk sees of one alert on one screen, and what it writes down of a call of 120."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ViewField

from services.alerts.models import AlertDetail
from services.alerts.panic.models import PanicCaller
from services.alerts.policy_models import PolicyDocument
from services.alerts.resolutions import CallOutcome
from services.core.calendar import Moment
from services.residents.models import EmergencyCard
from services.vitals.kinds import ReadingKind


class NewEmergencyCall(BaseModel):
    """That 120 was called."""

    called_at: Moment | None = ViewField(None, description="Now, when left out.", examples=[None])
    said: str = ViewField(
        "", max_length=1000, description="What was said to 120.", examples=["老人跌倒，意识清楚，右髋疼痛"]
    )
    outcome: CallOutcome = ViewField(examples=["ambulance_sent"])


class CallHandOver(BaseModel):
    """Who took the resident over: an ambulance crew or a hospital. The referral is a record of its own."""

    handed_over_to: str = ViewField(min_length=2, max_length=200, examples=["县人民医院急诊科"])
    handed_over_at: Moment | None = ViewField(None, description="Now, when left out.", examples=[None])


class EmergencyCallPublic(BaseModel):
    """One call of 120."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    alert_id: UUID
    called_at: datetime
    called_by: UUID
    said: str
    outcome: CallOutcome
    handed_over_to: str | None
    handed_over_at: datetime | None
    recorded_at: datetime


class Responder(BaseModel):
    """A caregiver or village doctor who could come. Numbers are revealed one by one, and that is written down."""

    caregiver_id: UUID
    name: str
    profession: str
    distance_m: int
    has_phone: bool


class RevealedPhone(BaseModel):
    """The number in full."""

    caregiver_id: UUID
    phone: str


class LastVital(BaseModel):
    """The newest good reading of a kind."""

    model_config = ConfigDict(from_attributes=True)

    kind: ReadingKind
    value: float
    measured_at: datetime


class LadderPublic(BaseModel):
    """Where the ladder stands, and how long until it moves or the lease ends."""

    policy: PolicyDocument | None = ViewField(description="`null`: unreadable; the auditor has it.")
    is_frozen: bool
    loop: int
    step: int = ViewField(description="-1: nobody has been paged yet.")
    repeat: int
    next_at: datetime | None
    seconds_left: float | None
    nobody_since: datetime | None


class ChecklistItem(BaseModel):
    """One question that must be answered to close this alert; `unknown` needs a note."""

    code: str
    zh: str
    en: str
    answers: list[str]


class AlertScreen(BaseModel):
    """Everything for one alert on one screen. This platform never replaces 120."""

    alert: AlertDetail
    statement: dict[str, str] = ViewField(description="By language.")
    card: EmergencyCard | None = ViewField(description="`null` when no resident wears the terminal.")
    caller: PanicCaller | None = ViewField(None, description="The caregiver who calls for help herself.")
    script_resident: dict[str, list[str]]
    script_120: dict[str, list[str]]
    script_source: str
    responders: list[Responder] = ViewField(description="Nearest first.")
    last_vitals: list[LastVital]
    ladder: LadderPublic | None
    emergency_calls: list[EmergencyCallPublic]
    aiding_centres: list[UUID] = ViewField(description="Centres that were asked to help and still do.")
    checklist: list[ChecklistItem]
    at: datetime
