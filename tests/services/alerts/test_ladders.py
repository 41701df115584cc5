"""Ladders at work: the first page at once, who is on which step, nobody on duty, a new press."""

from datetime import time
from typing import Any

import pytest
from sqlalchemy import text

from services.alerts import policies, service
from services.alerts.errors import PolicyInvalid
from services.alerts.models import AlertKind, AlertPage
from services.alerts.policy_models import NewPolicy, PolicyChange, PolicyDocument, PolicyPublic
from services.alerts.states import AlertStatus, Severity
from services.core.actor import SYSTEM, Role
from services.core.errors import Forbidden, NotFound, VersionMismatch
from services.residents.models import RelationKind
from tests.desk import Scene
from tests.people import relationship

DISPATCHER = {"who": "duty", "role": "dispatcher"}
MANAGER = {"who": "duty", "role": "centre_manager"}
COUNTY = {"who": "county", "role": "county_officer"}


def document(*steps: dict[str, Any]) -> PolicyDocument:
    return PolicyDocument.model_validate(
        {
            "steps": steps,
            "loop_seconds": 120,
            "acknowledged_lease_seconds": 300,
            "responding_lease_seconds": 2700,
            "on_scene_lease_seconds": 7200,
        }
    )


def step(after: int, *recipients: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"after_seconds": after, "recipients": recipients, "channels": ["app", "voice"], **more}


async def lay_down(scene: Scene, ladder: PolicyDocument, **more: Any) -> PolicyPublic:
    """A policy of the centre, by its manager."""
    new = NewPolicy(centre_id=scene.world.here.centre.id, name="本镇", min_severity=1, document=ladder, **more)
    async with scene.desk.unit_of_work(await scene.actor(Role.CENTRE_MANAGER)) as work:
        return await policies.add_policy(work, new)


def steps_of(pages: list[AlertPage]) -> list[tuple[int, int, int]]:
    """Each rung once, in order."""
    return list(dict.fromkeys((page.loop, page.step, page.repeat) for page in pages))


async def test_the_first_step_is_paged_at_once(scene: Scene) -> None:
    raised = await scene.press()
    await scene.climb()
    here = scene.world.here
    pages = await scene.pages(raised.alert_id)
    assert {(page.why, page.account_id) for page in pages} == {
        ("duty:dispatcher", here.staff[Role.DISPATCHER].id),
        ("family", here.households[0].family.id),
    }
    key = f"alert:{raised.alert_id}:0:0:0"
    assert set(await scene.notices(raised.alert_id)) == {
        (key, here.staff[Role.DISPATCHER].id, "alert_page"),
        (key, here.households[0].family.id, "alert_family"),
    }


async def test_the_default_ladder_climbs_over_the_neighbour_to_the_county_and_round_again(scene: Scene) -> None:
    raised = await scene.press()
    for seconds in (0, 30, 30, 120, 120, 120):
        await scene.climb(seconds=seconds)
    pages = await scene.pages(raised.alert_id)
    assert steps_of(pages) == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 2, 0), (0, 3, 0), (1, 0, 0)]
    world = scene.world
    desk = {page.step: page.account_id for page in pages if ":" in page.why}
    assert desk[1] == world.here.staff[Role.CENTRE_MANAGER].id
    assert desk[2] == world.neighbour.staff[Role.DISPATCHER].id
    counties = {place.staff[Role.COUNTY_OFFICER].id for place in (world.here, world.neighbour)}
    assert {page.account_id for page in pages if page.step == 3} == counties


async def test_family_hears_of_a_call_but_of_a_reading_only_with_consent(scene: Scene) -> None:
    household = scene.world.here.households[0]
    raised = await scene.press(AlertKind.HEART_RATE, severity=Severity.LIFE_SAFETY)
    await scene.climb()
    assert household.family.id in {page.account_id for page in await scene.pages(raised.alert_id)}
    async with scene.desk.unit_of_work(SYSTEM) as work:
        await work.sql(
            text("UPDATE care_relationship SET may_see_health = false WHERE resident_id = :id"),
            {"id": household.resident.id},
        )
    second = await scene.press(AlertKind.SPO2, severity=Severity.LIFE_SAFETY)
    await scene.climb()
    assert household.family.id not in {page.account_id for page in await scene.pages(second.alert_id)}
    third = await scene.press(AlertKind.SOS)
    await scene.climb()
    assert household.family.id in {page.account_id for page in await scene.pages(third.alert_id)}


async def test_emergency_contacts_stand_in_for_a_family_without_accounts(scene: Scene) -> None:
    await scene.disable(scene.world.here.households[0].family.id)
    raised = await scene.press()
    await scene.climb()
    assert [page.why for page in await scene.pages(raised.alert_id) if page.contact_id] == ["contact"]


async def test_the_village_doctor_is_paged_in_parallel(scene: Scene) -> None:
    place = scene.world.here
    doctor = place.caregiver_accounts[0]
    async with scene.desk.unit_of_work(SYSTEM) as work:
        work.session.add(relationship(work, place.households[0].resident, doctor, RelationKind.VILLAGE_DOCTOR))
    raised = await scene.press()
    await scene.climb()
    assert ("village_doctor", doctor.id) in {(p.why, p.account_id) for p in await scene.pages(raised.alert_id)}


async def test_nobody_on_duty_is_written_down_and_the_next_step_paged_at_once(scene: Scene) -> None:
    await scene.disable(scene.world.here.staff[Role.DISPATCHER].id)
    raised = await scene.press()
    await scene.climb()
    assert await scene.log(raised.alert_id) == ["policy_chosen", "nobody_on_duty", "paged"]
    ladder = await scene.ladder(raised.alert_id)
    assert (ladder.step, ladder.nobody_since) == (1, None)


async def test_a_whole_ladder_without_anybody_says_so_and_goes_on(scene: Scene) -> None:
    world = scene.world
    await scene.disable(*(account.id for p in (world.here, world.neighbour) for account in p.staff.values()))
    raised = await scene.press()
    await scene.climb()
    assert "nobody_at_all" in await scene.log(raised.alert_id)
    assert "alert.unattended" in [event.name for event in await scene.events(raised.alert_id)]
    assert (await scene.ladder(raised.alert_id)).nobody_since is not None
    async with scene.desk.unit_of_work(SYSTEM) as work:
        await work.sql(
            text("UPDATE account SET disabled_at = NULL WHERE id = :id"),
            {"id": world.here.staff[Role.CENTRE_MANAGER].id},
        )
    await scene.climb(seconds=121)
    assert (await scene.ladder(raised.alert_id)).nobody_since is None
    assert world.here.staff[Role.CENTRE_MANAGER].id in {p.account_id for p in await scene.pages(raised.alert_id)}


async def test_a_press_while_somebody_has_it_pages_responder_and_desk(scene: Scene) -> None:
    raised = await scene.press()
    await scene.climb()
    await scene.do(Role.CENTRE_MANAGER, service.acknowledge, raised.alert_id)
    before = len(await scene.pages(raised.alert_id))
    await scene.press()
    await scene.climb()
    staff = scene.world.here.staff
    again = (await scene.pages(raised.alert_id))[before:]
    assert {(page.why, page.account_id) for page in again} == {
        ("duty:dispatcher", staff[Role.DISPATCHER].id),
        ("responder", staff[Role.CENTRE_MANAGER].id),
    }
    assert f"alert:{raised.alert_id}:press:2" in {key for key, _, _ in await scene.notices(raised.alert_id)}
    alert = await scene.alert(raised.alert_id)
    assert (alert.status, alert.occurrences) == (AlertStatus.ACKNOWLEDGED, 2)
    assert alert.lease_until == (await scene.ladder(raised.alert_id)).next_at, "the lease runs on"


async def test_a_press_while_nobody_has_it_pages_again_for_life_safety_only(scene: Scene) -> None:
    for kind, pages_more in ((AlertKind.SOS, True), (AlertKind.WATER, False)):
        raised = await scene.press(kind)
        await scene.climb()
        before = len(await scene.pages(raised.alert_id))
        await scene.press(kind)
        await scene.climb(seconds=1)
        assert (len(await scene.pages(raised.alert_id)) > before) is pages_more
        assert "alert.repeated" in [event.name for event in await scene.events(raised.alert_id)]


async def test_the_policy_is_frozen_when_the_alert_opens(scene: Scene) -> None:
    saved = await lay_down(scene, document(step(0, MANAGER), step(60, COUNTY)))
    raised = await scene.press()
    await scene.climb()
    assert {page.why for page in await scene.pages(raised.alert_id)} == {"duty:centre_manager"}
    async with scene.desk.unit_of_work(await scene.actor(Role.CENTRE_MANAGER)) as work:
        change = PolicyChange(name="改", min_severity=1, document=document(step(0, DISPATCHER)))
        changed = await policies.change_policy(work, saved.policy_id, change, saved.version)
    assert changed.version == 2
    await scene.climb(seconds=61)
    assert {page.why for page in await scene.pages(raised.alert_id)} == {
        "duty:centre_manager",
        "county:county_officer",
    }
    later = await scene.press(AlertKind.SMOKE)
    await scene.climb()
    assert {page.why for page in await scene.pages(later.alert_id)} == {"duty:dispatcher"}


async def test_who_acts_before_the_first_page_gets_the_lease_of_the_centres_policy(scene: Scene) -> None:
    await lay_down(scene, document(step(0, MANAGER), step(60, COUNTY)))
    raised = await scene.press()
    alert = await scene.do(Role.DISPATCHER, service.acknowledge, raised.alert_id)
    assert (alert.lease_until - alert.acknowledged_at).total_seconds() == 300


async def test_an_alert_that_becomes_graver_gets_the_policy_for_that(scene: Scene) -> None:
    raised = await scene.press(AlertKind.HEART_RATE, severity=Severity.WARNING)
    await scene.climb()
    family = scene.world.here.households[0].family.id
    assert family not in {page.account_id for page in await scene.pages(raised.alert_id)}
    await scene.press(AlertKind.HEART_RATE, severity=Severity.LIFE_SAFETY)
    await scene.climb(seconds=1)
    assert family in {page.account_id for page in await scene.pages(raised.alert_id)}
    assert "policy_raised" in await scene.log(raised.alert_id)


async def test_a_step_that_all_must_acknowledge_pages_until_all_did(scene: Scene) -> None:
    every = {"count": 0, "every_seconds": 20}
    await lay_down(scene, document(step(0, DISPATCHER, MANAGER, all_must_acknowledge=True, repeats=every)))
    staff = scene.world.here.staff
    dispatcher, manager = staff[Role.DISPATCHER].id, staff[Role.CENTRE_MANAGER].id
    raised = await scene.press()
    await scene.climb()
    await scene.do(Role.DISPATCHER, service.acknowledge, raised.alert_id)
    for _ in range(2):
        await scene.climb(seconds=20)
    pages = [(page.repeat, page.account_id) for page in await scene.pages(raised.alert_id)]
    assert sorted(pages[:2]) == sorted([(0, dispatcher), (0, manager)])
    assert pages[2:] == [(1, manager), (2, manager)], "only the one who has not, though the alert is taken"
    await scene.do(Role.CENTRE_MANAGER, service.acknowledge_page, raised.alert_id)
    await scene.climb(seconds=20)
    await scene.climb(seconds=20)
    assert len(await scene.pages(raised.alert_id)) == 4
    assert all(page.acknowledged_at for page in await scene.pages(raised.alert_id))
    assert (await scene.alert(raised.alert_id)).responder_account_id == dispatcher


async def test_a_policy_for_other_hours_is_not_for_now(scene: Scene) -> None:
    await lay_down(scene, document(step(0, MANAGER)), weekdays=[1], from_time=time(3), until_time=time(3, 1))
    scene.clock.forward(minutes=2)
    raised = await scene.press()
    await scene.climb()
    assert "duty:dispatcher" in {page.why for page in await scene.pages(raised.alert_id)}


async def test_a_broken_ladder_does_not_stop_the_others(scene: Scene) -> None:
    broken, good = await scene.press(AlertKind.SOS), await scene.press(AlertKind.SMOKE)
    await scene.climb()
    async with scene.desk.unit_of_work(SYSTEM) as work:
        await work.sql(
            text("""UPDATE escalation SET policy = '{"steps": "rubbish"}' WHERE alert_id = :id"""),
            {"id": broken.alert_id},
        )
    await scene.climb(seconds=61)
    await scene.climb(seconds=61)
    assert (await scene.ladder(good.alert_id)).step == 1
    ladder = await scene.ladder(broken.alert_id)
    assert (ladder.step, ladder.failed_with) == (0, "ValidationError")


async def test_policies_are_saved_by_those_who_may_and_checked(scene: Scene) -> None:
    bad = document(step(5, DISPATCHER))
    with pytest.raises(PolicyInvalid) as refusal:
        await lay_down(scene, bad)
    assert refusal.value.extra["problems"][0]["code"] == "first_step_not_at_once"
    saved = await lay_down(scene, document(step(0, MANAGER)))
    change = PolicyChange(name="改", document=document(step(0, DISPATCHER)))
    async with scene.desk.unit_of_work(await scene.actor(Role.CENTRE_MANAGER)) as work:
        with pytest.raises(VersionMismatch):
            await policies.change_policy(work, saved.policy_id, change, 7)
        with pytest.raises(Forbidden):
            await policies.add_policy(work, NewPolicy(name="县", document=document(step(0, COUNTY))))
    async with scene.desk.unit_of_work(await scene.actor(Role.CENTRE_MANAGER, scene.world.neighbour)) as work:
        with pytest.raises(NotFound):
            await policies.read_policy(work, saved.policy_id)
        with pytest.raises(NotFound):
            await policies.change_policy(work, saved.policy_id, change, None)


async def test_the_countys_layer_holds_where_the_centre_has_none(scene: Scene) -> None:
    async with scene.desk.unit_of_work(await scene.actor(Role.COUNTY_OFFICER)) as work:
        county = await policies.add_policy(
            work, NewPolicy(name="县级", min_severity=1, document=document(step(0, COUNTY)))
        )
    async with scene.desk.unit_of_work(await scene.actor(Role.DISPATCHER)) as work:
        assert (await policies.read_policy(work, county.policy_id)).name == "县级"
    first = await scene.press()
    await scene.climb()
    assert {page.why for page in await scene.pages(first.alert_id)} == {"county:county_officer"}
    async with scene.desk.unit_of_work(await scene.actor(Role.CENTRE_MANAGER)) as work:
        with pytest.raises(Forbidden):
            await policies.end_policy(work, county.policy_id, None)
    await lay_down(scene, document(step(0, MANAGER)))
    second = await scene.press(AlertKind.SMOKE)
    await scene.climb()
    assert {page.why for page in await scene.pages(second.alert_id)} == {"duty:centre_manager"}
