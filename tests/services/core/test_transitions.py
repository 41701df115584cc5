"""A status moves along its table, under its own rules, and leaves its history."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from services.alerts.states import ALERT, LIVE
from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.errors import IllegalTransition
from services.core.transitions import StatusChange, Transitions
from services.dispatch.states import OFFER, PENDING
from services.orders.states import ORDER
from services.terminals.states import TERMINAL
from services.visits.states import ENDED, VISIT
from tests.world import World


class Light(StrEnum):
    RED = "red"
    GREEN = "green"
    BROKEN = "broken"


LIGHT = Transitions[Light](
    "light", {Light.RED: frozenset({Light.GREEN, Light.BROKEN}), Light.GREEN: frozenset({Light.RED})}
)


@dataclass
class Lamp:
    """A row with a status."""

    area_code: str
    status: Light = Light.RED
    version: int = 1
    id: UUID = field(default_factory=uuid4)


async def history(database: Database, lamp: Lamp) -> list[StatusChange]:
    """What is written about a lamp."""
    async with database.unit_of_work(SYSTEM) as work:
        query = select(StatusChange).where(StatusChange.entity_id == lamp.id).order_by(col(StatusChange.id))
        return list((await work.session.exec(query)).all())


@pytest.mark.parametrize(
    ("current", "target", "allowed"),
    [
        (Light.RED, Light.GREEN, True),
        (Light.GREEN, Light.RED, True),
        (Light.GREEN, Light.BROKEN, False),
        (Light.RED, Light.RED, False),
        (Light.BROKEN, Light.RED, False),
    ],
)
def test_the_table_decides(current: Light, target: Light, allowed: bool) -> None:
    assert LIGHT.allows(current, target) is allowed


async def test_a_move_counts_the_version_and_tells_who_when_and_why(database: Database, world: World) -> None:
    actor, lamp = await world.actor(Role.DISPATCHER), Lamp(world.here.town)
    async with database.unit_of_work(actor) as work:
        LIGHT.begin(work, lamp)
        LIGHT.move(work, lamp, Light.GREEN, "nobody is crossing")
        moment = work.now
    assert (lamp.status, lamp.version) == (Light.GREEN, 2)
    began, moved = await history(database, lamp)
    assert (began.from_status, began.to_status, began.reason) == (None, "red", None)
    assert (moved.from_status, moved.to_status, moved.reason) == ("red", "green", "nobody is crossing")
    assert (moved.account_id, moved.role, moved.at) == (actor.account_id, "dispatcher", moment)
    assert (moved.entity, moved.area_code) == ("light", world.here.town)


async def test_a_refused_move_changes_nothing(database: Database, world: World) -> None:
    lamp = Lamp(world.here.town, Light.BROKEN)
    async with database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        with pytest.raises(IllegalTransition) as refused:
            LIGHT.move(work, lamp, Light.RED)
    assert refused.value.extra == {"current": "broken", "target": "red"}
    assert (lamp.status, lamp.version) == (Light.BROKEN, 1)
    assert await history(database, lamp) == []


async def test_a_rollback_takes_the_history_with_it(database: Database, world: World) -> None:
    actor, lamp = await world.actor(Role.DISPATCHER), Lamp(world.here.town)

    async def fail() -> None:
        async with database.unit_of_work(actor) as work:
            LIGHT.move(work, lamp, Light.GREEN)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await history(database, lamp) == []


@pytest.mark.parametrize("table", [ORDER, OFFER, VISIT, ALERT, TERMINAL], ids=lambda table: str(table.entity))
def test_the_houses_tables_have_no_dead_ends_but_final_ones(table: Transitions[StrEnum]) -> None:
    kind = type(next(iter(table.moves)))
    reachable = set(table.moves) | {target for targets in table.moves.values() for target in targets}
    assert reachable == set(kind), "a status that nothing leads to or from"
    for status, targets in table.moves.items():
        assert status not in targets, "a move to itself is no move"
        assert targets


def test_lists_of_statuses_agree_with_their_tables() -> None:
    assert all(status in ALERT.moves for status in LIVE)
    assert all(status in OFFER.moves for status in PENDING)
    assert all(not VISIT.moves.get(status, frozenset()) or status.value == "flagged" for status in ENDED)
