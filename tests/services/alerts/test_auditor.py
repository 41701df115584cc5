"""The auditor: raises what nobody looks after, whatever is wrong with the ladder, and says that it is alive."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.alerts import service
from services.alerts.auditor import PROCESS, audit
from services.alerts.models import AlertKind
from services.core.actor import SYSTEM, Role
from services.core.heartbeat import beat_once
from tests.desk import Scene


async def spoil(scene: Scene, alert_id: Any, change: str, **values: Any) -> None:
    async with scene.desk.unit_of_work(SYSTEM) as work:
        await work.sql(text(f"{change} WHERE alert_id = :id"), {"id": alert_id, **values})


@pytest.fixture
async def alone(scene: Scene) -> Scene:
    """Alerts of other tests are none of this one's business."""
    later = {"now": scene.clock.now() + timedelta(days=1)}
    async with scene.desk.unit_of_work(SYSTEM) as work:
        await work.sql(text("UPDATE escalation SET audited_at = :now"), later)
        await work.sql(
            text(
                "INSERT INTO escalation (alert_id, area_code, policy, step, repeat, loops, audited_at)"
                " SELECT id, area_code, '{}', -1, 0, 0, :now FROM alert WHERE id NOT IN"
                " (SELECT alert_id FROM escalation)"
            ),
            later,
        )
    return scene


def everybody(scene: Scene) -> set[Any]:
    here, neighbour = scene.world.here.staff, scene.world.neighbour.staff
    return {
        here[Role.DISPATCHER].id,
        here[Role.CENTRE_MANAGER].id,
        here[Role.COUNTY_OFFICER].id,
        neighbour[Role.COUNTY_OFFICER].id,
        neighbour[Role.DISPATCHER].id,
    }


async def raised_for(scene: Scene, alert_id: Any) -> set[Any]:
    return {page.account_id for page in await scene.pages(alert_id) if page.why == "auditor"}


async def test_a_step_that_nobody_climbs_is_raised_to_everybody_on_duty(alone: Scene) -> None:
    raised = await alone.press()
    alone.clock.forward(seconds=14)
    assert await audit(alone.desk) == 0
    alone.clock.forward(seconds=2)
    assert await audit(alone.desk) == 1
    assert await raised_for(alone, raised.alert_id) == everybody(alone)
    assert "auditor_raised" in await alone.log(raised.alert_id)
    assert "alert.unattended" in [event.name for event in await alone.events(raised.alert_id)]


async def test_it_raises_again_while_it_stays_so_but_not_at_every_look(alone: Scene) -> None:
    raised = await alone.press()
    alone.clock.forward(seconds=20)
    assert [await audit(alone.desk), await audit(alone.desk)] == [1, 0]
    alone.clock.forward(seconds=121)
    assert await audit(alone.desk) == 1
    assert (await alone.log(raised.alert_id)).count("auditor_raised") == 2


async def test_an_expired_lease_that_nobody_acts_on_is_raised(alone: Scene) -> None:
    raised = await alone.press()
    await alone.climb()
    await alone.do(Role.DISPATCHER, service.acknowledge, raised.alert_id)
    alone.clock.forward(seconds=599)
    assert await audit(alone.desk) == 0
    alone.clock.forward(seconds=20)
    assert await audit(alone.desk) == 1


async def test_an_alert_without_a_ladder_gets_one(alone: Scene) -> None:
    raised = await alone.press()
    async with alone.desk.unit_of_work(SYSTEM) as work:
        await work.sql(text("DELETE FROM escalation WHERE alert_id = :id"), {"id": raised.alert_id})
    alone.clock.forward(seconds=20)
    assert await audit(alone.desk) == 1
    await alone.climb()
    assert (await alone.ladder(raised.alert_id)).step == 0


async def test_an_open_alert_for_which_nothing_is_planned_is_made_due(alone: Scene) -> None:
    raised = await alone.press()
    await alone.climb()
    await spoil(alone, raised.alert_id, "UPDATE escalation SET next_at = NULL")
    alone.clock.forward(seconds=20)
    assert await audit(alone.desk) == 1
    await alone.climb()
    assert (await alone.ladder(raised.alert_id)).repeat == 1


@pytest.mark.parametrize(
    "policy", ['{"steps": "rubbish"}', "{}", '{"steps": [{"after_seconds": "x"}]}', "[]", "7"]
)
async def test_a_broken_ladder_is_raised_and_goes_on_with_the_default(alone: Scene, policy: str) -> None:
    broken, good = await alone.press(), await alone.press(AlertKind.SMOKE)
    await alone.climb()
    await spoil(alone, broken.alert_id, "UPDATE escalation SET policy = CAST(:policy AS jsonb)", policy=policy)
    await alone.climb(seconds=30)
    await alone.climb(seconds=30)
    assert (await alone.ladder(good.alert_id)).step == 1, "the others climb"
    assert (await alone.ladder(broken.alert_id)).step == 0
    assert await audit(alone.desk) == 1
    assert await raised_for(alone, broken.alert_id) == everybody(alone)
    await alone.climb()
    ladder = await alone.ladder(broken.alert_id)
    assert (ladder.failed_at, len(ladder.policy["steps"])) == (None, 4)
    for _ in range(2):
        await alone.climb(seconds=31)
    assert (await alone.ladder(broken.alert_id)).step == 1


async def test_what_somebody_else_holds_is_raised_without_waiting(alone: Scene) -> None:
    raised = await alone.press()
    alone.clock.forward(seconds=20)
    async with alone.desk.unit_of_work(SYSTEM) as stuck:
        await stuck.sql(text("SELECT 1 FROM alert WHERE id = :id FOR NO KEY UPDATE"), {"id": raised.alert_id})
        assert await audit(alone.desk) == 1
    assert await raised_for(alone, raised.alert_id) == everybody(alone)


async def test_a_settled_alert_is_left_alone(alone: Scene) -> None:
    raised = await alone.press()
    await alone.climb()
    assert await audit(alone.desk) == 0
    assert await raised_for(alone, raised.alert_id) == set()


async def test_its_heartbeat_is_its_own(alone: Scene) -> None:
    await beat_once(alone.desk, PROCESS)
    async with alone.desk.unit_of_work(SYSTEM) as work:
        found = await work.sql(text("SELECT beaten_at FROM heartbeat WHERE process = 'auditor'"))
        assert found.scalar_one() == alone.clock.now()
