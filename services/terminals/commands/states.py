"""A command's life: queued → sent → received → done, failed, refused or expired."""

from enum import StrEnum

from services.core.transitions import Transitions


class CommandStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"  # the broker has it
    RECEIVED = "received"  # the terminal has it
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"  # by the terminal
    EXPIRED = "expired"


WAITING = (CommandStatus.QUEUED, CommandStatus.SENT, CommandStatus.RECEIVED)
"""Statuses that the worker lets expire; the partial index names them too."""

_ANSWERS = frozenset({CommandStatus.DONE, CommandStatus.FAILED, CommandStatus.REFUSED})

COMMAND = Transitions[CommandStatus](
    "terminal_command",
    {
        # An answer may overtake the note that the command was sent.
        CommandStatus.QUEUED: frozenset(
            {CommandStatus.SENT, CommandStatus.RECEIVED, CommandStatus.EXPIRED, *_ANSWERS}
        ),
        CommandStatus.SENT: frozenset({CommandStatus.RECEIVED, CommandStatus.EXPIRED, *_ANSWERS}),
        CommandStatus.RECEIVED: frozenset({CommandStatus.EXPIRED, *_ANSWERS}),
        # A terminal obeys in time or not at all; that it did may be heard later.
        CommandStatus.EXPIRED: _ANSWERS,
    },
)
