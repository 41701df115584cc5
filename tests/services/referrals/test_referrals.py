"""Handing a resident over: with an alert and without, step by step, inside the walls."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from services.alerts.models import Alert, AlertLog
from services.core.actor import SYSTEM, Role
from services.core.errors import Forbidden, IllegalTransition, InvalidInput, NotFound, VersionMismatch
from services.core.outbox import OutboxEvent
from services.core.transitions import StatusChange
from services.referrals import service
from services.referrals.errors import NobodyToRefer
from services.referrals.models import ReferralCreate, ReferralKind, ReferralMove, ReferralPublic
from services.referrals.states import ReferralStatus
from tests.world import Case, World, open_case

SAID = ReferralCreate(kind=ReferralKind.AMBULANCE_120, institution="县第一人民医院", reason="跌倒后右髋疼痛")


@pytest.fixture
async def case(fresh_world: World) -> Case:
    return await open_case(fresh_world)


async def refer(world: World, alert_id: UUID) -> ReferralPublic:
    async with world.database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        return await service.refer_from_alert(work, alert_id, SAID)


async def move(
    world: World, referral_id: UUID, status: ReferralStatus, note: str = "", if_match: int | None = None
) -> ReferralPublic:
    async with world.database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        return await service.move_referral(work, referral_id, ReferralMove(status=status, note=note), if_match)


async def test_from_an_alert_to_the_end(fresh_world: World, case: Case) -> None:
    made = await refer(fresh_world, case.alert_id)
    assert (made.resident_id, made.alert_id, made.status) == (
        case.resident_id,
        case.alert_id,
        ReferralStatus.HANDED_OVER,
    )
    received = await move(fresh_world, made.id, ReferralStatus.RECEIVED, "已收入骨科")
    assert received.received_at is not None
    assert received.outcome == "已收入骨科"
    returned = await move(fresh_world, made.id, ReferralStatus.RETURNED)
    assert (returned.outcome, returned.ended_at is not None) == ("已收入骨科", True)
    closed = await move(fresh_world, made.id, ReferralStatus.CLOSED)
    assert (closed.version, closed.ended_at) == (4, returned.ended_at)
    with pytest.raises(IllegalTransition):
        await move(fresh_world, made.id, ReferralStatus.RECEIVED)
    async with fresh_world.database.unit_of_work(SYSTEM) as work:
        history = await work.session.exec(select(StatusChange).where(StatusChange.entity_id == made.id))
        assert {row.to_status for row in history} == {"handed_over", "received", "returned", "closed"}
        log = (await work.session.exec(select(AlertLog).where(AlertLog.alert_id == case.alert_id))).all()
        assert "referred" in {line.what for line in log}
        events = (
            await work.session.exec(select(OutboxEvent).where(OutboxEvent.centre_id == made.centre_id))
        ).all()
        told = [event for event in events if event.name.startswith("referral.")]
    assert len(told) == 4
    assert not any("医院" in str(event.payload) or "跌倒" in str(event.payload) for event in told)


async def test_without_an_alert_it_goes_by_the_residents_home(fresh_world: World, case: Case) -> None:
    async with fresh_world.database.unit_of_work(await fresh_world.actor(Role.CLINICIAN)) as work:
        made = await service.refer(work, case.resident_id, SAID)
    assert (made.alert_id, made.centre_id) == (None, fresh_world.here.centre.id)


async def test_others_see_nothing_of_it(fresh_world: World, case: Case) -> None:
    made = await refer(fresh_world, case.alert_id)
    next_door = await fresh_world.actor(Role.DISPATCHER, fresh_world.neighbour)
    async with fresh_world.database.unit_of_work(next_door) as work:
        assert await service.list_referrals(work, 20, None, [], None, None) == []
        with pytest.raises(NotFound):
            await service.move_referral(work, made.id, ReferralMove(status=ReferralStatus.CLOSED))
        with pytest.raises(NotFound):
            await service.refer_from_alert(work, case.alert_id, SAID)
    async with fresh_world.database.unit_of_work(await fresh_world.actor(Role.COUNTY_OFFICER)) as work:
        with pytest.raises(Forbidden):
            await service.refer(work, case.resident_id, SAID)


async def test_an_alert_of_nobody_refers_nobody(fresh_world: World, case: Case) -> None:
    async with fresh_world.database.unit_of_work(SYSTEM) as work:
        alert = await work.session.get(Alert, case.alert_id)
        assert alert is not None
        alert.resident_id = None
    with pytest.raises(NobodyToRefer):
        await refer(fresh_world, case.alert_id)


async def test_it_cannot_have_happened_in_the_future(fresh_world: World, case: Case) -> None:
    said = SAID.model_copy(update={"handed_over_at": case.now + timedelta(hours=1)})
    async with fresh_world.database.unit_of_work(await fresh_world.actor(Role.DISPATCHER)) as work:
        with pytest.raises(InvalidInput):
            await service.refer(work, case.resident_id, said)


async def test_two_hands_at_once_move_it_once(fresh_world: World, case: Case) -> None:
    made = await refer(fresh_world, case.alert_id)
    moves = (move(fresh_world, made.id, ReferralStatus.RECEIVED, if_match=1) for _ in range(4))
    ended = await asyncio.gather(*moves, return_exceptions=True)
    assert sum(isinstance(one, ReferralPublic) for one in ended) == 1
    assert sum(isinstance(one, VersionMismatch) for one in ended) == 3
