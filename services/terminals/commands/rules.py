"""Which command a terminal may be given, with what, and for how long. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any, Final

import msgspec

from services.core.errors import InvalidInput
from services.terminals.capabilities import Capabilities
from services.terminals.commands.errors import NotCapable
from services.terminals.commands.models import CommandKind, CommandWish, SetIntervalWish, SpeakWish


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """The figures of ``data/commands.json``; seconds, characters, and days for how long commands are kept."""

    version: str
    lifetime: dict[CommandKind, timedelta]
    answer: timedelta
    speak_length: int
    interval_seconds: tuple[int, int]
    help_is_coming: str
    help_is_coming_lifetime: timedelta
    keep: timedelta
    keep_positions: timedelta

    def __post_init__(self) -> None:
        """``ValueError`` when a place would be kept longer than the command that asked for it."""
        if self.keep_positions > self.keep:
            raise ValueError("positions are kept no longer than commands")


def load_limits() -> CommandLimits:
    """Read them; a kind without a lifetime is a fault of the file."""
    raw: dict[str, Any] = msgspec.json.decode(
        (files("services.terminals") / "data" / "commands.json").read_bytes()
    )
    low, high = raw["interval_seconds"]
    return CommandLimits(
        version=raw["version"],
        lifetime={kind: timedelta(seconds=raw["lifetime_seconds"][kind]) for kind in CommandKind},
        answer=timedelta(seconds=raw["answer_seconds"]),
        speak_length=raw["speak_length"],
        interval_seconds=(low, high),
        help_is_coming=raw["help_is_coming"],
        help_is_coming_lifetime=timedelta(seconds=raw["help_is_coming_lifetime_seconds"]),
        keep=timedelta(days=raw["keep_days"]),
        keep_positions=timedelta(days=raw["keep_positions_days"]),
    )


LIMITS: Final = load_limits()


def check(wish: CommandWish, capabilities: Capabilities, limits: CommandLimits = LIMITS) -> dict[str, Any]:
    """The parameters as they are stored and sent.

    Raises ``NotCapable`` for what the profile does not list, ``InvalidInput`` beyond the limits.
    """
    if wish.kind not in capabilities.commands:
        raise NotCapable(kind=str(wish.kind))
    if isinstance(wish, SpeakWish):
        said = " ".join(wish.text.split())
        if not said or len(said) > limits.speak_length or not said.isprintable():
            raise InvalidInput(f"1 to {limits.speak_length} printable characters", field="text")
        return {"text": said, "language": wish.language}
    if isinstance(wish, SetIntervalWish):
        low, high = limits.interval_seconds
        if not low <= wish.seconds <= high:
            raise InvalidInput(f"{low} to {high} seconds", field="seconds")
        return {"what": wish.what, "seconds": wish.seconds}
    return {}
