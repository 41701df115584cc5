"""Invented assessments and consents: who may be nursed at home, and how able everybody is.

Most residents have the institution's assessment and have consented; some have not, so that a screen shows what
is missing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from ops.demo.county import County
from ops.demo.ids import Seed
from services.assessments.models import AbilityAssessment, AssessmentReason, FirstAssessment
from services.assessments.scoring import Findings, ability_standard, last_day, score_ability
from services.catalogue.models import Category
from services.consents.models import Consent, ConsentMethod, ConsentPurpose, Giver
from services.consents.texts import text_in_force
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.identity.models import Account
from services.orders.models import Order
from services.residents.models import Resident

_WITHOUT = 5
"""Every so manieth resident has neither, unless she was nursed at home already."""

_POINTS = {1: (66, 89), 2: (46, 65), 3: (30, 45), 4: (8, 29)}
"""Points to draw from for a level, inside the standard's bands."""


@dataclass(slots=True)
class Permits:
    """The rows, by table."""

    consents: list[Consent] = field(default_factory=list)
    first_assessments: list[FirstAssessment] = field(default_factory=list)
    abilities: list[AbilityAssessment] = field(default_factory=list)


def permits(county: County, orders: Collection[Order], now: datetime) -> Permits:
    """What every resident has agreed to and how she was found, some weeks before the load."""
    nursing = {order.resident_id for order in orders if "nurse_licence" in order.licences}
    desks = _desks(county)
    rows = Permits()
    for number, resident in enumerate(county.people.residents):
        dice = county.seed.dice("permits", number)
        at = now - timedelta(days=dice.randint(30, 200))
        day = at.astimezone(BUSINESS_ZONE).date()
        by = desks[resident.area_code[:9]]
        if resident.id in nursing or number % _WITHOUT != _WITHOUT - 1:
            rows.consents.append(_consent(county.seed, resident, at, by))
            rows.first_assessments.append(_first_assessment(county.seed, resident, at, day, by))
        if "失能" in resident.categories:
            rows.abilities.append(_ability(county.seed, resident, at, day, dice, dice.choice((2, 3, 4))))
        elif dice.random() < 0.2:
            rows.abilities.append(_ability(county.seed, resident, at, day, dice, 1))
    return rows


def _desks(county: County) -> Mapping[str, UUID]:
    """Who wrote it down: a dispatcher of each town."""
    accounts: list[Account] = county.staff.accounts
    return {account.area_code: account.id for account in accounts if account.role is Role.DISPATCHER}


def _consent(seed: Seed, resident: Resident, at: datetime, by: UUID) -> Consent:
    day = at.astimezone(BUSINESS_ZONE).date()
    return Consent(
        id=seed.key("consent", resident.id, at=at),
        resident_id=resident.id,
        area_code=resident.area_code,
        purpose=ConsentPurpose.HOME_NURSING,
        giver=Giver.RESIDENT,
        how=ConsentMethod.SIGNATURE,
        text_version=text_in_force(ConsentPurpose.HOME_NURSING, day).version,
        evidence="演示档案",
        given_at=at,
        recorded_by=by,
        recorded_role=str(Role.DISPATCHER),
    )


def _first_assessment(seed: Seed, resident: Resident, at: datetime, day: date, by: UUID) -> FirstAssessment:
    return FirstAssessment(
        id=seed.key("first assessment", resident.id, at=at),
        resident_id=resident.id,
        area_code=resident.area_code,
        institution="演示卫生院",
        assessor="演示护师",
        assessed_on=day,
        covers=[Category.NURSING.value],
        is_suitable=True,
        valid_until=last_day(day, 12),
        recorded_by=by,
        recorded_at=at,
    )


def _ability(
    seed: Seed, resident: Resident, at: datetime, day: date, dice: Random, level: int
) -> AbilityAssessment:
    standard = ability_standard()
    scores = _form(dice, dice.randint(*_POINTS[level]))
    found = score_ability(scores, Findings())
    return AbilityAssessment(
        id=seed.key("ability", resident.id, at=at),
        resident_id=resident.id,
        area_code=resident.area_code,
        standard=standard.standard,
        standard_version=standard.version,
        reason=AssessmentReason.FIRST,
        assessed_on=day,
        scores=scores,
        total=found.total,
        level_by_points=found.level_by_points,
        level=found.level,
        assessors=[
            {"name": "演示评估员甲", "profession": "护士", "has_clinical_background": True},
            {"name": "演示评估员乙", "profession": "社会工作者", "has_clinical_background": False},
        ],
        valid_from=day,
        valid_until=last_day(day, standard.valid_months),
        recorded_at=at,
    )


def _form(dice: Random, points: int) -> dict[str, int]:
    """A form of exactly so many points."""
    scores = {item.code: item.max for item in ability_standard().items}
    while (total := sum(scores.values())) > points:
        code = dice.choice([code for code, held in scores.items() if held])
        scores[code] -= min(scores[code], total - points, dice.randint(1, 2))
    return scores
