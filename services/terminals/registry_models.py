"""What the registry takes and shows."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.terminals.models import ProvisionOutcome, Terminal, TerminalKind, TerminalState
from services.terminals.profiles import ProfileFigures
from services.terminals.states import TerminalStatus

SERIAL = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{2,63}$"


class TerminalPublic(BaseModel):
    """A terminal and the last word heard of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    serial: str
    kind: TerminalKind
    profile_id: UUID
    status: TerminalStatus
    area_code: str
    centre_id: UUID
    resident_id: UUID | None
    room: str
    version: int
    is_online: bool | None = None
    seen_at: datetime | None = None
    battery_percent: int | None = None
    signal_dbm: int | None = None
    firmware: str | None = None
    clock_offset_seconds: float | None = Field(
        None, description="By how much its clock is ahead of ours (behind: negative), with the way here in it."
    )
    clock_measured_at: datetime | None = None


_HEARD = {
    "is_online",
    "seen_at",
    "battery_percent",
    "signal_dbm",
    "firmware",
    "clock_offset_seconds",
    "clock_measured_at",
}


def shown(terminal: Terminal, state: TerminalState | None = None) -> TerminalPublic:
    """A terminal as the API shows it; ``is_online`` is ``None`` for one that has never been heard."""
    public = TerminalPublic.model_validate(terminal)
    if state is None:
        return public
    heard = state.model_dump(include=_HEARD)
    return public.model_copy(update=heard)


class TerminalCreate(BaseModel):
    """A terminal that has arrived and lies on a centre's shelf."""

    serial: str = Field(pattern=SERIAL, examples=["PD-2026-000123"])
    profile_id: UUID
    centre_id: UUID


class BindRequest(BaseModel):
    """Whose it becomes, and where it stands."""

    resident_id: UUID
    room: str = Field("", max_length=40, examples=["卧室"])


class Reason(BaseModel):
    """Why; it stands in the history."""

    reason: str = Field(min_length=1, max_length=200, examples=["长者搬走，终端收回"])


class CredentialPublic(BaseModel):
    """What a terminal connects with. The password is shown this once and stored nowhere."""

    id: UUID
    username: str
    client_id: str
    password: str
    broker: str = Field(examples=["mqtts://broker.example.org:8883"])
    topics: dict[str, str]
    version: int


class BindingPublic(BaseModel):
    """Whose a terminal was, where, from when to when, and who did it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    terminal_id: UUID
    resident_id: UUID
    centre_id: UUID
    area_code: str
    room: str
    bound_at: datetime
    unbound_at: datetime | None
    bound_by: UUID | None
    unbound_by: UUID | None


class TerminalChange(BaseModel):
    """One line of a terminal's history."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    from_status: str | None
    to_status: str
    reason: str | None
    account_id: UUID | None
    role: str
    at: datetime


class ProfilePublic(ProfileFigures):
    """A profile as the API shows it: never the secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    kind: TerminalKind
    provision_key: str | None
    allow_new: bool
    intake_centre_id: UUID | None
    is_active: bool
    source: str
    data_version: str | None
    effective_date: date | None
    verified: bool
    version: int


class ProfileChange(ProfileFigures):
    """A profile as the county sets it. Where its figures come from must be said."""

    source: str = Field(min_length=1, max_length=300, examples=["厂家产品说明书 2026 版"])
    verified: bool = Field(False, description="Whether somebody answers for the figures.")
    is_active: bool = True
    allow_new: bool = Field(False, description="Whether unknown serials may be taken in when provisioned.")
    intake_centre_id: UUID | None = Field(None, description="Where those go; required with `allow_new`.")


class ProfileCreate(ProfileChange):
    """A new model of terminal."""

    code: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{1,59}$", examples=["acme-pendant-2"])
    kind: TerminalKind


class ProvisionSecret(BaseModel):
    """What the maker puts into its terminals. The secret is shown this once."""

    id: UUID
    provision_key: str
    provision_secret: str
    version: int


class ProvisionRequest(BaseModel):
    """What a factory-new terminal presents."""

    profile_key: str = Field(min_length=1, max_length=100, examples=["pk-pendant"])
    profile_secret: SecretStr = Field(min_length=1, max_length=200, examples=["given with the profile's key"])
    serial: str = Field(pattern=SERIAL, examples=["PD-2026-000123"])


class AttemptPublic(BaseModel):
    """Somebody tried to provision a terminal."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    profile_id: UUID | None
    terminal_id: UUID | None
    serial: str
    address: str | None
    outcome: ProvisionOutcome
