"""What a terminal is told to do, and what came of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ViewField
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.terminals.commands.states import CommandStatus


class CommandKind(StrEnum):
    TEST_CALL = "test_call"
    LOCATE = "locate"
    SET_INTERVAL = "set_interval"
    SPEAK = "speak"


class TerminalCommand(SQLModel, table=True):
    """One command. ``alert_id``: it was sent because of this alert, once a terminal.

    ``result`` holds what the terminal answered: ``detail``, and for ``locate`` the ``position``.
    """

    __tablename__ = "terminal_command"
    __table_args__ = (
        Index(
            "terminal_command_waiting",
            "expires_at",
            postgresql_where="status IN ('queued', 'sent', 'received')",
        ),
        Index(
            "terminal_command_alert_once",
            "terminal_id",
            "alert_id",
            unique=True,
            postgresql_where="alert_id IS NOT NULL",
        ),
        Index("terminal_command_terminal", "terminal_id", "id"),
        Index("terminal_command_ended", "ended_at"),
        Index(
            "terminal_command_position",
            "ended_at",
            postgresql_where="kind = 'locate' AND (result -> 'position') IS NOT NULL",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    terminal_id: UUID = Field(foreign_key="terminal.id")
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    kind: CommandKind = Field(sa_column=enum_column(CommandKind))
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    requested_by: UUID | None = None
    alert_id: UUID | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    status: CommandStatus = Field(sa_column=enum_column(CommandStatus))
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    received_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    result: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    version: int = 1


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What a terminal said about one command. ``result`` is stored as it is: ``detail``, ``position``."""

    terminal_id: UUID
    command_id: UUID
    state: Literal["received", "done", "failed", "refused"]
    result: dict[str, Any] = field(default_factory=dict)


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CallWish(_Wish):
    """Raise an alarm of the kind `test`, so that the whole way is tried out."""

    kind: Literal[CommandKind.TEST_CALL]


class LocateWish(_Wish):
    """Tell where you are."""

    kind: Literal[CommandKind.LOCATE]


class SetIntervalWish(_Wish):
    """Report in this rhythm from now on."""

    kind: Literal[CommandKind.SET_INTERVAL]
    what: Literal["heartbeat", "vitals"] = "vitals"
    seconds: int = ViewField(ge=1, examples=[300])


class SpeakWish(_Wish):
    """Say this aloud."""

    kind: Literal[CommandKind.SPEAK]
    text: str = ViewField(min_length=1, examples=["您好，村医十分钟后到。"])
    language: Literal["zh", "en"] = "zh"


CommandWish = Annotated[CallWish | LocateWish | SetIntervalWish | SpeakWish, ViewField(discriminator="kind")]


class CommandPublic(BaseModel):
    """A command and what came of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    terminal_id: UUID
    kind: CommandKind
    parameters: dict[str, Any]
    requested_by: UUID | None = ViewField(description="Null when the platform itself sent it.")
    alert_id: UUID | None
    created_at: datetime
    expires_at: datetime
    status: CommandStatus
    sent_at: datetime | None = ViewField(description="When the broker had it.")
    received_at: datetime | None = ViewField(description="When the terminal said that it has it.")
    ended_at: datetime | None
    result: dict[str, Any] = ViewField(
        description="`detail`, and `position` of a `locate`, as the terminal said; `position_cleared` once it is"
        " kept no longer."
    )
    version: int
