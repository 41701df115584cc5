"""Consents' verbs: giving, revoking at once, asking whether there is one, reading the history."""

from datetime import date
from uuid import UUID

from services.audit.service import record_read
from services.catalogue.service import menu_facts
from services.consents import repository
from services.consents.errors import (
    AlreadyReplaced,
    EvidenceMissing,
    GuardianNeeded,
    MethodNotYours,
    ScopeInvalid,
    TermOver,
    TextOutdated,
)
from services.consents.models import (
    Consent,
    ConsentEnd,
    ConsentGive,
    ConsentMethod,
    ConsentPublic,
    ConsentPurpose,
    ConsentRevoke,
    Giver,
)
from services.consents.rules import in_force, may_record, scope_problem
from services.consents.texts import text_in_force
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.errors import NotFound
from services.residents.models import RelationKind, Resident
from services.residents.repository import lock_resident
from services.residents.service import may_read_health, resident_in_reach


async def has_consent(
    work: Work, resident_id: UUID, purpose: ConsentPurpose, scope: str | None = None, day: date | None = None
) -> bool:
    """Whether the resident has consented to a purpose, for all of it or for this scope, and it is in force.

    ``day`` is today unless it is given: a consent with a last day may be over when the service is due.
    """
    scopes = {""} if scope is None else {"", scope}
    return await repository.has_in_force(work, resident_id, purpose, scopes, day or _today(work))


async def consented_scopes(work: Work, resident_id: UUID, purpose: ConsentPurpose, day: date) -> frozenset[str]:
    """The scopes that the resident has consented to for a purpose; an empty one stands for all of it."""
    return await repository.scopes_in_force(work, resident_id, purpose, day)


async def give_consent(work: Work, resident_id: UUID, given: ConsentGive) -> ConsentPublic:
    """Write a consent down. The same again is the same consent; another text, way or term replaces the old one.

    Raises ``NotFound`` for a resident out of reach, ``MethodNotYours``, ``GuardianNeeded``, ``EvidenceMissing``,
    ``ScopeInvalid``, ``TextOutdated``, ``TermOver``.
    """
    # The resident's row is the lock: two taps at once give one consent.
    resident = await _resident_to_ask(work, resident_id)
    scope = (given.scope or "").strip()
    giver = await _check(work, resident_id, given, scope)
    before = await repository.not_ended(work, resident_id, given.purpose, scope)
    if before is not None and _same(before, given, giver) and in_force(before, _today(work)):
        return _shown(before, _today(work))
    if before is not None:
        _end(work, before, ConsentEnd.REPLACED, "")
        await work.session.flush()
    consent = Consent(
        resident_id=resident.id,
        area_code=resident.area_code,
        purpose=given.purpose,
        scope=scope,
        giver=giver,
        giver_name=_giver_name(work, given, giver),
        how=given.how,
        text_version=given.text_version,
        evidence=given.evidence.strip(),
        given_at=work.now,
        valid_until=given.valid_until,
        recorded_by=work.actor.account_id,
        recorded_role=str(work.actor.role),
    )
    work.session.add(consent)
    await work.session.flush()
    return _shown(consent, _today(work))


async def revoke_consent(work: Work, consent_id: UUID, request: ConsentRevoke) -> ConsentPublic:
    """End a consent at once; a second time changes nothing. By her, her guardian, or staff whom she told.

    Raises ``NotFound``, ``GuardianNeeded``, ``AlreadyReplaced``.
    """
    consent = await repository.lock_consent(work, consent_id)
    if consent is None:
        raise NotFound
    await _require_engaged(work, consent.resident_id)
    await _giver_in_app(work, consent.resident_id)
    if consent.ended_how is ConsentEnd.REPLACED:
        raise AlreadyReplaced
    if consent.ended_at is None:
        _end(work, consent, ConsentEnd.REVOKED, request.reason.strip())
    return _shown(consent, _today(work))


async def list_consents(work: Work, resident_id: UUID, limit: int, cursor: UUID | None) -> list[ConsentPublic]:
    """All that the resident has agreed to, newest first, ended ones too; leaves a row in the access log."""
    await resident_in_reach(work, resident_id)
    await _require_engaged(work, resident_id)
    rows = await repository.page_of_consents(work, resident_id, limit, cursor)
    await record_read(work, [resident_id], "consents", ["purpose", "scope", "giver", "given_at", "ended_at"])
    return [_shown(row, _today(work)) for row in rows]


async def _resident_to_ask(work: Work, resident_id: UUID) -> Resident:
    resident = await lock_resident(work, resident_id)
    if resident is None:
        raise NotFound
    await _require_engaged(work, resident_id)
    return resident


async def _require_engaged(work: Work, resident_id: UUID) -> None:
    """A caregiver is there for the visit, and not for the rest of the town."""
    if work.actor.role is Role.CAREGIVER and not await may_read_health(work, resident_id):
        raise NotFound


async def _check(work: Work, resident_id: UUID, given: ConsentGive, scope: str) -> Giver:
    """Every rule of giving; tells who gives it."""
    if not may_record(work.actor.role, given.how):
        raise MethodNotYours(field="how", method=str(given.how))
    in_app = await _giver_in_app(work, resident_id)
    giver = given.giver if in_app is None else in_app
    if in_app is None and giver is Giver.GUARDIAN and not given.giver_name.strip():
        raise EvidenceMissing(field="giver_name")
    if given.how is ConsentMethod.SIGNATURE and not given.evidence.strip():
        raise EvidenceMissing(field="evidence")
    codes = [item.code for item in await menu_facts(work)]
    problem = scope_problem(given.purpose, scope, codes)
    if problem is not None:
        raise ScopeInvalid(field="scope", expected=problem)
    if given.purpose is ConsentPurpose.FAMILY_FEED and not await repository.relation_of(
        work, resident_id, UUID(scope)
    ):
        raise ScopeInvalid(field="scope", expected="account")
    current = text_in_force(given.purpose, _today(work)).version
    if given.text_version != current:
        raise TextOutdated(field="text_version", current=current)
    if given.valid_until is not None and given.valid_until < _today(work):
        raise TermOver(field="valid_until")
    return giver


async def _giver_in_app(work: Work, resident_id: UUID) -> Giver | None:
    """Who of the household acts; ``None`` for staff. Raises ``GuardianNeeded`` for any other relative."""
    if work.actor.role is Role.RESIDENT:
        return Giver.RESIDENT
    if work.actor.role is not Role.FAMILY:
        return None
    relations = await repository.relation_of(work, resident_id, work.actor.account_id)
    if RelationKind.GUARDIAN not in relations:
        raise GuardianNeeded
    return Giver.GUARDIAN


def _giver_name(work: Work, given: ConsentGive, giver: Giver) -> str:
    if giver is Giver.RESIDENT:
        return ""
    return work.actor.display_name if given.how is ConsentMethod.IN_APP else given.giver_name.strip()


def _same(before: Consent, given: ConsentGive, giver: Giver) -> bool:
    return (before.text_version, before.giver, before.how, before.valid_until, before.evidence) == (
        given.text_version,
        giver,
        given.how,
        given.valid_until,
        given.evidence.strip(),
    )


def _end(work: Work, consent: Consent, how: ConsentEnd, reason: str) -> None:
    consent.ended_at, consent.ended_how = work.now, how
    consent.ended_by, consent.end_reason = work.actor.account_id, reason


def _shown(consent: Consent, day: date) -> ConsentPublic:
    return ConsentPublic.model_validate({**consent.model_dump(), "is_in_force": in_force(consent, day)})


def _today(work: Work) -> date:
    return work.now.astimezone(BUSINESS_ZONE).date()
