"""The default profiles: sound data, one for every kind, and left alone once the county has edited them."""

from typing import get_args

import pytest
from sqlalchemy import text

from devices.codecs.registry import CODECS
from devices.messages import AlarmKind
from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.terminals import profile_desk
from services.terminals.capabilities import AlarmName, CommandName, ReadingName
from services.terminals.commands.models import CommandKind
from services.terminals.models import TerminalKind, default_profile_id
from services.terminals.profiles import load_profiles, seed_profiles
from services.terminals.registry_models import ProfileChange
from services.vitals.kinds import ReadingKind
from tests.world import World

SEEDS = {seed.code: seed for seed in seed_profiles()}


def test_the_words_are_those_of_the_rooms_above() -> None:
    assert set(get_args(AlarmName)) == {kind.value for kind in AlarmKind} - {"unknown"}
    assert set(get_args(ReadingName)) == {kind.value for kind in ReadingKind}
    assert set(get_args(CommandName)) == {kind.value for kind in CommandKind}


@pytest.mark.parametrize("kind", TerminalKind)
def test_every_kind_has_its_default_profile(kind: TerminalKind) -> None:
    seed = SEEDS[kind.value]
    assert (seed.id, seed.kind) == (default_profile_id(kind), kind)
    assert seed.codec in CODECS
    assert seed.default_rules == []


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
def test_figures_are_the_projects_own_and_say_so(seed) -> None:
    assert not seed.verified
    assert "Proposals of this project" in seed.source
    beats = (seed.heartbeat_seconds, seed.inactivity_seconds)
    worn = seed.capabilities.is_worn
    spot = seed.kind in (TerminalKind.BLOOD_PRESSURE_METER, TerminalKind.GLUCOMETER)
    # domain notes §6: hub 5 min and 30 min, wearable 15 min and 2 h, battery 20 %, a test call a month
    assert beats == ((None, None) if spot else (900, 7_200) if worn else (300, 1_800))
    assert seed.battery_low_percent == (None if seed.capabilities.on_mains else 20)
    assert (seed.test_interval_days is not None) == seed.is_life_safety


async def test_loading_again_changes_nothing(database: Database) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        assert await load_profiles(work) == 0


async def test_newer_data_reaches_only_what_the_county_has_not_edited(database: Database, world: World) -> None:
    kind = TerminalKind.GLUCOMETER
    figures = ProfileChange(name_zh="血糖仪", name_en="Glucometer", capabilities={}, source="说明书")
    old = text(
        "UPDATE terminal_profile SET data_version = '2020-01-01', name_en = 'old'"
        " WHERE code IN ('glucometer', 'help_cord')"
    )
    try:
        async with database.unit_of_work(SYSTEM) as work:
            await work.sql(old)
        async with database.unit_of_work(await world.actor(Role.COUNTY_OFFICER)) as work:
            await profile_desk.change_profile(work, default_profile_id(kind), figures, CODECS)
        async with database.unit_of_work(SYSTEM) as work:
            assert await load_profiles(work) == 1
        async with database.engine.connect() as connection:
            rows = await connection.execute(
                text(
                    "SELECT code, name_en, source FROM terminal_profile WHERE code IN ('glucometer', 'help_cord')"
                )
            )
            found = {row[0]: (row[1], row[2]) for row in rows}
        assert found["glucometer"] == ("Glucometer", "说明书")
        assert found["help_cord"] == ("Help cord", SEEDS["help_cord"].source)
    finally:  # other tests start from the defaults
        async with database.unit_of_work(SYSTEM) as work:
            await work.sql(text("UPDATE terminal_profile SET data_version = '0' WHERE code = 'glucometer'"))
            await load_profiles(work)
