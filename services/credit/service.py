"""The verbs of credit: publish rules, score a month, read."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.core.clock import BUSINESS_ZONE
from services.core.constraints import violates
from services.core.database import Work
from services.core.errors import Forbidden
from services.credit import repository
from services.credit.errors import RulesExist, RulesInThePast, UnknownCriterion
from services.credit.models import (
    CreditPublic,
    CreditRuleSet,
    CreditScore,
    RuleSetCreate,
    RuleSetPublic,
    Subject,
)
from services.credit.repository import Counted
from services.credit.rules import CreditFacts, CreditPart, CreditRules, cases, counted, score, seed_rules

_COUNTY_DIGITS = 6


class _Subject(NamedTuple):
    """Whose score is written down."""

    kind: Subject
    id: UUID
    area_code: str
    centre_id: UUID | None


async def published_rules(work: Work) -> list[RuleSetPublic]:
    """Every version of the actor's county, newest first; the project's own starting rules last."""
    county = work.actor.area_code[:_COUNTY_DIGITS]
    start = seed_rules()
    sets = [
        RuleSetPublic(
            version=row.version,
            effective_from=row.effective_from,
            document=CreditRules.model_validate(row.document),
            reason=row.reason,
        )
        for row in await repository.rule_sets(work, county)
    ]
    return [*sets, RuleSetPublic(version=start.version, effective_from=None, document=start, reason="")]


async def publish_rules(work: Work, said: RuleSetCreate) -> RuleSetPublic:
    """A new version from a day to come. Raises ``RulesInThePast``, ``UnknownCriterion``, ``RulesExist``."""
    if work.actor.account_id is None:
        raise Forbidden
    if said.effective_from <= _today(work):
        raise RulesInThePast(field="effective_from")
    named = {part.code for part in said.document.parts} | {one.code for one in said.document.deductions}
    unknown = named - counted(CreditFacts()).keys() - cases(CreditFacts()).keys()
    if unknown:
        raise UnknownCriterion(field="document", unknown=sorted(unknown))
    document = said.document.model_copy(update={"version": said.effective_from.isoformat()})
    row = CreditRuleSet(
        area_code=work.actor.area_code[:_COUNTY_DIGITS],
        version=document.version,
        effective_from=said.effective_from,
        document=document.model_dump(mode="json", by_alias=True),
        reason=said.reason,
        published_by=work.actor.account_id,
        published_at=work.now,
    )
    work.session.add(row)
    try:
        await work.session.flush()
    except IntegrityError as error:
        if violates(error, "credit_rule_set_county"):
            raise RulesExist from error
        raise
    return RuleSetPublic(
        version=row.version, effective_from=row.effective_from, document=document, reason=row.reason
    )


async def score_last_month(work: Work) -> int:
    """Score everybody for the month that has ended; once, however often it runs. For the worker."""
    first = _today(work).replace(day=1)
    month = (first - timedelta(days=1)).replace(day=1)
    stored = 0
    for county in await repository.counties_without(work, month):
        stored += await score_month(work, county, month)
    return stored


async def score_month(work: Work, county: str, month: date) -> int:
    """The scores of a county at the end of a month; an institution's facts are those of its caregivers."""
    end = (month + timedelta(days=32)).replace(day=1)
    published = await repository.rules_in_force(work, county, end - timedelta(days=1))
    rules = seed_rules() if published is None else CreditRules.model_validate(published.document)
    start = end - timedelta(days=rules.window_days)
    found = await repository.count_facts(
        work, county, _midnight(start), _midnight(end), timedelta(minutes=rules.on_time_minutes)
    )
    window = (month, start, end)
    by_institution: dict[UUID, list[Counted]] = defaultdict(list)
    for one in found:
        subject = _Subject(Subject.CAREGIVER, one.caregiver_id, one.area_code, one.centre_id)
        await repository.add_score(work, _scored(work, subject, one.facts, rules, window))
        if one.institution_id is not None:
            by_institution[one.institution_id].append(one)
    for institution_id, members in by_institution.items():
        subject = _Subject(Subject.INSTITUTION, institution_id, county, None)
        await repository.add_score(work, _scored(work, subject, _together(members), rules, window))
    return len(found) + len(by_institution)


async def list_scores(
    work: Work,
    limit: int,
    cursor: UUID | None,
    subject: Subject | None,
    subject_id: UUID | None,
    month: date | None,
) -> list[CreditPublic]:
    """Scores in reach, newest first."""
    rows = await repository.scores_page(work, limit, cursor, subject, subject_id, month)
    return [_public(row, name) for row, name in rows]


async def my_scores(work: Work, limit: int, cursor: UUID | None) -> list[CreditPublic]:
    """The signed-in caregiver's own scores, newest first."""
    if work.actor.person_id is None:
        raise Forbidden
    return await list_scores(work, limit, cursor, Subject.CAREGIVER, work.actor.person_id, None)


def _together(members: Sequence[Counted]) -> CreditFacts:
    return CreditFacts(*(sum(column) for column in zip(*(astuple(one.facts) for one in members), strict=True)))


def _scored(
    work: Work,
    subject: _Subject,
    facts: CreditFacts,
    rules: CreditRules,
    window: tuple[date, date, date],
) -> CreditScore:
    result = score(facts, rules)
    month, start, end = window
    return CreditScore(
        subject=subject.kind,
        subject_id=subject.id,
        centre_id=subject.centre_id,
        area_code=subject.area_code,
        month=month,
        window_start=start,
        window_end=end,
        rules_version=rules.version,
        score=result.score,
        grade=result.grade,
        parts=[part.model_dump(mode="json") for part in result.parts],
        deductions=[part.model_dump(mode="json") for part in result.deductions],
        computed_at=work.now,
    )


def _public(row: CreditScore, name: str) -> CreditPublic:
    return CreditPublic(
        **row.model_dump(exclude={"area_code", "parts", "deductions"}),
        name=name,
        parts=[CreditPart.model_validate(part) for part in row.parts],
        deductions=[CreditPart.model_validate(part) for part in row.deductions],
    )


def _today(work: Work) -> date:
    return work.now.astimezone(BUSINESS_ZONE).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BUSINESS_ZONE)
