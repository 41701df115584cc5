"""Maintenance: rules raise nothing for a while, readings stay stored, and it ends by itself.

Only what rules would raise is held back. An SOS, a fall, smoke and whatever else a terminal calls an alarm never
come this way.
"""

from datetime import timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

import msgspec

from services.audit.service import record_read
from services.centres.service import centre_in_charge, centre_in_reach
from services.core.database import Work
from services.core.errors import NotFound
from services.residents.service import resident_in_reach
from services.rules import repository
from services.rules.errors import AlreadyEnded, MaintenanceTooLong
from services.rules.models import Maintenance
from services.rules.views import MaintenanceEnd, MaintenancePublic, MaintenanceStart
from services.terminals.service import read_terminal

_RAW: Any = msgspec.json.decode((files("services.rules") / "data" / "maintenance.json").read_bytes())
HOURS_MAX: float = _RAW["hours_max"]


async def start_maintenance(work: Work, request: MaintenanceStart) -> MaintenancePublic:
    """Begin now, for so many hours. ``NotFound`` out of reach; ``MaintenanceTooLong`` beyond the limit."""
    if request.hours > HOURS_MAX:
        raise MaintenanceTooLong(hours_max=HOURS_MAX, field="hours")
    area_code, centre_id = await _place(work, request)
    row = Maintenance(
        area_code=area_code,
        centre_id=centre_id,
        resident_id=request.resident_id,
        terminal_id=request.terminal_id,
        reason=request.reason,
        started_at=work.now,
        until_at=work.now + timedelta(hours=request.hours),
        started_by=work.actor.account_id,
    )
    work.session.add(row)
    return _shown(work, row, 0)


async def _place(work: Work, request: MaintenanceStart) -> tuple[str, UUID]:
    if request.terminal_id is not None:
        terminal, _ = await read_terminal(work, request.terminal_id)
        return terminal.area_code, terminal.centre_id
    if request.resident_id is None:
        raise NotFound
    resident = await resident_in_reach(work, request.resident_id)
    return resident.area_code, (await centre_in_charge(work, resident.area_code)).id


async def end_maintenance(work: Work, maintenance_id: UUID, request: MaintenanceEnd) -> MaintenancePublic:
    """End it before its time; ``AlreadyEnded`` when it is over."""
    row = await repository.lock_maintenance(work, maintenance_id)
    if row is None:
        raise NotFound
    if row.ended_at is not None or row.until_at <= work.now:
        raise AlreadyEnded
    row.ended_at, row.ended_by, row.end_reason = work.now, work.actor.account_id, request.reason
    return _shown(work, row, await repository.silenced_count(work, row.id))


async def list_maintenance(
    work: Work, centre_id: UUID, limit: int, cursor: UUID | None
) -> list[MaintenancePublic]:
    """Maintenance of a centre, newest first, with what it has silenced."""
    await centre_in_reach(work, centre_id)
    rows = await repository.list_maintenance(work, centre_id, limit, cursor)
    await record_read(
        work, {row.resident_id for row, _ in rows if row.resident_id is not None}, "maintenance", ["silenced"]
    )
    return [_shown(work, row, count) for row, count in rows]


def _shown(work: Work, row: Maintenance, silenced: int) -> MaintenancePublic:
    running = row.ended_at is None and row.until_at > work.now
    values = {**row.model_dump(exclude={"area_code"}), "silenced": silenced, "is_running": running}
    return MaintenancePublic.model_validate(values)
