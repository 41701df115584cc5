"""Telling people: those on duty of a life-safety terminal that is gone, the manager when nobody takes it, and
once a day of missing test calls.

One notice a centre and look, however many terminals went with the village's power.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.duty.service import on_duty
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify
from services.supervision import repository
from services.supervision.figures import FIGURES
from services.supervision.models import TerminalFault
from services.terminals.test_calls.repository import CentreOverdue, centres_with_fresh, take_digest

log = structlog.get_logger("supervision")

_URGENT: Final = (Channel.APP, Channel.SMS)
_ORDINARY: Final = (Channel.APP,)
_OF_A_CENTRE: Final = 100


async def tell_faults(work: Work) -> int:
    """Tell the dispatchers on duty of new life-safety faults, their manager where nobody is on duty."""
    told = 0
    for centre_id, faults in _by_centre(await repository.untold(work, FIGURES.told_kinds, _OF_A_CENTRE)).items():
        people = await on_duty(work, centre_id, Role.DISPATCHER, work.now)
        people = people or await on_duty(work, centre_id, Role.CENTRE_MANAGER, work.now)
        if not people:
            # The board shows them; they stay untold and are tried again.
            log.warning("nobody_on_duty", centre=str(centre_id), faults=len(faults))
            continue
        await _notify(work, faults, "told", people)
        for fault in faults:
            fault.told_at = work.now
        told += len(faults)
    return told


async def escalate_faults(work: Work) -> int:
    """Tell the centre's manager of life-safety faults that nobody has taken in time."""
    before = work.now - FIGURES.take_within
    told = 0
    for centre_id, faults in _by_centre(
        await repository.untaken(work, FIGURES.told_kinds, before, _OF_A_CENTRE)
    ).items():
        people = await on_duty(work, centre_id, Role.CENTRE_MANAGER, work.now)
        if not people:
            log.warning("no_manager_on_duty", centre=str(centre_id), faults=len(faults))
            continue
        await _notify(work, faults, "untaken", people)
        for fault in faults:
            fault.escalated_at = work.now
        told += len(faults)
    return told


def _by_centre(faults: Sequence[TerminalFault]) -> dict[UUID, list[TerminalFault]]:
    found: dict[UUID, list[TerminalFault]] = {}
    for fault in faults:
        found.setdefault(fault.centre_id, []).append(fault)
    return found


async def _notify(work: Work, faults: Sequence[TerminalFault], why: str, people: Sequence[UUID]) -> None:
    first = faults[0]
    notice = Notice(
        key=f"terminal_fault:{why}:{first.id}",
        template="terminal_fault",
        # Of the one terminal, or of all of a centre's.
        area_code=first.area_code if len(faults) == 1 else first.area_code[:9],
        centre_id=first.centre_id,
        parameters={"fault": str(first.kind), "fault_id": str(first.id), "count": str(len(faults))},
        is_life_safety=True,
    )
    await notify(work, notice, [Recipient(account_id=person) for person in people], _URGENT)


async def tell_missing_tests(work: Work) -> int:
    """Once a day, from a set hour on: a centre where test calls fell due since its last digest is told."""
    here = work.now.astimezone(BUSINESS_ZONE)
    if here.hour < FIGURES.digest_hour:
        return 0
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    told = 0
    for centre in await centres_with_fresh(work, midnight):
        people = await on_duty(work, centre.centre_id, Role.DISPATCHER, work.now)
        people = people or await on_duty(work, centre.centre_id, Role.CENTRE_MANAGER, work.now)
        if people and await take_digest(work, centre.centre_id, centre.area_code, midnight):
            await _digest(work, centre, people)
            told += 1
    return told


async def _digest(work: Work, centre: CentreOverdue, people: Sequence[UUID]) -> None:
    notice = Notice(
        key=f"test_call_due:{centre.centre_id}:{work.now.astimezone(BUSINESS_ZONE).date()}",
        template="test_call_due",
        area_code=centre.area_code,
        centre_id=centre.centre_id,
        parameters={"count": str(centre.overdue), "new": str(centre.fresh)},
        is_life_safety=False,
    )
    await notify(work, notice, [Recipient(account_id=person) for person in people], _ORDINARY)
