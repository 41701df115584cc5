"""What a status message tells of its terminal."""

from datetime import datetime
from uuid import UUID

import msgspec

from devices.messages import CommandReport, StatusMessage
from services.terminals.commands.models import CommandAnswer
from services.terminals.repository import Bound, Heard


def hear(heard: dict[UUID, Heard], bound: Bound, status: StatusMessage, received_at: datetime) -> None:
    """Add a status to those of a batch: a terminal's newest counts, and what only an older one said is kept."""
    new = heard_of(bound, status, received_at)
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
        )
    heard[bound.terminal_id] = new


def heard_of(bound: Bound, status: StatusMessage, received_at: datetime) -> Heard:
    """The status as it is stored."""
    is_online = status.state != "offline"
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
        answers=() if status.command is None else _answers(bound, status.command),
        # A last will carries the time at which it was left with the broker.
        clock_offset_seconds=(
            (status.at - received_at).total_seconds() if is_online and status.at is not None else None
        ),
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
