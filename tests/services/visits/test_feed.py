"""The family's feed, as far as she agrees; and what is measured by hand, in her vital record and judged."""

from uuid import UUID

import pytest
from sqlalchemy import text

from services.consents.models import Consent, ConsentMethod, ConsentPurpose, Giver
from services.core.actor import Role
from services.core.errors import NotFound
from services.events import VisitEnded, VisitReadingTaken
from services.visits.acts.models import ActKind
from services.visits.feed.models import VisitFeed
from services.visits.feed.service import read_feed, tell_family
from services.visits.models import ReadingAct
from services.visits.readings.service import into_vital_record
from services.visits.service import act
from tests.ordering import Ordering
from tests.services.visits.offline import begin


async def agree(ordering: Ordering) -> None:
    """The resident lets her daughter follow her visits."""
    household = ordering.world.here.households[0]
    async with ordering.work() as work:
        work.session.add(
            Consent(
                resident_id=household.resident.id,
                area_code=household.resident.area_code,
                purpose=ConsentPurpose.FAMILY_FEED,
                scope=str(household.family.id),
                giver=Giver.RESIDENT,
                how=ConsentMethod.IN_APP,
                text_version="test",
                given_at=work.now,
                recorded_role=str(Role.RESIDENT),
            )
        )


async def feed(ordering: Ordering, role: Role = Role.FAMILY) -> VisitFeed:
    """What somebody of the household sees."""
    async with ordering.work(ordering.actor(role)) as work:
        return await read_feed(work, ordering.world.here.households[0].resident.id, 20, None)


async def test_without_her_consent_the_family_sees_nothing(ordering: Ordering) -> None:
    await ordering.completed("bathing")
    shown = await feed(ordering)
    assert (shown.sharing, shown.items) == ("none", [])
    own = await feed(ordering, Role.RESIDENT)
    assert (own.sharing, own.items[0].step, own.items[0].service_zh) == ("own", "done", "助浴（能自行活动者）")


async def test_with_it_they_see_who_comes_and_how_far_it_is(ordering: Ordering) -> None:
    await agree(ordering)
    offline = await begin(ordering)
    steps = []
    for done in (offline.acts[0], offline.acts[1], *offline.acts[2:]):
        await offline.live(done)
        (item,) = (await feed(ordering)).items
        steps.append(str(item.step))
    assert list(dict.fromkeys(steps)) == ["on_the_way", "arrived", "done"]
    assert (item.caregiver_name, item.service_zh, item.tasks_done) == ("陈护理", "助浴（能自行活动者）", 4)
    assert "138" not in item.model_dump_json(), "nothing of what was measured"


async def test_without_consent_to_health_a_visit_is_a_visit(ordering: Ordering) -> None:
    await agree(ordering)
    household = ordering.world.here.households[0]
    async with ordering.work() as work:
        statement = text("UPDATE care_relationship SET may_see_health = false WHERE account_id = :a")
        await work.sql(statement, {"a": household.family.id})
    await ordering.completed("bathing")
    shown = await feed(ordering)
    (item,) = shown.items
    assert (shown.sharing, item.service_zh, item.tasks_done) == ("steps", "上门服务", None)
    assert item.caregiver_name == "陈**"
    assert item.step == "done"


async def test_a_neighbour_s_family_finds_nobody(ordering: Ordering) -> None:
    other = ordering.actor(Role.FAMILY, number=1)
    with pytest.raises(NotFound):
        async with ordering.work(other) as work:
            await read_feed(work, ordering.world.here.households[0].resident.id, 20, None)


async def test_each_step_is_told_once_to_those_whom_she_lets_follow(ordering: Ordering) -> None:
    order = await ordering.completed("bathing")
    (visit,) = (await ordering.read(order.id)).visits
    ended = VisitEnded(
        area_code=order.area_code,
        centre_id=order.centre_id,
        visit_id=visit.id,
        order_id=order.id,
        status="verified",
    )

    async def told() -> list[object]:
        async with ordering.work() as work:
            await tell_family(work, ended)
            await tell_family(work, ended)
        async with ordering.work() as work:
            rows = await work.sql(
                text("SELECT parameters FROM notification WHERE template = 'visit_step' AND account_id = :a"),
                {"a": ordering.world.here.households[0].family.id},
            )
            return list(rows.scalars().all())

    assert await told() == []
    await agree(ordering)
    assert await told() == [{"visit_step": "done"}]


async def test_a_dangerous_value_taken_by_hand_opens_an_alert(ordering: Ordering) -> None:
    offline = await begin(ordering, whole=False)
    await ordering.check_in(offline.order, offline.visit_id, offline.caregiver_id)
    for value in (88, 79, 78, 77):
        ordering.clock.forward(minutes=2)
        said = ReadingAct(kind="spo2", value=value, device_at=ordering.clock.now())
        async with ordering.work(ordering.as_caregiver(offline.caregiver_id)) as work:
            shown = await act(work, offline.visit_id, ActKind.READING, said, None)
    for reading in shown.readings:
        taken = VisitReadingTaken(
            area_code=offline.order.area_code,
            centre_id=offline.order.centre_id,
            visit_id=offline.visit_id,
            reading_id=UUID(reading["id"]),
        )
        for _ in range(2):  # a handler may run again
            async with ordering.work() as work:
                await into_vital_record(work, taken)
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT count(*), min(terminal_id::text) FROM reading WHERE resident_id = :r AND kind = 'spo2'"),
            {"r": offline.order.resident_id},
        )
        count, source = rows.one()
        assert count == 4
        assert source in {reading["id"] for reading in shown.readings}, "it says where it comes from"
        alerts = await work.sql(
            text("SELECT kind, terminal_id, severity FROM alert WHERE resident_id = :r AND kind = 'spo2'"),
            {"r": offline.order.resident_id},
        )
        (alert,) = alerts.all()
    assert (alert.kind, alert.terminal_id) == ("spo2", None)
    assert alert.severity >= 3
