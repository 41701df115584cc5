"""Saving, trying and listing rules: versions, preview on real stored readings, and what cannot be judged."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.errors import Forbidden, NotFound, VersionMismatch
from services.rules.definitions import Layer
from services.rules.editing import (
    list_attributes,
    list_centre_rules,
    rule_versions,
    save_centre_rule,
    save_county_rule,
    save_resident_rule,
    set_attribute,
)
from services.rules.errors import InvalidRule, UnknownAttribute
from services.rules.layers import Reason
from services.rules.listing import centre_not_evaluable, resident_rules
from services.rules.preview import preview
from services.rules.service import Judge, keep_fresh
from services.rules.views import AttributeSet, PreviewPublic, ResidentRules, RuleSave
from services.vitals.service import store_readings
from tests.services.rules.rulebook import definition
from tests.services.rules.wearing import Wearer

OWN = [{"severity": "high", "limits": {"high": {"attribute": "usual_heart_rate", "plus": 30}}}]
LOW = [{"severity": "high", "limits": {"high": 100}}]


def request(*, is_off: bool = False, reason: str = "门诊调整", **changes: Any) -> RuleSave:
    return RuleSave(definition=definition(**changes), is_off=is_off, reason=reason)


async def rules_of(wearer: Wearer) -> ResidentRules:
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CLINICIAN)) as work:
        return await resident_rules(work, wearer.resident_id)


async def effective(wearer: Wearer, code: str = "heart_rate_limits") -> Any:
    return next(rule for rule in (await rules_of(wearer)).effective if rule.code == code)


async def try_out(wearer: Wearer, **changes: Any) -> PreviewPublic:
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CLINICIAN)) as work:
        return await preview(work, wearer.resident_id, definition(**changes))


async def test_every_save_is_a_version_and_none_is_lost(wearer: Wearer) -> None:
    for limit in (100, 110, 120):
        await wearer.save(definition(levels=[{"severity": "high", "limits": {"high": limit}}]))
        wearer.clock.forward(minutes=1)
    rule_id = await wearer.save(definition(levels=LOW), is_off=True)
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CLINICIAN)) as work:
        versions = await rule_versions(work, rule_id, 20, None)
        assert work.actor.account_id is not None
        assert {version.account_id for version in versions} == {work.actor.account_id}
    assert [(v.number, v.is_off, v.is_current) for v in versions] == [
        (4, True, True),
        (3, False, False),
        (2, False, False),
        (1, False, False),
    ]
    limits = [version.definition.levels[0].limits["high"] for version in versions]
    assert limits == [100, 120, 110, 100]
    assert {version.reason for version in versions} == {"门诊调整"}


async def test_a_version_cannot_be_changed_afterwards(wearer: Wearer) -> None:
    await wearer.save(definition())
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CLINICIAN)) as work:
        with pytest.raises(Exception, match="permission denied"):
            await work.sql(text("UPDATE vital_rule_version SET reason = 'x'"))


async def test_a_save_meant_for_an_older_version_is_refused(wearer: Wearer) -> None:
    await wearer.save(definition())
    await wearer.save(definition())
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CLINICIAN)) as work:
        with pytest.raises(VersionMismatch) as refusal:
            await save_resident_rule(work, wearer.resident_id, request(), 1)
        assert refusal.value.extra["current"] == 2


async def test_two_who_save_a_new_rule_at_once_make_two_versions(wearer: Wearer) -> None:
    actor = await wearer.world.actor(Role.CLINICIAN)

    async def save() -> int:
        async with wearer.database.unit_of_work(actor) as work:
            return (await save_resident_rule(work, wearer.resident_id, request(code="new_one"), None)).version

    assert sorted(await asyncio.gather(*(save() for _ in range(4)))) == [1, 2, 3, 4]


async def test_what_could_not_work_is_not_saved(wearer: Wearer) -> None:
    crossed = [{"severity": "high", "limits": {"low": 131, "high": 40}}]
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CLINICIAN)) as work:
        with pytest.raises(InvalidRule) as refusal:
            await save_resident_rule(work, wearer.resident_id, request(levels=crossed), None)
    assert refusal.value.extra["field"] == "levels.0.limits.low"
    assert (await effective(wearer)).layer is Layer.DEFAULT


async def test_the_nearest_layer_counts_and_each_says_where_it_comes_from(wearer: Wearer) -> None:
    world, centre_id = wearer.world, wearer.bound.centre_id
    assert (await effective(wearer)).layer is Layer.DEFAULT
    async with wearer.database.unit_of_work(await world.actor(Role.COUNTY_OFFICER)) as work:
        await save_county_rule(work, request(), None)
    assert (await effective(wearer)).layer is Layer.COUNTY
    async with wearer.database.unit_of_work(await world.actor(Role.CENTRE_MANAGER)) as work:
        await save_centre_rule(work, centre_id, request(levels=LOW), None)
        assert [rule.code for rule in await list_centre_rules(work, centre_id)] == ["heart_rate_limits"]
    shown = await effective(wearer)
    assert (shown.layer, shown.levels[0].limits, shown.version) == (Layer.CENTRE, {"high": 100}, 1)
    await wearer.save(definition(), is_off=True)
    shown = await effective(wearer)
    assert (shown.layer, shown.is_off, shown.levels, shown.reason) == (Layer.RESIDENT, True, [], "门诊调整")


async def test_another_county_s_and_centre_s_rules_do_not_reach_her(wearer: Wearer) -> None:
    world = wearer.world
    async with wearer.database.unit_of_work(await world.actor(Role.COUNTY_OFFICER, world.abroad)) as work:
        await save_county_rule(work, request(levels=LOW), None)
    neighbour = await world.actor(Role.CENTRE_MANAGER, world.neighbour)
    async with wearer.database.unit_of_work(neighbour) as work:
        await save_centre_rule(work, world.neighbour.centre.id, request(levels=LOW), None)
        with pytest.raises(NotFound):
            await save_centre_rule(work, wearer.bound.centre_id, request(levels=LOW), None)
    await wearer.judge.reload(wearer.database)
    await wearer.one_by_one("heart_rate", [105, 106, 105])
    assert await wearer.raised() == []
    assert (await effective(wearer)).layer is Layer.DEFAULT


async def test_the_rules_of_a_terminal_s_profile_count_for_who_wears_it(wearer: Wearer) -> None:
    """On a profile of its own: the tests share the default ones."""
    own = definition(code="monitor_limits", levels=LOW).model_dump_json()
    async with wearer.database.unit_of_work(SYSTEM) as work:
        await work.sql(
            text(
                "WITH made AS (INSERT INTO terminal_profile SELECT (jsonb_populate_record(p,"
                " jsonb_build_object('id', gen_random_uuid(), 'code', 'p' || CAST(:id AS text), 'provision_key',"
                " NULL, 'default_rules', jsonb_build_array(CAST(:rule AS jsonb))))).* FROM terminal_profile p"
                " WHERE code = 'bedside_monitor' RETURNING id)"
                " UPDATE terminal SET profile_id = made.id FROM made WHERE terminal.id = CAST(:id AS uuid)"
            ),
            {"id": str(wearer.bound.terminal_id), "rule": own},
        )
    await wearer.judge.reload(wearer.database)
    await wearer.one_by_one("heart_rate", [105, 106, 105])
    [alert] = await wearer.alerts()
    assert (alert["detail"]["rule"], alert["detail"]["layer"]) == ("monitor_limits", "profile")
    assert (await effective(wearer, "monitor_limits")).layer is Layer.PROFILE


async def test_preview_counts_on_real_stored_readings(wearer: Wearer) -> None:
    """Four episodes of the last month at 105, one of them at 150; one from before that does not count."""
    for days, value in ((40, 105), (29, 105), (20, 105), (10, 150), (3, 105)):
        at = wearer.clock.now() - timedelta(days=days)
        values = [70.0, 71.0, *(value + i % 3 for i in range(6)), 70.0, 71.0]
        rows, _ = wearer.rows("heart_rate", values, until=at)
        async with wearer.database.unit_of_work(SYSTEM) as work:
            await store_readings(work, rows)
    shown = await try_out(wearer, levels=LOW)
    assert shown.proposed is not None
    assert shown.present is not None
    assert (shown.proposed.alarms, shown.present.alarms, shown.readings) == (4, 1, 40)
    days_ago = [round((wearer.clock.now() - alarm.at) / timedelta(days=1)) for alarm in shown.proposed.times]
    assert days_ago == [29, 20, 10, 3]
    assert {alarm.severity for alarm in shown.proposed.times} == {"high"}
    assert await wearer.alerts() == [], "trying raises nothing"
    assert (await effective(wearer)).layer is Layer.DEFAULT, "and saves nothing"


async def test_preview_of_missing_data_and_of_a_score(wearer: Wearer) -> None:
    await wearer.measure("heart_rate", [72, 73], minutes=600)
    quiet = {
        "code": "quiet",
        "alert": "no_readings",
        "condition": {"type": "missing_data"},
        "levels": [{"severity": "notice", "limits": {"minutes": 240}}],
        "rearm_minutes": 10_080,
    }
    shown = await try_out(wearer, **quiet)
    assert shown.proposed is not None
    assert (shown.proposed.alarms, shown.present) == (1, None)
    await wearer.measure("spo2", [90, 91, 90])
    await wearer.measure("respiratory_rate", [30, 31, 30])
    score = {
        "kind": "early_warning",
        "code": "partial_news2",
        "alert": "early_warning",
        "condition": {"type": "early_warning"},
        "levels": [{"severity": "warning", "limits": {"total": 6}}],
    }
    shown = await try_out(wearer, **score)
    assert shown.proposed is not None
    assert shown.present is not None
    assert (shown.proposed.alarms, shown.present.alarms) == (1, 1)


async def test_preview_leaves_a_row_that_the_resident_can_read(wearer: Wearer) -> None:
    await try_out(wearer)
    async with wearer.database.engine.connect() as connection:
        statement = text("SELECT fields FROM access_log WHERE resident_id = :id AND resource = 'rule_preview'")
        rows = (await connection.execute(statement, {"id": wearer.resident_id})).all()
    assert [row[0] for row in rows] == [["heart_rate"]]


async def test_who_may_not_read_health_may_not_preview(wearer: Wearer) -> None:
    for actor, refusal in (
        (await wearer.world.actor(Role.COUNTY_OFFICER), Forbidden),
        (await wearer.world.actor(Role.CLINICIAN, wearer.world.neighbour), NotFound),
    ):
        async with wearer.database.unit_of_work(actor) as work:
            with pytest.raises(refusal):
                await preview(work, wearer.resident_id, definition())


async def test_what_cannot_be_judged_is_said_with_what_counts_instead(wearer: Wearer) -> None:
    await wearer.save(definition(levels=OWN))
    shown = await rules_of(wearer)
    told = {(item.code, item.reason): item for item in shown.not_evaluable}
    missing = told["heart_rate_limits", Reason.MISSING_ATTRIBUTE]
    assert (missing.layer, missing.detail, missing.instead) == (
        Layer.RESIDENT,
        "usual_heart_rate",
        Layer.DEFAULT,
    )
    assert ("glucose_limits", Reason.NO_TERMINAL) in told, "a monitor measures no glucose"
    assert ("heart_rate_limits", Reason.NO_READING_EVER) in told
    assert (await effective(wearer)).layer is Layer.DEFAULT
    await wearer.one_by_one("heart_rate", [150, 151, 152])
    assert await wearer.raised() == ["heart_rate"], "it does not sleep meanwhile"
    await wearer.own("usual_heart_rate", 60)
    shown = await rules_of(wearer)
    left = {(item.code, item.reason) for item in shown.not_evaluable}
    assert ("heart_rate_limits", Reason.MISSING_ATTRIBUTE) not in left
    assert ("heart_rate_limits", Reason.NO_READING_EVER) not in left
    assert (await effective(wearer)).levels[0].limits == {"high": 90}


async def test_default_numbers_that_stand_in_are_named(wearer: Wearer) -> None:
    assert (await effective(wearer)).fallbacks == ["heart_rate_low", "heart_rate_high"]
    await wearer.own("heart_rate_high", 120)
    assert (await effective(wearer)).fallbacks == ["heart_rate_low"]


async def test_a_centre_sees_its_list(wearer: Wearer) -> None:
    await wearer.save(definition(levels=OWN))
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CENTRE_MANAGER)) as work:
        [item], keys = await centre_not_evaluable(work, wearer.bound.centre_id, 20, None, include_defaults=False)
        [longer], _ = await centre_not_evaluable(work, wearer.bound.centre_id, 20, None, include_defaults=True)
    assert (item.resident_id, keys) == (wearer.resident_id, [wearer.resident_id])
    assert ("heart_rate_limits", Reason.MISSING_ATTRIBUTE) in {(i.code, i.reason) for i in item.not_evaluable}
    assert Reason.NO_TERMINAL not in {i.reason for i in item.not_evaluable}
    assert Reason.NO_TERMINAL in {i.reason for i in longer.not_evaluable}


@pytest.mark.parametrize(("name", "value"), [("shoe_size", 42), ("heart_rate_high", 900), ("spo2_scale_2", 2)])
async def test_an_attribute_that_cannot_be(wearer: Wearer, name: str, value: float) -> None:
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CLINICIAN)) as work:
        with pytest.raises(UnknownAttribute):
            await set_attribute(work, wearer.resident_id, AttributeSet(name=name, value=value, reason="测试"))


async def test_every_setting_of_an_attribute_stays_on_record(wearer: Wearer) -> None:
    for value in (110.0, 115.0, None):
        await wearer.own("heart_rate_high", value)
        wearer.clock.forward(minutes=1)
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.CLINICIAN)) as work:
        rows = await list_attributes(work, wearer.resident_id)
    assert [row.value for row in rows] == [None, 115, 110]
    assert all(row.set_by is not None and row.reason for row in rows)


async def test_a_change_reaches_running_ingest_at_once(wearer: Wearer, own_database: Database) -> None:
    heard = asyncio.Event()

    class Listening(Judge):
        async def reload(self, database: Database) -> None:
            await super().reload(database)
            if wearer.resident_id in self.book.by_resident:
                heard.set()

    ears = asyncio.create_task(keep_fresh(own_database, judge := Listening()))
    try:
        rule_id = await wearer.save(definition(levels=LOW))
        async with asyncio.timeout(5):
            await heard.wait()
    finally:
        ears.cancel()
        await asyncio.gather(ears, return_exceptions=True)
    [written] = judge.book.by_resident[wearer.resident_id]
    assert isinstance(rule_id, UUID)
    assert written.rule_id == rule_id


async def test_a_stored_rule_that_is_no_longer_understood_is_listed_and_stops_nothing(wearer: Wearer) -> None:
    rule_id = await wearer.save(definition(levels=LOW))
    async with wearer.database.unit_of_work(SYSTEM) as work:
        await work.sql(
            text('UPDATE vital_rule_version SET definition = \'{"of": "old"}\' WHERE rule_id = :id'),
            {"id": rule_id},
        )
    await wearer.judge.reload(wearer.database)
    await wearer.one_by_one("heart_rate", [150, 151, 152])
    assert await wearer.raised() == ["heart_rate"], "the default stands in"
    told = [item for item in (await rules_of(wearer)).not_evaluable if item.reason is Reason.INVALID]
    assert [(item.code, item.layer, item.instead) for item in told] == [
        ("heart_rate_limits", Layer.RESIDENT, Layer.DEFAULT)
    ]
