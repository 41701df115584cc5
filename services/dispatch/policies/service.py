"""Which policy holds for an order, who has set it, and whom a centre turns to.

The nearest wins: the centre's for the category, the centre's for all, the county's for the category, the county's
for all, the default that the platform comes with.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final
from uuid import UUID

from services.catalogue.models import Category
from services.centres.models import Centre
from services.centres.repository import centre_by_id
from services.centres.service import centre_in_reach
from services.core.areas import county_of
from services.core.database import Work
from services.core.errors import Forbidden, NotFound, VersionMismatch
from services.core.geo import Point, distance_m
from services.dispatch.errors import NeighbourInvalid
from services.dispatch.policies import repository
from services.dispatch.policies.models import (
    EVERY_CATEGORY,
    AutoMode,
    CentreNeighbour,
    DispatchPolicies,
    DispatchPolicy,
    DispatchPolicyPublic,
    DispatchPolicySave,
    NeighboursPublic,
    NeighboursSave,
    PolicyDocument,
)

VERSIONS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """The policy of one order, with where it comes from."""

    mode: AutoMode
    document: PolicyDocument
    version: int
    source: str


@lru_cache(maxsize=1)
def default_policy() -> Chosen:
    """What the platform comes with: nothing is automatic until somebody says so."""
    raw = json.loads(files("services.dispatch").joinpath("data/dispatch_policy.json").read_text("utf-8"))
    return Chosen(AutoMode(raw["mode"]), PolicyDocument.model_validate(raw["document"]), 0, "default")


async def policy_for(work: Work, centre_id: UUID, category: str) -> Chosen:
    """The policy in force for an order of a centre and a category."""
    centre = await centre_by_id(work, centre_id)
    if centre is None:
        return default_policy()
    areas = _nearest_first(centre)
    row = _nearest(await repository.current_policies(work, areas), areas, category)
    if row is None:
        return default_policy()
    return Chosen(row.mode, PolicyDocument.model_validate(row.document), row.version, _public(row).source)


async def policies_of(work: Work, centre_id: UUID) -> DispatchPolicies:
    """What is in force at a centre: for every category without one of its own, and for those with one."""
    areas = _nearest_first(await centre_in_reach(work, centre_id))
    rows = await repository.current_policies(work, areas)
    categories = sorted({row.category for row in rows} | {EVERY_CATEGORY})
    found = [(category, _nearest(rows, areas, category)) for category in categories]
    return DispatchPolicies(items=[_default(category) if row is None else _public(row) for category, row in found])


def _nearest_first(centre: Centre) -> list[str]:
    return [centre.area_code, county_of(centre.area_code)]


def _nearest(rows: Sequence[DispatchPolicy], areas: Sequence[str], category: str) -> DispatchPolicy | None:
    """The one that wins: the nearer place, and there the category's own before that for all."""
    by_place = {(row.area_code, row.category): row for row in rows}
    wanted = [(area, one) for area in areas for one in (category, EVERY_CATEGORY)]
    return next((by_place[place] for place in wanted if place in by_place), None)


async def versions_of(work: Work, centre_id: UUID) -> DispatchPolicies:
    """Every version that the centre and its county have had, newest first."""
    centre = await centre_in_reach(work, centre_id)
    rows = await repository.policy_versions(work, _nearest_first(centre), VERSIONS_SHOWN)
    return DispatchPolicies(items=[_public(row) for row in rows])


async def save_policy(work: Work, wish: DispatchPolicySave, if_match: int | None) -> DispatchPolicyPublic:
    """A new version in place of the one in force; nothing is edited.

    Raises ``NotFound`` for a centre out of reach, ``Forbidden`` for the county's by somebody of a centre,
    ``VersionMismatch`` when another version is in force than the one it was made for (0: none of its own).
    """
    area_code = await _area_of(work, wish.centre_id)
    category = EVERY_CATEGORY if wish.category is None else str(wish.category)
    await repository.hold_policy(work, area_code, category)
    rows = await repository.current_policies(work, [area_code])
    current = next((row for row in rows if row.category == category), None)
    version = 0 if current is None else current.version
    if if_match is not None and if_match != version:
        raise VersionMismatch(current=version, expected=if_match)
    document = wish.document
    if document is None:
        wider = next((row for row in rows if row.category == EVERY_CATEGORY), None)
        kept = current or wider
        document = default_policy().document if kept is None else PolicyDocument.model_validate(kept.document)
    if current is not None:
        current.ended_at = work.now
        await work.session.flush()
    row = DispatchPolicy(
        centre_id=wish.centre_id,
        area_code=area_code,
        category=category,
        version=version + 1,
        mode=wish.mode,
        document=document.model_dump(mode="json"),
        reason=wish.reason,
        saved_by=work.actor.account_id,
        saved_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    return _public(row)


async def neighbours(work: Work, centre: Centre) -> tuple[list[UUID], bool]:
    """Whom a centre turns to, in order; the nearest of the county (and ``True``) when nobody has named any."""
    rows = await repository.neighbour_rows(work, centre.id)
    if rows:
        return [row.neighbour_id for row in rows], False
    here = Point(centre.latitude, centre.longitude)
    others = [one for one in await repository.centres_of_county(work, centre.area_code) if one.id != centre.id]
    others.sort(key=lambda one: (distance_m(here, Point(one.latitude, one.longitude)), one.area_code))
    return [one.id for one in others], True


async def get_neighbours(work: Work, centre_id: UUID) -> NeighboursPublic:
    """Whom a centre in reach turns to."""
    found, is_default = await neighbours(work, await centre_in_reach(work, centre_id))
    return NeighboursPublic(centre_id=centre_id, neighbour_ids=found, is_default=is_default)


async def set_neighbours(work: Work, centre_id: UUID, wish: NeighboursSave) -> NeighboursPublic:
    """Name them anew, in order; none at all brings the nearest back. Raises ``NeighbourInvalid``."""
    centre = await centre_in_reach(work, centre_id)
    county = {one.id for one in await repository.centres_of_county(work, centre.area_code)}
    wanted = list(dict.fromkeys(wish.neighbour_ids))
    if centre.id in wanted:
        raise NeighbourInvalid(field="neighbour_ids", reason="itself")
    if set(wanted) - county:
        raise NeighbourInvalid(field="neighbour_ids", reason="another_county")
    await repository.hold_policy(work, centre.area_code, "neighbours")
    for row in await repository.neighbour_rows(work, centre.id):
        row.ended_at = work.now
    await work.session.flush()
    for place, neighbour_id in enumerate(wanted):
        work.session.add(
            CentreNeighbour(
                centre_id=centre.id,
                area_code=centre.area_code,
                place=place,
                neighbour_id=neighbour_id,
                set_by=work.actor.account_id,
                set_at=work.now,
            )
        )
    await work.session.flush()
    return await get_neighbours(work, centre.id)


async def _area_of(work: Work, centre_id: UUID | None) -> str:
    """Where a policy stands: at a centre in reach, or in the county of an actor who covers all of it."""
    if centre_id is not None:
        return (await centre_in_reach(work, centre_id)).area_code
    if work.actor.centre_id is not None:
        raise Forbidden
    county = county_of(work.actor.area_code)
    if county != work.actor.area_code:
        raise NotFound
    return county


def _public(row: DispatchPolicy) -> DispatchPolicyPublic:
    return DispatchPolicyPublic(
        centre_id=row.centre_id,
        category=Category(row.category) if row.category else None,
        version=row.version,
        mode=row.mode,
        document=PolicyDocument.model_validate(row.document),
        reason=row.reason,
        saved_by=row.saved_by,
        saved_at=row.saved_at,
        ended_at=row.ended_at,
        source="county" if row.centre_id is None else "centre",
    )


def _default(category: str) -> DispatchPolicyPublic:
    chosen = default_policy()
    return DispatchPolicyPublic(
        centre_id=None,
        category=Category(category) if category else None,
        version=0,
        mode=chosen.mode,
        document=chosen.document,
        reason="",
        saved_by=None,
        saved_at=None,
        ended_at=None,
        source="default",
    )
