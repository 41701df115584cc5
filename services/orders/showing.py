"""Orders as their readers see them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.core.actor import SUPERVISING_ROLES, Role
from services.core.database import Work
from services.orders import repository
from services.orders.models import Order, OrderChangePublic, OrderedItem, OrderPublic, WindowPublic
from services.orders.rules import TELLS_START_CODE, name_for, read_windows
from services.orders.states import OrderStatus

SHOWN = ["address", "note", "window", "access"]


async def list_orders(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: list[OrderStatus],
    resident_id: UUID | None,
    care_plan_id: UUID | None = None,
) -> list[OrderPublic]:
    """A page of the orders in reach, newest first; leaves rows in the access log."""
    rows = await repository.orders_page(work, limit, cursor, statuses, resident_id, care_plan_id)
    await record_read(work, [order.resident_id for order, _ in rows], "orders", SHOWN)
    return [order_public(work, order, name) for order, name in rows]


async def list_changes(work: Work, order_id: UUID, limit: int, cursor: UUID | None) -> list[OrderChangePublic]:
    """What people changed on an order in reach, newest first, both sides of it. Raises ``NotFound``.

    Supervising roles see that something was changed, not the words of it.
    """
    order = await repository.order_in_reach(work, order_id)
    await record_read(work, [order.resident_id], "order_changes", SHOWN)
    rows = [
        OrderChangePublic.model_validate(row)
        for row in await repository.changes_page(work, order.id, limit, cursor)
    ]
    if work.actor.role in SUPERVISING_ROLES:
        for row in rows:
            row.reason = ""
            row.before, row.after = _without_words(row.before), _without_words(row.after)
    return rows


def _without_words(side: dict[str, Any]) -> dict[str, Any]:
    return {**side, "note": ""} if "note" in side else side


def order_public(work: Work, order: Order, resident_name: str) -> OrderPublic:
    """The order as the acting reader may see it."""
    return OrderPublic.model_validate(shown(work.actor.role, order.model_dump(), resident_name))


def shown(role: Role, facts: Mapping[str, Any], resident_name: str) -> dict[str, Any]:
    """An order's columns as a role may see them; the model that reads them leaves out the rest."""
    first = facts["lines"][0]["item"]
    seen = {
        **facts,
        "resident_name": name_for(role, resident_name),
        "item_name_zh": first["name_zh"],
        "item_name_en": first["name_en"],
        "category": first["category"],
        "items": ordered_items(facts["lines"]),
        "windows": windows_public(facts["windows"])
        or [WindowPublic(start=facts["window_start"], end=facts["window_end"])],
    }
    if role not in TELLS_START_CODE:
        seen["start_code"] = None
    if role in SUPERVISING_ROLES:
        seen["note"] = ""  # free words, often about health
        seen["caller"] = None
    return seen


def ordered_items(lines: Sequence[Mapping[str, Any]]) -> list[OrderedItem]:
    """The lines of an order or a quote, without what only pricing and dispatch need."""
    return [
        OrderedItem(
            line_no=line["line_no"],
            item_code=line["item"]["code"],
            item_version=line["item"].get("version", 1),
            name_zh=line["item"]["name_zh"],
            name_en=line["item"]["name_en"],
            category=line["item"]["category"],
            quantity=line["quantity"],
            minutes=line["minutes"],
            entitlement_id=line.get("entitlement_id"),
        )
        for line in lines
    ]


def windows_public(kept: Sequence[Sequence[str]]) -> list[WindowPublic]:
    """Kept windows as the API shows them."""
    return [WindowPublic(start=start, end=end) for start, end in read_windows(kept)]
