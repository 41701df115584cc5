"""Noting test calls, and telling who has not made one for too long."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.audit.service import record_read
from services.centres.service import centre_in_reach
from services.core.database import Work
from services.core.ids import new_id
from services.terminals.models import HowTested
from services.terminals.test_calls import repository
from services.terminals.test_calls.models import OverdueTest


async def note_test(
    work: Work,
    terminal_id: UUID,
    at: datetime,
    how: Literal["press", "command", "terminal_kind"],
    ok: bool = True,
) -> None:
    """Write down a test call of a terminal at a moment; the same one twice is one.

    Only one that went well (``ok``) counts towards the schedule. A terminal that does not exist is passed over.
    """
    values = {"id": new_id(), "terminal_id": terminal_id, "at": at, "how": HowTested(how).value, "ok": ok}
    await repository.add_test(work, values)


async def count_overdue(work: Work, centre_id: UUID) -> int:
    """How many terminals of a centre, within the actor's walls, are overdue."""
    return await repository.count_overdue(work, centre_id)


async def overdue_tests(work: Work, centre_id: UUID, limit: int, cursor: UUID | None) -> Sequence[OverdueTest]:
    """Terminals in service of a centre whose test call is overdue, newest key first; ``NotFound`` out of reach.

    Due is the profile's ``test_interval_days`` after the last one, or after it was bound when there was none.
    """
    centre = await centre_in_reach(work, centre_id)
    rows = await repository.overdue(work, centre.id, limit, cursor)
    await record_read(work, {row["resident_id"] for row in rows if row["resident_id"]}, "terminal.tests", ["room"])
    return [OverdueTest.model_validate(dict(row)) for row in rows]
