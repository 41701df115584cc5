"""A creating request happens once."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from services.core.actor import Actor, Role
from services.core.database import Database
from services.core.idempotency import IdempotencyKeyReused, claim, keep, request_hash
from tests.world import World


async def create(database: Database, actor: Actor, key: str, body: bytes, effects: list[str]) -> dict[str, Any]:
    """A creating request: claims, acts, keeps."""
    async with database.unit_of_work(actor) as work:
        kept = await claim(work, key, request_hash("POST /orders", body))
        if kept is not None:
            return kept
        effects.append(key)
        await asyncio.sleep(0.05)
        answer = {"id": str(uuid4())}
        await keep(work, key, answer)
        return answer


async def test_a_repeat_gets_the_first_answer(database: Database, world: World) -> None:
    actor, key = await world.actor(Role.DISPATCHER), str(uuid4())
    effects: list[str] = []
    first = await create(database, actor, key, b"{}", effects)
    assert await create(database, actor, key, b"{}", effects) == first
    assert len(effects) == 1


async def test_many_at_once_have_one_effect_and_one_answer(database: Database, world: World) -> None:
    actor, key = await world.actor(Role.DISPATCHER), str(uuid4())
    effects: list[str] = []
    answers = await asyncio.gather(*(create(database, actor, key, b"{}", effects) for _ in range(6)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len(effects) == 1


async def test_another_body_with_the_same_key_is_refused(database: Database, world: World) -> None:
    actor, key = await world.actor(Role.DISPATCHER), str(uuid4())
    await create(database, actor, key, b"{}", [])
    with pytest.raises(IdempotencyKeyReused):
        await create(database, actor, key, b"[]", [])


async def test_anothers_key_is_another_key(database: Database, world: World) -> None:
    key = str(uuid4())
    effects: list[str] = []
    for role in (Role.DISPATCHER, Role.CENTRE_MANAGER):
        await create(database, await world.actor(role), key, role.encode(), effects)
    assert len(effects) == 2


async def test_a_request_that_failed_may_be_repeated(database: Database, world: World) -> None:
    actor, key = await world.actor(Role.DISPATCHER), str(uuid4())

    async def fail() -> None:
        async with database.unit_of_work(actor) as work:
            await claim(work, key, request_hash("POST /orders", b"{}"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    effects: list[str] = []
    await create(database, actor, key, b"{}", effects)
    assert len(effects) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [((b"{}", "POST /a"), (b"{}", "POST /b")), ((b"{}", "POST /a"), (b"{ }", "POST /a"))],
)
def test_operation_and_body_make_the_request(one: tuple[bytes, str], other: tuple[bytes, str]) -> None:
    assert request_hash(one[1], one[0]) != request_hash(other[1], other[0])
