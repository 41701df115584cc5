"""What a terminal's clock is worth, once its statuses have shown how wrong it is. Pure.

A status with a time is measured against its arrival (``terminal_state.clock_offset_seconds``). Everything that the
terminal dates by the same clock is then wrong by as much, live or from its memory, and is moved by as much.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""A clock that is wrong by no more is right: a status may be so long on its way (a project default)."""

CLOCK_LOST: Final = timedelta(days=400)
"""A clock that is wrong by more has lost its time; it may stand still, and tells not even what came first."""

SAYS_NOW: Final = timedelta(minutes=1)
"""What is dated so near its arrival is believed: its terminal has set its clock since its last status."""


class ClockOffset(NamedTuple):
    """A terminal's clock minus ours in seconds, and when that was measured."""

    seconds: float
    measured_at: datetime


def newer(one: ClockOffset | None, other: ClockOffset | None) -> ClockOffset | None:
    """Whichever was measured last; ``one`` when both were at once."""
    if one is None or (other is not None and other.measured_at > one.measured_at):
        return other
    return one


def is_wrong(offset: ClockOffset | None) -> bool:
    """Whether times by this clock must be moved."""
    return offset is not None and CLOCK_TOLERANCE < timedelta(seconds=abs(offset.seconds)) <= CLOCK_LOST


def offset_shift(offset: ClockOffset | None, said: datetime, received_at: datetime) -> timedelta | None:
    """By how much a time that the terminal said must be moved because of its measured offset; ``None``: not.

    A time that would come to lie after its arrival was not taken from that clock: the terminal has been set right
    since, and has not said so yet. For the newest of several times of one message; all of them move together.
    """
    if offset is None or not is_wrong(offset) or abs(said - received_at) <= SAYS_NOW:
        return None
    shift = -timedelta(seconds=offset.seconds)
    return None if said + shift > received_at + CLOCK_TOLERANCE else shift
