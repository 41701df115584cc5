"""Which tasks wait for a vital check, and whether there was one in time. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from services.orders.lines import OrderLine

PRECONDITION = "vital_check"


class _File(msgspec.Struct, frozen=True):
    version: str
    source: str
    kinds: frozenset[str]
    tasks_by_category: dict[str, frozenset[str]]
    never_waits: frozenset[str]


@cache
def _read() -> _File:
    raw = (files("services.visits") / "data" / "vital_check.json").read_bytes()
    return msgspec.json.decode(raw, type=_File)


def waiting_tasks(lines: Sequence[OrderLine]) -> frozenset[str]:
    """Codes of the tasks that nobody begins before a vital check.

    An item asks for it by its precondition; one of a category that always does needs none. Without tasks named for
    its category everything waits but who somebody is and the check itself.
    """
    data, found = _read(), set[str]()
    for line in lines:
        category = str(line.item.category)
        asks = PRECONDITION in {str(one) for one in getattr(line.item, "preconditions", ())}
        if asks or category in data.tasks_by_category:
            codes = {task.code for task in line.item.checklist}
            found |= codes & data.tasks_by_category.get(category, codes - data.never_waits)
    return frozenset(found)


def is_missing(
    lines: Sequence[OrderLine], tasks: Sequence[Mapping[str, Any]], readings: Sequence[tuple[str, datetime]]
) -> bool:
    """Whether a waiting task was done without blood pressure or pulse, measured before it at this visit.

    ``tasks`` are the visit's marks (``code``, ``done``, ``at``), ``readings`` kind and time of each.
    """
    waiting = waiting_tasks(lines)
    # A mark of before times were kept tells nothing of what came first.
    done = [mark for mark in tasks if mark["done"] and mark["code"] in waiting and "at" in mark]
    if not done:
        return False
    checks = [at for kind, at in readings if kind in _read().kinds]
    return not checks or min(checks) > min(datetime.fromisoformat(mark["at"]) for mark in done)
