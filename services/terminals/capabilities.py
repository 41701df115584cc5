"""What a model of terminal can do. Descriptive: an alarm of a kind that is not listed is still an alarm."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

# The words of devices.messages.AlarmKind and services.vitals.kinds.ReadingKind, which stand above this room;
# a test holds them equal.
AlarmName = Literal["sos", "fall", "fall_cancel", "smoke", "gas", "water", "help_cord", "test"]
ReadingName = Literal[
    "heart_rate",
    "spo2",
    "systolic_bp",
    "diastolic_bp",
    "temperature",
    "respiratory_rate",
    "glucose",
    "steps",
]
CommandName = Literal["test_call", "locate", "set_interval", "speak"]


class Capabilities(BaseModel):
    """What it sends, what it understands, and how it is carried and fed."""

    model_config = ConfigDict(extra="forbid")

    alarms: list[AlarmName] = []
    readings: list[ReadingName] = []
    commands: list[CommandName] = []
    has_speaker: bool = False
    has_position: bool = False
    is_worn: bool = False
    on_mains: bool = False
