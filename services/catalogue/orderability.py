"""Why somebody cannot order an item. Pure: the item, who asks, for whom, and what is on her record."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from services.catalogue.models import Barrier, Contraindication, Effect, ItemContent, NursingList, OrderedBy
from services.core.actor import Role

WAYS: dict[Role, OrderedBy] = {
    Role.RESIDENT: OrderedBy.APP,
    Role.FAMILY: OrderedBy.FAMILY,
    Role.CLINICIAN: OrderedBy.VILLAGE_DOCTOR,
    Role.DISPATCHER: OrderedBy.PHONE,
    Role.CENTRE_MANAGER: OrderedBy.PHONE,
}
"""How an order of each role comes; others do not order."""

_WAY_WORDS = {
    OrderedBy.APP: ("长者本人", "the resident"),
    OrderedBy.FAMILY: ("家属", "the family"),
    OrderedBy.VILLAGE_DOCTOR: ("医生", "a clinician"),
    OrderedBy.PHONE: ("调度员（电话）", "the dispatcher by phone"),
    OrderedBy.CARE_PLAN: ("照护计划", "a care plan"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks and for whom. ``None`` is what is not known or not asked about.

    ``names_conditions``: whether the reader may be told which condition stands against an item.
    """

    way: OrderedBy | None = None
    resident_id: UUID | None = None
    centre_id: UUID | None = None
    area_code: str | None = None
    conditions: tuple[str, ...] = ()
    names_conditions: bool = False


def refusals_of(item: ItemContent, asked: Asked, is_offered: bool) -> list[Barrier]:
    """What stands in the way, the gravest first; ``is_offered`` is the centre's own word."""
    return list(_refusals(item, asked, is_offered))


def warnings_of(item: ItemContent, asked: Asked) -> list[Barrier]:
    """What to look at before, without being in the way."""
    return [_against(found, asked) for found in contraindicated(item, asked.conditions, Effect.WARN)]


def contraindicated(
    item: ItemContent, conditions: tuple[str, ...] | list[str], effect: Effect
) -> list[Contraindication]:
    """The contraindications of an effect that recorded conditions name: their words stand in the record's."""
    return [
        one
        for one in item.contraindications
        if one.effect is effect and any(one.condition.strip() in condition for condition in conditions)
    ]


def lists_area(item: ItemContent, area_code: str) -> bool:
    """Whether the county lists an item for an area: everywhere, or in an area that holds it."""
    return not item.offered_areas or any(area_code.startswith(area) for area in item.offered_areas)


def _refusals(item: ItemContent, asked: Asked, is_offered: bool) -> Iterator[Barrier]:
    if item.nursing_list is NursingList.NEGATIVE:
        yield Barrier(
            code="negative_list",
            zh=f"负面清单项目，不得上门服务（依据：{item.list_source}）",
            en=f"On the negative list; not to be done at home (source: {item.list_source})",
        )
    if not is_offered or (asked.area_code is not None and not lists_area(item, asked.area_code)):
        yield Barrier(code="not_offered_here", zh="本地服务中心暂不提供此项服务", en="Not offered by this centre")
    if asked.way is not None and asked.way not in item.may_order:
        zh = "、".join(_WAY_WORDS[way][0] for way in item.may_order)
        en = ", ".join(_WAY_WORDS[way][1] for way in item.may_order)
        yield Barrier(code="may_not_order_this", zh=f"此项服务只能由{zh}下单", en=f"Only to be ordered by {en}")
    for found in contraindicated(item, asked.conditions, Effect.BLOCK):
        yield _against(found, asked)


def _against(found: Contraindication, asked: Asked) -> Barrier:
    if not asked.names_conditions:
        return Barrier(
            code="contraindication",
            zh="因健康记录中的情况，请先咨询医生",
            en="Because of something on the health record, ask the clinician first",
        )
    return Barrier(
        code="contraindication",
        zh=f"健康记录有“{found.condition}”：{found.zh}",
        en=f"On record: {found.condition}. {found.en}",
    )
