"""Drafts, publishing, the history, and what a centre offers."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from services.catalogue.editing import (
    create_item,
    discard_draft,
    item_history,
    publish,
    read_item,
    recall,
    save_draft,
)
from services.catalogue.errors import (
    EffectiveTooEarly,
    ItemExists,
    ItemInvalid,
    NoDraft,
    NoSuchItem,
    NothingUpcoming,
    NotOnTheMenu,
    OnNegativeList,
)
from services.catalogue.offering import centre_offer, switch_item
from services.catalogue.service import is_switched_off, load_items, orderable_item, seed_items
from services.catalogue.views import CentreItemSwitch, ItemDraft, Publish
from services.core.actor import SYSTEM, Actor, Role
from services.core.database import Database
from services.core.errors import NotFound, VersionMismatch
from tests.clock import ManualClock
from tests.drafts import draft, new_code, published
from tests.permits import today
from tests.world import World


@pytest.fixture
async def officer(world: World) -> Actor:
    return await world.actor(Role.COUNTY_OFFICER)


async def test_a_new_item_is_on_the_menu_only_once_published(database: Database, officer: Actor) -> None:
    code = new_code()
    async with database.unit_of_work(officer) as work:
        made = await create_item(work, draft(code))
        assert made.draft is not None
        assert (made.in_force, made.draft.number, made.draft.saved_by) == (None, 1, officer.account_id)
        with pytest.raises(NotOnTheMenu):
            await orderable_item(work, code)
    async with database.unit_of_work(officer) as work:
        done = await publish(work, code, Publish(reason="新增"), made.version)
        assert done.in_force is not None
        assert (done.draft, done.in_force.published_by, done.in_force.reason) == (None, officer.account_id, "新增")
        assert done.in_force.effective_from == today(work)
        facts = await orderable_item(work, code)
        assert (facts.version, facts.name_zh) == (1, "助洁")
    with pytest.raises(ItemExists):
        async with database.unit_of_work(officer) as work:
            await create_item(work, draft(code))


async def test_a_draft_changes_nothing_that_is_published(database: Database, officer: Actor) -> None:
    code = new_code()
    await published(database, officer, code)
    async with database.unit_of_work(officer) as work:
        saved = await save_draft(work, code, draft(code, duration_minutes=90), None)
        assert saved.draft is not None
        assert (saved.draft.number, saved.draft.facts.duration_minutes) == (2, 90)
        again = await save_draft(work, code, draft(code, duration_minutes=95), saved.version)
        assert again.draft is not None
        assert (again.draft.id, again.draft.facts.duration_minutes) == (saved.draft.id, 95)
        assert (await orderable_item(work, code)).duration_minutes == 60
        with pytest.raises(VersionMismatch):
            await save_draft(work, code, draft(code), saved.version)
    async with database.unit_of_work(officer) as work:
        gone = await discard_draft(work, code, again.version)
        assert gone.draft is None
        with pytest.raises(NoDraft):
            await publish(work, code, Publish(reason="又一次"), None)
        history = await item_history(work, code, 20, None)
        assert [(one.number, one.state) for one in history] == [(2, "discarded"), (1, "published")]
        anew = await save_draft(work, code, draft(code), None)
        assert anew.draft is not None
        assert anew.draft.number == 3


async def test_a_version_counts_from_its_day_and_orders_keep_theirs(world: World, officer: Actor) -> None:
    clock, code = ManualClock(), new_code()
    database = Database(str(world.settings.database_url), pool_size=2, clock=clock)
    try:
        await published(database, officer, code)
        async with database.unit_of_work(officer) as work:
            ahead = today(work) + timedelta(days=3)
            await save_draft(work, code, draft(code, duration_minutes=90), None)
            done = await publish(work, code, Publish(effective_from=ahead, reason="年度调整"), None)
            assert [one.number for one in done.upcoming] == [2]
            before = await orderable_item(work, code)
        clock.forward(days=2)
        async with database.unit_of_work(officer) as work:
            assert (await orderable_item(work, code)).version == 1
            await save_draft(work, code, draft(code, duration_minutes=120), None)
            with pytest.raises(EffectiveTooEarly) as refused:
                await publish(work, code, Publish(effective_from=today(work), reason="插队"), None)
            assert refused.value.extra["earliest"] == ahead.isoformat()
        clock.forward(days=1)
        async with database.unit_of_work(officer) as work:
            after = await orderable_item(work, code)
        assert (before.version, before.duration_minutes) == (1, 60)
        assert (after.version, after.duration_minutes) == (2, 90)
    finally:
        await database.close()


async def test_a_version_with_a_wrong_day_is_recalled_before_it_counts(database: Database, officer: Actor) -> None:
    code = new_code()
    await published(database, officer, code)
    async with database.unit_of_work(officer) as work:
        await save_draft(work, code, draft(code, duration_minutes=90), None)
        await publish(work, code, Publish(effective_from=date(2198, 1, 1), reason="年份写错"), None)
    async with database.unit_of_work(officer) as work:
        recalled = await recall(work, code, None)
        assert (recalled.upcoming, recalled.draft) == ([], None)
        with pytest.raises(NothingUpcoming):
            await recall(work, code, None)
        assert [one.state for one in await item_history(work, code, 20, None)] == ["recalled", "published"]
        await save_draft(work, code, draft(code, duration_minutes=90), None)
        done = await publish(work, code, Publish(reason="更正"), None)
        assert done.in_force is not None
        assert (done.in_force.number, done.in_force.facts.duration_minutes) == (3, 90)


async def test_what_has_been_in_force_is_written_by_nobody(database: Database, officer: Actor) -> None:
    """The database's own wall around the history."""
    code = new_code()
    await published(database, officer, code)
    statement = text("UPDATE service_item_version SET reason = 'x' WHERE facts->>'code' = :code")
    async with database.unit_of_work(officer) as work:
        assert (await work.sql(statement, {"code": code})).rowcount == 0
        await save_draft(work, code, draft(code, duration_minutes=90), None)
        assert (await work.sql(statement, {"code": code})).rowcount == 1


async def test_no_version_takes_effect_in_the_past(database: Database, officer: Actor) -> None:
    code = new_code()
    async with database.unit_of_work(officer) as work:
        await create_item(work, draft(code))
        with pytest.raises(EffectiveTooEarly):
            await publish(work, code, Publish(effective_from=date(2020, 1, 1), reason="追溯"), None)


async def test_an_item_is_taken_off_the_menu_by_a_version(database: Database, officer: Actor) -> None:
    code = new_code()
    await published(database, officer, code)
    async with database.unit_of_work(officer) as work:
        await save_draft(work, code, draft(code, is_active=False), None)
        await publish(work, code, Publish(reason="停止服务"), None)
        with pytest.raises(NotOnTheMenu):
            await orderable_item(work, code)


async def test_what_is_on_the_negative_list_cannot_be_ordered_and_says_why(database: Database) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
        with pytest.raises(OnNegativeList) as refused:
            await orderable_item(work, "iv_infusion")
    assert refused.value.extra["verified"] is False
    assert refused.value.extra["source"]


async def test_what_cannot_be_kept_is_refused_with_every_problem(database: Database, officer: Actor) -> None:
    code = new_code()
    with pytest.raises(ItemInvalid) as refused:
        async with database.unit_of_work(officer) as work:
            await create_item(work, draft(code, required_skill="flying", may_order=[]))
    assert [one["code"] for one in refused.value.extra["problems"]] == ["unknown_skill", "nobody_may_order"]
    with pytest.raises(NoSuchItem):
        async with database.unit_of_work(officer) as work:
            await read_item(work, code)


async def test_64_officers_at_once_make_one_item_and_one_draft(world: World, officer: Actor) -> None:
    database = Database(str(world.settings.database_url), pool_size=20)
    code = new_code()

    async def create() -> str:
        try:
            async with database.unit_of_work(officer) as work:
                await create_item(work, draft(code))
        except ItemExists:
            return "exists"
        return "made"

    async def save(number: int) -> int:
        async with database.unit_of_work(officer) as work:
            saved = await save_draft(work, code, draft(code, duration_minutes=number), None)
            return saved.version

    try:
        made = await asyncio.gather(*(create() for _ in range(64)))
        assert sorted(made) == ["exists"] * 63 + ["made"]
        versions = await asyncio.gather(*(save(number) for number in range(1, 65)))
        assert len(set(versions)) == 64
        async with database.unit_of_work(officer) as work:
            assert [one.state for one in await item_history(work, code, 20, None)] == ["draft"]
    finally:
        await database.close()


async def test_only_a_county_writes_the_catalogue_whatever_a_service_forgets(
    database: Database, world: World
) -> None:
    """The database's own wall: a centre's manager sees an item and cannot lock or add one."""
    manager = await world.actor(Role.CENTRE_MANAGER)
    with pytest.raises(NoSuchItem):
        async with database.unit_of_work(manager) as work:
            await save_draft(work, "cleaning", draft("cleaning"), None)
    with pytest.raises(Exception, match="row-level security"):
        async with database.unit_of_work(manager) as work:
            await create_item(work, draft(new_code()))


async def test_what_people_have_edited_the_loader_leaves_alone(database: Database, officer: Actor) -> None:
    code = next(item.code for item in seed_items() if item.code == "psychological_care")
    async with database.unit_of_work(officer) as work:
        detail = await read_item(work, code)
        assert detail.in_force is not None
        facts = detail.in_force.facts.model_dump(mode="json", exclude={"version"})
        await save_draft(work, code, ItemDraft.model_validate(facts | {"duration_minutes": 45}), None)
        await publish(work, code, Publish(reason="本县调整"), None)
    async with database.unit_of_work(SYSTEM) as work:
        assert await load_items(work) == 0
        assert (await orderable_item(work, code)).duration_minutes == 45


async def test_a_centre_switches_what_it_offers_and_nobody_elses(database: Database, world: World) -> None:
    centre, code = world.here.centre, new_code()
    await published(database, await world.actor(Role.COUNTY_OFFICER), code)
    manager = await world.actor(Role.CENTRE_MANAGER)
    async with database.unit_of_work(manager) as work:
        off = await switch_item(work, centre.id, code, CentreItemSwitch(is_offered=False, reason="护士暂缺"), None)
        assert (off.is_listed, off.is_offered, off.version) == (True, False, 1)
        assert await is_switched_off(work, centre.id, [code, "cleaning"]) == {code}
        assert await is_switched_off(work, world.neighbour.centre.id, [code]) == frozenset()
        with pytest.raises(VersionMismatch):
            await switch_item(work, centre.id, code, CentreItemSwitch(is_offered=True), 0)
        on = await switch_item(work, centre.id, code, CentreItemSwitch(is_offered=True), off.version)
        assert (on.is_offered, on.reason) == (True, "")
        assert next(one for one in await centre_offer(work, centre.id) if one.code == code).is_offered
    with pytest.raises(NotFound):
        async with database.unit_of_work(manager) as work:
            await switch_item(work, world.neighbour.centre.id, code, CentreItemSwitch(is_offered=False), None)


async def test_a_centre_cannot_offer_what_the_county_lists_elsewhere(database: Database, world: World) -> None:
    code = new_code()
    officer = await world.actor(Role.COUNTY_OFFICER)
    await published(database, officer, code, offered_areas=[world.neighbour.town])
    async with database.unit_of_work(await world.actor(Role.CENTRE_MANAGER)) as work:
        on = await switch_item(work, world.here.centre.id, code, CentreItemSwitch(is_offered=True), None)
    assert (on.is_listed, on.is_offered) == (False, False)
