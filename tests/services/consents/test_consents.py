"""Consents as they are given, revoked, and asked for."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.consents.errors import (
    AlreadyReplaced,
    EvidenceMissing,
    GuardianNeeded,
    MethodNotYours,
    ScopeInvalid,
    TermOver,
    TextOutdated,
)
from services.consents.models import ConsentEnd, ConsentGive, ConsentPublic, ConsentPurpose, ConsentRevoke, Giver
from services.consents.service import give_consent, has_consent, list_consents, revoke_consent
from services.consents.texts import text_in_force
from services.core.actor import SYSTEM, Actor, Role
from services.core.database import Database
from services.core.errors import NotFound
from services.residents.models import RelationKind
from tests.people import relationship
from tests.permits import today
from tests.world import World

PHOTOS = ConsentPurpose.VISIT_PHOTOS
NURSING = ConsentPurpose.HOME_NURSING


def wish(purpose: ConsentPurpose = PHOTOS, how: str = "in_app", **said: Any) -> ConsentGive:
    return ConsentGive.model_validate({"purpose": purpose, "how": how, "text_version": "2026-11", **said})


async def give(database: Database, actor: Actor, resident_id: UUID, given: ConsentGive) -> ConsentPublic:
    async with database.unit_of_work(actor) as work:
        return await give_consent(work, resident_id, given)


async def holds(
    database: Database,
    resident_id: UUID,
    purpose: ConsentPurpose = PHOTOS,
    scope: str | None = None,
    days: int = 0,
) -> bool:
    async with database.unit_of_work(SYSTEM) as work:
        return await has_consent(work, resident_id, purpose, scope, today(work) + timedelta(days=days))


async def test_given_in_the_app_and_revoked_at_once(database: Database, fresh_world: World) -> None:
    resident, actor = fresh_world.here.households[0].resident, await fresh_world.actor(Role.RESIDENT)
    assert not await holds(database, resident.id)
    made = await give(database, actor, resident.id, wish())
    assert (made.giver, made.is_in_force, made.recorded_role) == (Giver.RESIDENT, True, "resident")
    assert await holds(database, resident.id)
    async with database.unit_of_work(actor) as work:
        ended = await revoke_consent(work, made.id, ConsentRevoke(reason="不想再拍照"))
        assert (ended.is_in_force, ended.ended_how) == (False, ConsentEnd.REVOKED)
    assert not await holds(database, resident.id)
    async with database.unit_of_work(actor) as work:
        again = await revoke_consent(work, made.id, ConsentRevoke(reason="再一次"))
        assert (again.end_reason, again.ended_at) == ("不想再拍照", ended.ended_at)
    anew = await give(database, actor, resident.id, wish())
    assert anew.id != made.id
    async with database.unit_of_work(actor) as work:
        history = [one.id for one in await list_consents(work, resident.id, 20, None)]
    assert history[:2] == [anew.id, made.id]


async def test_64_taps_at_once_are_one_consent(database: Database, fresh_world: World) -> None:
    resident, actor = fresh_world.here.households[0].resident, await fresh_world.actor(Role.RESIDENT)
    wide = Database(database.url, pool_size=20)
    try:
        made = await asyncio.gather(*(give(wide, actor, resident.id, wish()) for _ in range(64)))
    finally:
        await wide.close()
    assert len({one.id for one in made}) == 1


async def test_another_term_replaces_the_old_consent(database: Database, fresh_world: World) -> None:
    resident, actor = fresh_world.here.households[0].resident, await fresh_world.actor(Role.RESIDENT)
    first = await give(database, actor, resident.id, wish())
    async with database.unit_of_work(SYSTEM) as work:
        last = today(work) + timedelta(days=30)
    second = await give(database, actor, resident.id, wish(valid_until=last))
    assert second.id != first.id
    assert (await holds(database, resident.id, days=30), await holds(database, resident.id, days=31)) == (
        True,
        False,
    )
    with pytest.raises(AlreadyReplaced):
        async with database.unit_of_work(actor) as work:
            await revoke_consent(work, first.id, ConsentRevoke())


@pytest.mark.parametrize(
    ("given_scope", "asked", "expected"),
    [
        (None, None, True),
        (None, "wound_dressing", True),
        ("nursing", "nursing", True),
        ("nursing", None, False),
        ("wound_dressing", "wound_dressing", True),
        ("wound_dressing", "injection", False),
    ],
)
async def test_a_consent_reaches_as_far_as_its_scope(
    database: Database, fresh_world: World, given_scope: str | None, asked: str | None, expected: bool
) -> None:
    resident, actor = fresh_world.here.households[0].resident, await fresh_world.actor(Role.RESIDENT)
    async with database.unit_of_work(actor) as work:
        for one in await list_consents(work, resident.id, 20, None):
            await revoke_consent(work, one.id, ConsentRevoke())
    await give(database, actor, resident.id, wish(NURSING, scope=given_scope))
    assert await holds(database, resident.id, NURSING, asked) is expected


async def test_a_relative_consents_only_as_guardian(database: Database, fresh_world: World) -> None:
    household = fresh_world.here.households[0]
    family = await fresh_world.actor(Role.FAMILY)
    with pytest.raises(GuardianNeeded):
        await give(database, family, household.resident.id, wish())
    async with database.unit_of_work(SYSTEM) as work:
        work.session.add(relationship(work, household.resident, household.family, RelationKind.GUARDIAN))
    made = await give(
        database, await fresh_world.actor(Role.FAMILY), household.resident.id, wish(giver="resident")
    )
    assert (made.giver, made.giver_name) == (Giver.GUARDIAN, household.family.display_name)


async def test_the_feed_is_for_one_account_that_belongs_to_her(database: Database, fresh_world: World) -> None:
    one, other = fresh_world.here.households
    actor = await fresh_world.actor(Role.RESIDENT)
    feed = ConsentPurpose.FAMILY_FEED
    with pytest.raises(ScopeInvalid):
        await give(database, actor, one.resident.id, wish(feed, scope=str(other.family.id)))
    await give(database, actor, one.resident.id, wish(feed, scope=str(one.family.id)))
    assert await holds(database, one.resident.id, feed, str(one.family.id))
    assert not await holds(database, one.resident.id, feed, str(other.family.id))


@pytest.mark.parametrize(
    ("role", "said", "refusal"),
    [
        (Role.RESIDENT, {"how": "spoken"}, MethodNotYours),
        (Role.DISPATCHER, {"how": "in_app"}, MethodNotYours),
        (Role.DISPATCHER, {"how": "signature"}, EvidenceMissing),
        (Role.DISPATCHER, {"how": "spoken", "giver": "guardian"}, EvidenceMissing),
        (Role.RESIDENT, {"scope": "kitchen"}, ScopeInvalid),
        (Role.RESIDENT, {"purpose": "home_nursing", "scope": "flying"}, ScopeInvalid),
        (Role.RESIDENT, {"text_version": "2019-01"}, TextOutdated),
        (Role.RESIDENT, {"valid_until": "2020-01-01"}, TermOver),
    ],
)
async def test_what_is_no_consent_is_refused(
    database: Database, world: World, role: Role, said: dict[str, Any], refusal: type[Exception]
) -> None:
    resident = world.here.households[0].resident
    with pytest.raises(refusal):
        await give(database, await world.actor(role), resident.id, wish(**said))
    assert not await holds(database, resident.id)


async def test_staff_write_down_what_was_said_and_a_stranger_finds_nobody(
    database: Database, fresh_world: World
) -> None:
    resident = fresh_world.here.households[0].resident
    dispatcher = await fresh_world.actor(Role.DISPATCHER)
    made = await give(database, dispatcher, resident.id, wish(how="spoken", giver="guardian", giver_name="李女士"))
    assert (made.giver_name, made.recorded_role) == ("李女士", "dispatcher")
    for role, place in ((Role.DISPATCHER, fresh_world.neighbour), (Role.CAREGIVER, fresh_world.here)):
        stranger = await fresh_world.actor(role, place)
        with pytest.raises(NotFound):
            await give(database, stranger, resident.id, wish(how="spoken"))
        with pytest.raises(NotFound):
            async with database.unit_of_work(stranger) as work:
                await revoke_consent(work, made.id, ConsentRevoke())
    neighbour = await fresh_world.actor(Role.RESIDENT, number=1)
    with pytest.raises(NotFound):
        async with database.unit_of_work(neighbour) as work:
            await list_consents(work, resident.id, 20, None)
    assert text_in_force(PHOTOS, made.given_at.date()).version == made.text_version
