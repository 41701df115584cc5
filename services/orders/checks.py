"""Whether what is asked for can be ordered: every item with everything that stands in its way, at once."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.assessments.service import unmet_preconditions
from services.catalogue.models import Barrier, ItemFacts, OrderedBy
from services.catalogue.orderability import Asked as Asking
from services.catalogue.orderability import refusals_of
from services.catalogue.repository import items_in_force
from services.catalogue.service import facts_of, is_switched_off, today
from services.centres.models import Centre
from services.core.actor import SUPERVISING_ROLES, Role
from services.core.database import Work
from services.orders.errors import ItemsRefused, WindowInvalid
from services.orders.models import Channel
from services.orders.rules import order_limits, window_problem
from services.residents.models import Resident

NOT_ON_THE_MENU = Barrier(
    code="not_on_the_menu", zh="该服务项目目前不能预订", en="This service cannot be ordered now"
)

_NAMES_CONDITIONS = frozenset(Role) - SUPERVISING_ROLES - {Role.CAREGIVER, Role.FAMILY, Role.SYSTEM, Role.TERMINAL}
"""Who is told which condition on the record stands against an item; the family may not be one who sees health."""


async def orderable_items(
    work: Work, resident: Resident, centre: Centre, channel: Channel, codes: Sequence[str], day: date
) -> dict[str, ItemFacts]:
    """The facts of the items by code, as published for today, for a service on ``day``.

    Raises ``ItemsRefused`` with all problems of all.
    """
    stored = await items_in_force(work, today(work), codes)
    facts = {item.code: facts_of(version) for item, version in stored if version.is_active}
    off = await is_switched_off(work, centre.id, codes)
    asking = Asking(
        way=OrderedBy(channel),
        resident_id=resident.id,
        centre_id=centre.id,
        area_code=resident.area_code,
        conditions=tuple(resident.conditions),
        names_conditions=work.actor.role in _NAMES_CONDITIONS,
    )
    unmet = await _unmet(work, resident, list(facts.values()), day)
    found: list[dict[str, Any]] = []
    for number, code in enumerate(codes, start=1):
        barriers = [NOT_ON_THE_MENU]
        if code in facts:
            barriers = [*refusals_of(facts[code], asking, is_offered=code not in off), *unmet.get(code, ())]
        if barriers:
            problems = [barrier.model_dump() for barrier in barriers]
            found.append({"item_code": code, "line_no": number, "problems": problems})
    if found:
        raise ItemsRefused(items=found)
    return facts


async def _unmet(
    work: Work, resident: Resident, items: Sequence[ItemFacts], day: date
) -> Mapping[str, Sequence[Barrier]]:
    """What must be true before, and is not yet, by item."""
    barriers: dict[str, list[Barrier]] = {}
    for unmet in await unmet_preconditions(work, resident, items, day):
        barrier = Barrier(code=str(unmet.precondition), zh=unmet.zh, en=unmet.en)
        barriers.setdefault(unmet.item_code, []).append(barrier)
    return barriers


def require_windows(now: datetime, windows: Sequence[tuple[datetime, datetime]], minutes: int) -> None:
    """Every window must be able to hold the visit. Raises ``WindowInvalid`` for the first that cannot."""
    for number, (start, end) in enumerate(windows, start=1):
        problem = window_problem(now, start, end, minutes, order_limits())
        if problem is not None:
            raise WindowInvalid(reason=problem, duration_minutes=minutes, window=number)
