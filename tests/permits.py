"""What the tests' residents have agreed to, and what was assessed of them, so that every item can be ordered."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.assessments.models import AbilityAssessment, AssessmentReason, FirstAssessment
from services.assessments.scoring import Findings, ability_standard, score_ability
from services.catalogue.models import Category
from services.consents.models import Consent, ConsentMethod, ConsentPurpose, Giver
from services.consents.texts import text_in_force
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.ids import new_id
from services.residents.models import Resident

ASSESSED = "评估所见：行动缓慢"
"""A note of an assessment: health data."""


@dataclass(frozen=True, slots=True)
class Permits:
    """Their keys."""

    consent_id: UUID
    assessment_id: UUID
    first_assessment_id: UUID


def today(work: Work) -> date:
    """The business day of a unit of work."""
    return work.now.astimezone(BUSINESS_ZONE).date()


def permit_nursing(work: Work, resident: Resident) -> tuple[Consent, FirstAssessment]:
    """Consent to all home nursing, and an assessment that covers it; added to the session."""
    day = today(work)
    consent = Consent(
        resident_id=resident.id,
        area_code=resident.area_code,
        purpose=ConsentPurpose.HOME_NURSING,
        giver=Giver.RESIDENT,
        how=ConsentMethod.SIGNATURE,
        text_version=text_in_force(ConsentPurpose.HOME_NURSING, day).version,
        evidence="测试档案",
        given_at=work.now,
        recorded_role="dispatcher",
    )
    assessment = FirstAssessment(
        resident_id=resident.id,
        area_code=resident.area_code,
        institution="测试镇卫生院",
        assessor="测试护师",
        assessed_on=day - timedelta(days=1),
        covers=[Category.NURSING.value],
        is_suitable=True,
        valid_until=day + timedelta(days=365),
        note=ASSESSED,
        recorded_at=work.now,
    )
    work.session.add_all((consent, assessment))
    return consent, assessment


def add_permits(work: Work, resident: Resident) -> Permits:
    """A consent of a scope that no other has, and an assessment of each kind; added to the session."""
    consent = Consent(
        resident_id=resident.id,
        area_code=resident.area_code,
        purpose=ConsentPurpose.DATA_SHARING,
        scope=f"测试机构 {new_id()}",
        giver=Giver.RESIDENT,
        how=ConsentMethod.SPOKEN,
        text_version=text_in_force(ConsentPurpose.DATA_SHARING, today(work)).version,
        given_at=work.now,
        recorded_role="dispatcher",
    )
    first = FirstAssessment(
        resident_id=resident.id,
        area_code=resident.area_code,
        institution="测试镇卫生院",
        assessor="测试护师",
        assessed_on=today(work),
        covers=[Category.NURSING.value],
        is_suitable=True,
        valid_until=today(work) + timedelta(days=365),
        note=ASSESSED,
        recorded_at=work.now,
    )
    work.session.add_all((consent, first))
    return Permits(consent.id, assess_ability(work, resident).id, first.id)


def whole_form(points_off: int = 0) -> dict[str, int]:
    """A filled form of 90 points less some."""
    scores = {item.code: item.max for item in ability_standard().items}
    for code, most in list(scores.items()):
        taken = min(points_off, most)
        scores[code] = most - taken
        points_off -= taken
    return scores


def assess_ability(work: Work, resident: Resident, points: int = 50) -> AbilityAssessment:
    """An assessment of so many points, in force for a year from today; added to the session."""
    day, standard = today(work), ability_standard()
    scores = whole_form(90 - points)
    found = score_ability(scores, Findings())
    row = AbilityAssessment(
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
        assessors=[{"name": "测试评估员甲", "has_clinical_background": True}, {"name": "测试评估员乙"}],
        valid_from=day,
        valid_until=day + timedelta(days=364),
        note=ASSESSED,
        recorded_at=work.now,
    )
    work.session.add(row)
    return row
