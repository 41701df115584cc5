"""Reads that look across domains: one order with all that became of it, and a centre's board."""

from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.centres.service import centre_in_reach
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import NotFound
from services.orders.models import StatusChangePublic
from services.orders.rules import name_for
from services.orders.showing import shown
from services.reports import queries
from services.reports.models import (
    BoardAlert,
    BoardColumns,
    BoardFault,
    BoardIncident,
    BoardOrder,
    BoardPublic,
    OrderDetail,
)
from services.terminals.test_calls.service import count_overdue

BOARD_LIMIT = 500
"""Orders, and alerts, that a board shows at most."""

_HOUSEHOLD = frozenset({Role.RESIDENT, Role.FAMILY})


async def read_order(work: Work, order_id: UUID) -> OrderDetail:
    """An order in reach with its offers, bookings and visits; leaves a row in the access log."""
    row = await queries.order_with_work(work, order_id, work.actor.role not in _HOUSEHOLD)
    if row is None:
        raise NotFound
    await record_read(work, [row["resident_id"]], "order", ["address", "note", "window", "access", "visits"])
    return OrderDetail.model_validate(shown(work.actor.role, dict(row), row["resident_name"]))


async def read_history(work: Work, order_id: UUID) -> list[StatusChangePublic]:
    """Every status change of an order in reach and of what hangs on it, oldest first."""
    with_offers = work.actor.role not in _HOUSEHOLD
    if await queries.order_with_work(work, order_id, with_offers) is None:
        raise NotFound
    rows = await queries.order_history(work, order_id, with_offers)
    return [StatusChangePublic.model_validate(dict(row)) for row in rows]


async def read_board(work: Work, centre_id: UUID) -> BoardPublic:
    """A centre's open work, its live alerts and those it helps with; everybody shown leaves an access row."""
    centre = await centre_in_reach(work, centre_id)
    orders = await queries.centre_board(work, centre.id, BOARD_LIMIT + 1)
    alerts = await queries.centre_alerts(work, centre.id, BOARD_LIMIT + 1)
    faults = await queries.centre_faults(work, centre.id, BOARD_LIMIT + 1)
    incidents = await queries.centre_incidents(work, centre.id, BOARD_LIMIT + 1)
    columns = BoardColumns()
    for row in orders[:BOARD_LIMIT]:
        order = BoardOrder.model_validate(_named(work, dict(row)))
        _column(columns, order).append(order)
    shown = [BoardAlert.model_validate(_named(work, dict(row))) for row in alerts[:BOARD_LIMIT]]
    seen = {row["resident_id"] for row in (*orders, *alerts, *faults, *incidents) if row["resident_id"]}
    await record_read(work, seen, "board", ["resident_name", "item", "window", "alerts", "faults", "incidents"])
    return BoardPublic(
        centre_id=centre.id,
        at=work.now,
        columns=columns,
        alerts=shown,
        faults=[BoardFault.model_validate(_named(work, dict(row))) for row in faults[:BOARD_LIMIT]],
        tests_overdue=await count_overdue(work, centre.id),
        incidents=[BoardIncident.model_validate(_named(work, dict(row))) for row in incidents[:BOARD_LIMIT]],
        conflicts_open=await queries.count_conflicts(work, centre.id),
        truncated=max(len(orders), len(alerts), len(faults), len(incidents)) > BOARD_LIMIT,
    )


def _column(columns: BoardColumns, order: BoardOrder) -> list[BoardOrder]:
    """Where an order hangs: by its status, or with the flagged once it has ended."""
    by_status: dict[str, list[BoardOrder]] = {
        "placed": columns.placed,
        "offered": columns.offered,
        "assigned": columns.assigned,
        "in_progress": columns.in_progress,
    }
    return by_status.get(order.status, columns.flagged)


def _named(work: Work, row: dict[str, Any]) -> dict[str, Any]:
    name = row["resident_name"]
    return row | {"resident_name": None if name is None else name_for(work.actor.role, name)}
