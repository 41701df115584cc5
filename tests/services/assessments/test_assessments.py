"""Assessments as they are recorded, withdrawn, read, and asked for."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlmodel import select

from services.assessments.errors import (
    AlreadyWithdrawn,
    AssessorsNeeded,
    CoversUnknown,
    FormNotWhole,
    TermInvalid,
)
from services.assessments.models import AbilityRecord, FirstAssessmentRecord, SelfCareRecord, Withdraw
from services.assessments.service import (
    ability_level_on,
    list_ability,
    list_first_assessments,
    list_self_care,
    record_ability,
    record_first_assessment,
    record_self_care,
    unmet_preconditions,
    withdraw_ability,
    withdraw_first_assessment,
)
from services.audit.service import list_reads_of_residents
from services.catalogue.models import Precondition
from services.catalogue.service import seed_items
from services.consents.models import ConsentRevoke
from services.consents.service import list_consents, revoke_consent
from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.errors import Forbidden, NotFound
from services.residents.models import CareRelationship
from tests.permits import today, whole_form
from tests.world import World

TWO = [{"name": "测试评估员甲", "has_clinical_background": True}, {"name": "测试评估员乙"}]
ITEMS = {item.code: item for item in seed_items()}


def form(day: date, points: int = 50, **said: Any) -> AbilityRecord:
    given = {"assessed_on": day, "reason": "first", "scores": whole_form(90 - points), "assessors": TWO}
    return AbilityRecord.model_validate(given | said)


async def test_the_level_on_a_day_is_that_of_the_latest_assessment_in_its_term(
    database: Database, fresh_world: World
) -> None:
    resident = fresh_world.here.households[0].resident
    clinician = await fresh_world.actor(Role.CLINICIAN)
    async with database.unit_of_work(clinician) as work:
        now = today(work)
        old = await record_ability(work, resident.id, form(now - timedelta(days=400), 80))
        new = await record_ability(work, resident.id, form(now - timedelta(days=10), 40, reason="immediate"))
        assert (old.level, new.level) == (1, 3)
        assert (old.is_in_force, new.is_in_force) == (False, True)
    async with database.unit_of_work(SYSTEM) as work:
        levels = {
            days: await ability_level_on(work, resident.id, now + timedelta(days=days))
            for days in (-401, -400, -36, -35, -11, -10, 0, 354, 355)
        }
    assert old.valid_until - old.valid_from in (timedelta(days=364), timedelta(days=365))
    ends = (old.valid_until - now).days
    assert levels == {
        -401: None,
        -400: 1,
        -36: 1 if ends >= -36 else None,
        -35: 1 if ends >= -35 else None,
        -11: None,
        -10: 3,
        0: 3,
        354: 3,
        355: 3 if (new.valid_until - now).days >= 355 else None,
    }


async def test_a_withdrawn_assessment_counts_no_more_and_the_one_before_does(
    database: Database, fresh_world: World
) -> None:
    resident = fresh_world.here.households[0].resident
    manager = await fresh_world.actor(Role.CENTRE_MANAGER)
    async with database.unit_of_work(manager) as work:
        now = today(work)
        await record_ability(work, resident.id, form(now - timedelta(days=20), 80))
        mistaken = await record_ability(work, resident.id, form(now, 20))
        assert await ability_level_on(work, resident.id, now) == 4
        withdrawn = await withdraw_ability(work, mistaken.id, Withdraw(reason="录错了长者"))
        assert (withdrawn.is_in_force, withdrawn.withdraw_reason) == (False, "录错了长者")
        assert await ability_level_on(work, resident.id, now) == 1
        with pytest.raises(AlreadyWithdrawn):
            await withdraw_ability(work, mistaken.id, Withdraw(reason="再一次"))


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"scores": {"eating": 4}}, FormNotWhole),
        ({"scores": {**whole_form(), "eating": 99}}, FormNotWhole),
        ({"assessors": TWO[:1]}, AssessorsNeeded),
        ({"assessors": [TWO[0], TWO[0]]}, AssessorsNeeded),
        ({"assessors": [TWO[1], {"name": "测试评估员丙"}]}, AssessorsNeeded),
        ({"assessed_on": date(2199, 1, 1)}, TermInvalid),
        ({"valid_from": date(2000, 1, 1)}, TermInvalid),
        ({"valid_until": date(2000, 1, 1)}, TermInvalid),
        ({"valid_until": date(2150, 1, 1)}, TermInvalid),
    ],
)
async def test_what_is_no_assessment_is_refused(
    database: Database, world: World, said: dict[str, Any], refusal: type[Exception]
) -> None:
    resident = world.here.households[0].resident
    with pytest.raises(refusal):
        async with database.unit_of_work(await world.actor(Role.CLINICIAN)) as work:
            await record_ability(work, resident.id, form(today(work), **said))


def test_points_are_whole_numbers() -> None:
    with pytest.raises(ValidationError):
        form(date(2026, 11, 22), scores={"eating": 2.5})


async def test_self_care_is_kept_with_its_level(database: Database, fresh_world: World) -> None:
    resident = fresh_world.here.households[0].resident
    async with database.unit_of_work(await fresh_world.actor(Role.RESIDENT)) as work:
        answers = {"eating": 2, "washing": 1, "dressing": 0, "toilet": 2, "moving": 0}
        made = await record_self_care(work, resident.id, SelfCareRecord(rated_on=today(work), answers=answers))
        assert (made.total, made.level) == (9, "moderate")
        with pytest.raises(FormNotWhole):
            await record_self_care(work, resident.id, SelfCareRecord(rated_on=today(work), answers={"eating": 0}))
    async with database.unit_of_work(await fresh_world.actor(Role.CLINICIAN)) as work:
        assert [one.id for one in await list_self_care(work, resident.id, 20, None)] == [made.id]


def first(day: date, **said: Any) -> FirstAssessmentRecord:
    given = {
        "institution": "测试镇卫生院",
        "assessor": "测试护师",
        "assessed_on": day,
        "covers": ["nursing"],
        "is_suitable": True,
    }
    return FirstAssessmentRecord.model_validate(given | said)


async def _unmet(database: Database, world: World, code: str, days: int = 0) -> list[Precondition]:
    resident = world.here.households[0].resident
    async with database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        found = await unmet_preconditions(work, resident, [ITEMS[code]], today(work) + timedelta(days=days))
    return [one.precondition for one in found]


async def test_home_nursing_waits_for_assessment_and_consent_and_nothing_else_does(
    database: Database, fresh_world: World
) -> None:
    """The world's residents have both: taken away one after the other, and given again."""
    resident = fresh_world.here.households[0].resident
    clinician = await fresh_world.actor(Role.CLINICIAN)
    assert await _unmet(database, fresh_world, "wound_dressing") == []
    async with database.unit_of_work(clinician) as work:
        consents = await list_consents(work, resident.id, 20, None)
        await revoke_consent(work, consents[0].id, ConsentRevoke())
        assessment = (await list_first_assessments(work, resident.id, 20, None))[0]
        await withdraw_first_assessment(work, assessment.id, Withdraw(reason="录错了长者"))
    missing = [Precondition.INSTITUTION_ASSESSMENT, Precondition.INFORMED_CONSENT]
    assert await _unmet(database, fresh_world, "wound_dressing") == missing
    assert await _unmet(database, fresh_world, "meal_delivery") == []
    assert await _unmet(database, fresh_world, "bathing") == []
    async with database.unit_of_work(clinician) as work:
        made = await record_first_assessment(
            work, resident.id, first(today(work), covers=["wound_dressing"], valid_until=today(work))
        )
        assert made.valid_until == today(work)
    assert await _unmet(database, fresh_world, "wound_dressing") == missing[1:]
    assert await _unmet(database, fresh_world, "wound_dressing", days=1) == missing
    assert await _unmet(database, fresh_world, "injection") == missing


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"covers": ["no_such_item"]}, CoversUnknown),
        ({"assessed_on": date(2199, 1, 1)}, TermInvalid),
        ({"valid_until": date(2000, 1, 1)}, TermInvalid),
        ({"valid_until": date(2190, 1, 1)}, TermInvalid),
    ],
)
async def test_what_is_no_first_assessment_is_refused(
    database: Database, world: World, said: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        async with database.unit_of_work(await world.actor(Role.CLINICIAN)) as work:
            await record_first_assessment(work, world.here.households[0].resident.id, first(today(work), **said))


async def test_reading_leaves_a_trace_and_needs_a_right_to_health_data(
    database: Database, fresh_world: World
) -> None:
    resident = fresh_world.here.households[0].resident
    async with database.unit_of_work(await fresh_world.actor(Role.CLINICIAN)) as work:
        await record_ability(work, resident.id, form(today(work)))
        assert len(await list_ability(work, resident.id, 20, None)) == 1
    async with database.unit_of_work(await fresh_world.actor(Role.RESIDENT)) as work:
        assert (await list_reads_of_residents(work, 20, None))[0].resource == "ability_assessments"
    family = await fresh_world.actor(Role.FAMILY)
    await _hide_health(database, resident.id, fresh_world.here.households[0].family.id)
    with pytest.raises(Forbidden):
        async with database.unit_of_work(family) as work:
            await list_ability(work, resident.id, 20, None)
    with pytest.raises(Forbidden):
        async with database.unit_of_work(await fresh_world.actor(Role.COUNTY_OFFICER)) as work:
            await list_first_assessments(work, resident.id, 20, None)


async def _hide_health(database: Database, resident_id: UUID, account_id: UUID) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        statement = select(CareRelationship).where(
            CareRelationship.resident_id == resident_id, CareRelationship.account_id == account_id
        )
        (await work.session.exec(statement)).one().may_see_health = False


async def test_another_towns_clinician_finds_nobody(database: Database, world: World) -> None:
    resident = world.here.households[0].resident
    clinician = await world.actor(Role.CLINICIAN, world.neighbour)
    with pytest.raises(NotFound):
        async with database.unit_of_work(clinician) as work:
            await record_ability(work, resident.id, form(today(work)))
    async with database.unit_of_work(clinician) as work:
        assert await ability_level_on(work, resident.id, today(work)) is None
