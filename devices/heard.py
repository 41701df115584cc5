"""What a status message tells of its terminal."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from devices.messages import CommandReport, StatusMessage
from services.terminals.clocks import CLOCK_TOLERANCE, ClockOffset
from services.terminals.commands.models import CommandAnswer
from services.terminals.repository import Bound, Heard

Since = Callable[[], datetime | None]

CATCH_UP: Final = timedelta(seconds=10)
"""For so long after a connection began, what waited at the broker may still come (a project default)."""


def clock_of(status: StatusMessage, received_at: datetime, since: Since | None = None) -> ClockOffset | None:
    """How wrong a terminal's clock is by one status; ``None``: this one does not tell.

    A last will carries the time at which it was left with the broker. Until ingest has caught up (``since``: from
    when on it missed nothing), an old time may be that of a status that waited for it: then it is no measurement.
    """
    if status.state == "offline" or status.at is None:
        return None
    offset = status.at - received_at
    if offset < -CLOCK_TOLERANCE and since is not None:
        live_since = since()
        if live_since is None or (status.at < live_since and received_at < live_since + CATCH_UP):
            return None
    return ClockOffset(offset.total_seconds(), received_at)


def hear(
    heard: dict[UUID, Heard],
    bound: Bound,
    status: StatusMessage,
    received_at: datetime,
    since: Since | None = None,
) -> None:
    """Add a status to those of a batch: a terminal's newest counts, and what only an older one said is kept."""
    new = heard_of(bound, status, received_at, since)
    old = heard.get(bound.terminal_id)
    if old is not None:
        new = new._replace(
            battery_percent=old.battery_percent if new.battery_percent is None else new.battery_percent,
            signal_dbm=old.signal_dbm if new.signal_dbm is None else new.signal_dbm,
            firmware=new.firmware or old.firmware,
            tamper=old.tamper if new.tamper is None else new.tamper,
            sensors=new.sensors or old.sensors,
            went_away=new.went_away or old.went_away,
            clock_offset_seconds=(
                old.clock_offset_seconds if new.clock_offset_seconds is None else new.clock_offset_seconds
            ),
            answers=(*old.answers, *new.answers),
            greeted_at=new.greeted_at or old.greeted_at,
        )
    heard[bound.terminal_id] = new


def heard_of(bound: Bound, status: StatusMessage, received_at: datetime, since: Since | None = None) -> Heard:
    """The status as it is stored, with what it tells of the clock (``clock_of``)."""
    is_online = status.state != "offline"
    clock = clock_of(status, received_at, since)
    return Heard(
        bound=bound,
        is_online=is_online,
        seen_at=received_at,
        battery_percent=status.battery,
        signal_dbm=status.signal_dbm,
        firmware=status.firmware,
        tamper=status.tamper,
        sensors=None if status.sensors is None else dict(status.sensors),
        went_away=not is_online,
        greeted_at=received_at if is_online else None,
        answers=() if status.command is None else _answers(bound, status.command),
        clock_offset_seconds=None if clock is None else clock.seconds,
    )


def _answers(bound: Bound, report: CommandReport) -> tuple[CommandAnswer, ...]:
    """Nothing for an id that is none of ours."""
    try:
        command_id = UUID(report.id)
    except ValueError:
        return ()
    result = {} if report.detail is None else {"detail": report.detail}
    if report.position is not None:
        result["position"] = msgspec.to_builtins(report.position)
    return (CommandAnswer(bound.terminal_id, command_id, report.state, result),)
