"""Assessments' verbs: recording, withdrawing, reading; her level on a day; what is missing before a service."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from services.assessments import repository
from services.assessments.errors import (
    AlreadyWithdrawn,
    AssessorsNeeded,
    CoversUnknown,
    FormNotWhole,
    TermInvalid,
)
from services.assessments.models import (
    AbilityAssessment,
    AbilityPublic,
    AbilityRecord,
    FirstAssessment,
    FirstAssessmentPublic,
    FirstAssessmentRecord,
    SelfCarePublic,
    SelfCareRating,
    SelfCareRecord,
    Standards,
    Unmet,
    Withdraw,
)
from services.assessments.preconditions import unmet_of
from services.assessments.scoring import (
    Findings,
    ability_standard,
    first_assessment_term,
    last_day,
    rate_self_care,
    score_ability,
    score_problems,
    self_care_table,
)
from services.audit.service import record_read
from services.catalogue.models import Category, ItemContent, Precondition
from services.catalogue.service import menu_facts
from services.consents.models import ConsentPurpose
from services.consents.service import consented_scopes
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.errors import Forbidden, NotFound
from services.residents.models import Resident
from services.residents.service import may_read_health, resident_in_reach

_LONGEST_TERM = timedelta(days=5 * 366)


async def ability_level_on(work: Work, resident_id: UUID, day: date) -> int | None:
    """Her level by GB/T 42195-2022 on a day, 0 (able) to 4; ``None`` when no assessment is in force."""
    found = await repository.ability_on(work, resident_id, day)
    return None if found is None else found.level


async def unmet_preconditions(
    work: Work, resident: Resident, items: Sequence[ItemContent], day: date | None = None
) -> list[Unmet]:
    """Which items lack the institution's assessment or the informed consent; ``day`` of service, else today.

    A vital check is made at the visit and does not count here.
    """
    if not any(set(item.preconditions) - {Precondition.VITAL_CHECK} for item in items):
        return []
    on = day or _today(work)
    assessments = await repository.first_assessments(work, resident.id)
    consented = await consented_scopes(work, resident.id, ConsentPurpose.HOME_NURSING, on)
    return [missing for item in items for missing in unmet_of(item, assessments, consented, on)]


async def record_ability(work: Work, resident_id: UUID, form: AbilityRecord) -> AbilityPublic:
    """Score a filled form and keep it. ``FormNotWhole``, ``AssessorsNeeded``, ``TermInvalid``, ``NotFound``."""
    resident = await resident_in_reach(work, resident_id)
    problems = score_problems(form.scores)
    if problems:
        raise FormNotWhole(problems=[{"item": item, "code": code} for item, code in problems])
    standard = ability_standard()
    names = {one.name.strip() for one in form.assessors}
    if len(names) < standard.assessors or not any(one.has_clinical_background for one in form.assessors):
        raise AssessorsNeeded(field="assessors", needed=standard.assessors)
    first = form.valid_from or form.assessed_on
    last = form.valid_until or last_day(first, standard.valid_months)
    _check_term(work, form.assessed_on, first, last, first + _LONGEST_TERM)
    found = score_ability(form.scores, Findings(form.is_coma, form.has_mental_disorder, form.risk_events))
    row = AbilityAssessment(
        resident_id=resident.id,
        area_code=resident.area_code,
        standard=standard.standard,
        standard_version=standard.version,
        reason=form.reason,
        assessed_on=form.assessed_on,
        scores=dict(form.scores),
        total=found.total,
        level_by_points=found.level_by_points,
        level=found.level,
        adjustments=[str(one) for one in found.adjustments],
        is_coma=form.is_coma,
        has_mental_disorder=form.has_mental_disorder,
        risk_events=form.risk_events,
        assessors=[one.model_dump() for one in form.assessors],
        valid_from=first,
        valid_until=last,
        note=form.note,
        recorded_by=work.actor.account_id,
        recorded_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    return await _ability(work, row)


async def withdraw_ability(work: Work, assessment_id: UUID, request: Withdraw) -> AbilityPublic:
    """A mistaken assessment counts no more, from its first day on. ``NotFound``, ``AlreadyWithdrawn``."""
    row = await repository.lock_one(work, AbilityAssessment, assessment_id)
    _withdraw(work, row, request)
    assert row is not None  # noqa: S101  _withdraw has refused it otherwise
    await work.session.flush()
    return await _ability(work, row)


async def list_ability(work: Work, resident_id: UUID, limit: int, cursor: UUID | None) -> list[AbilityPublic]:
    """Her assessments, newest entry first. The read is audited; ``Forbidden`` without a right to health data."""
    await _require_health(work, resident_id, "ability_assessments", ["scores", "level", "note"])
    rows = await repository.page_of(work, AbilityAssessment, resident_id, limit, cursor)
    return [await _ability(work, row) for row in rows]


async def record_self_care(work: Work, resident_id: UUID, form: SelfCareRecord) -> SelfCarePublic:
    """Keep the resident's own answers. ``FormNotWhole``, ``TermInvalid``, ``NotFound``."""
    resident = await resident_in_reach(work, resident_id)
    _check_term(work, form.rated_on, form.rated_on, form.rated_on, form.rated_on)
    try:
        total, level = rate_self_care(form.answers)
    except ValueError as error:
        raise FormNotWhole(field="answers") from error
    row = SelfCareRating(
        resident_id=resident.id,
        area_code=resident.area_code,
        table_version=self_care_table().version,
        rated_on=form.rated_on,
        answers=dict(form.answers),
        total=total,
        level=level,
        recorded_by=work.actor.account_id,
        recorded_at=work.now,
    )
    work.session.add(row)
    return SelfCarePublic.model_validate(row)


async def list_self_care(work: Work, resident_id: UUID, limit: int, cursor: UUID | None) -> list[SelfCarePublic]:
    """Her self-ratings, newest entry first; audited."""
    await _require_health(work, resident_id, "self_care_ratings", ["answers", "level"])
    rows = await repository.page_of(work, SelfCareRating, resident_id, limit, cursor)
    return [SelfCarePublic.model_validate(row) for row in rows]


async def record_first_assessment(
    work: Work, resident_id: UUID, form: FirstAssessmentRecord
) -> FirstAssessmentPublic:
    """What the institution found. ``CoversUnknown``, ``TermInvalid``, ``NotFound``."""
    resident = await resident_in_reach(work, resident_id)
    known = {item.code for item in await menu_facts(work)} | set(Category)
    unknown = sorted(set(form.covers) - known)
    if unknown:
        raise CoversUnknown(field="covers", unknown=unknown)
    term = first_assessment_term()
    last = form.valid_until or last_day(form.assessed_on, term.usual)
    _check_term(work, form.assessed_on, form.assessed_on, last, last_day(form.assessed_on, term.most))
    row = FirstAssessment(
        resident_id=resident.id,
        area_code=resident.area_code,
        valid_until=last,
        recorded_by=work.actor.account_id,
        recorded_at=work.now,
        **form.model_dump(exclude={"valid_until"}),
    )
    work.session.add(row)
    return FirstAssessmentPublic.model_validate(row)


async def withdraw_first_assessment(work: Work, key: UUID, request: Withdraw) -> FirstAssessmentPublic:
    """It counts no more; what it replaced counts again. ``NotFound``, ``AlreadyWithdrawn``."""
    row = await repository.lock_one(work, FirstAssessment, key)
    _withdraw(work, row, request)
    return FirstAssessmentPublic.model_validate(row)


async def list_first_assessments(
    work: Work, resident_id: UUID, limit: int, cursor: UUID | None
) -> list[FirstAssessmentPublic]:
    """What institutions found, newest entry first; audited."""
    await _require_health(work, resident_id, "first_assessments", ["covers", "is_suitable", "note"])
    rows = await repository.page_of(work, FirstAssessment, resident_id, limit, cursor)
    return [FirstAssessmentPublic.model_validate(row) for row in rows]


def standards() -> Standards:
    """The tables in force."""
    return Standards(ability=ability_standard(), self_care=self_care_table())


async def _require_health(work: Work, resident_id: UUID, resource: str, fields: list[str]) -> None:
    if not await may_read_health(work, resident_id):
        raise Forbidden
    await record_read(work, [resident_id], resource, fields)


async def _ability(work: Work, row: AbilityAssessment) -> AbilityPublic:
    current = await repository.ability_on(work, row.resident_id, _today(work))
    return AbilityPublic.model_validate(
        {**row.model_dump(), "is_in_force": current is not None and current.id == row.id}
    )


def _withdraw(work: Work, row: AbilityAssessment | FirstAssessment | None, request: Withdraw) -> None:
    if row is None:
        raise NotFound
    if row.withdrawn_at is not None:
        raise AlreadyWithdrawn
    row.withdrawn_at, row.withdrawn_by = work.now, work.actor.account_id
    row.withdraw_reason = request.reason


def _check_term(work: Work, made_on: date, first: date, last: date, latest: date) -> None:
    if made_on > _today(work):
        raise TermInvalid(reason="in_the_future")
    if last < first or first < made_on:
        raise TermInvalid(reason="ends_before_start")
    if last > latest:
        raise TermInvalid(reason="too_long", latest=latest.isoformat())


def _today(work: Work) -> date:
    return work.now.astimezone(BUSINESS_ZONE).date()
