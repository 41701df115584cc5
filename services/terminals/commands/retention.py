"""How long commands are kept, and the places that terminals told. The figures are in ``data/commands.json``."""

from typing import Final

from services.core.clearing import Cleared
from services.core.database import Work
from services.terminals.commands import repository
from services.terminals.commands.rules import LIMITS, CommandLimits

_BATCH: Final = 1000


async def clear_commands(work: Work, batch: int = _BATCH, limits: CommandLimits = LIMITS) -> list[Cleared]:
    """Forget where somebody was, and later that the terminal was asked at all; a batch of each a turn."""
    cleared = []
    for what, clear, keep in (
        ("command_position", repository.clear_positions, limits.keep_positions),
        ("terminal_command", repository.delete_ended, limits.keep),
    ):
        ended = sorted(await clear(work, work.now - keep, batch))
        if ended:
            cleared.append(Cleared(what, len(ended), ended[0], ended[-1], limits.version))
    return cleared
