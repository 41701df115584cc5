"""The actor's walls as SQL conditions; row-level security holds the same walls a second time."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, false, or_, true
from sqlmodel import col

from services.core.actor import Actor


def within(actor: Actor, area_code: Any, resident_id: Any = None) -> list[ColumnElement[bool]]:
    """Conditions that keep a query inside the actor's area and, where it has one, its resident wall.

    An actor without an area (and not the system) sees nothing. A caregiver who visits a resident for another
    centre sees her as those of her own area.
    """
    conditions: list[ColumnElement[bool]] = []
    if not actor.is_system:
        in_area = col(area_code).startswith(actor.area_code) if actor.area_code else false()
        if resident_id is not None and actor.visited_residents:
            in_area = or_(in_area, col(resident_id).in_(actor.visited_residents))
        conditions.append(in_area)
    if resident_id is not None and actor.resident_ids is not None:
        conditions.append(col(resident_id).in_(actor.resident_ids))
    return conditions


def within_or_aided(actor: Actor, area_code: Any, resident_id: Any) -> ColumnElement[bool]:
    """The same, or a resident whose alert the actor's centre helps with. For the emergency card only."""
    reach = and_(*within(actor, area_code, resident_id), true())
    return or_(reach, col(resident_id).in_(actor.aided_residents))


def within_or_lent(actor: Actor, area_code: Any, resident_id: Any, order_id: Any) -> ColumnElement[bool]:
    """The same, or another centre's order that the actor's centre was asked to help with. For dispatch only."""
    reach = and_(*within(actor, area_code, resident_id), true())
    return or_(reach, col(order_id).in_(actor.aided_orders)) if actor.aided_orders else reach


def walls(actor: Actor) -> dict[str, str | list[UUID] | None]:
    """The same for hand-written SQL: ``:area`` is a LIKE pattern, ``:residents`` an array or NULL for all.

    The query says ``area_code LIKE :area AND (:residents IS NULL OR resident_id = ANY(:residents))`` and types
    ``:residents`` with ``RESIDENTS``.
    """
    nothing = not actor.area_code and not actor.is_system
    return {
        "area": "" if nothing else f"{actor.area_code}%",
        "residents": None if actor.resident_ids is None else list(actor.resident_ids),
    }


RESIDENTS = ARRAY(Uuid)
"""The type of the ``:residents`` parameter."""
