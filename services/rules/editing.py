"""Writing rules and residents' attributes: checked, versioned, never overwritten."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.audit.service import record_read
from services.centres.service import centre_in_reach
from services.core.database import Work
from services.core.errors import Forbidden, NotFound, VersionMismatch
from services.residents.service import may_read_health, resident_in_reach
from services.rules import repository
from services.rules.definitions import ATTRIBUTES, Layer, RuleDefinition
from services.rules.errors import UnknownAttribute
from services.rules.models import ResidentAttribute, VitalRule, VitalRuleVersion
from services.rules.views import AttributePublic, AttributeSet, RulePublic, RuleSave, RuleVersionPublic


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule stands: one county, one centre or one resident."""

    layer: Layer
    scope: str
    area_code: str
    centre_id: UUID | None = None
    resident_id: UUID | None = None


async def save_county_rule(work: Work, request: RuleSave, if_match: int | None) -> RulePublic:
    """A new version of a rule of the actor's county."""
    return await _save(work, _county(work), request, if_match)


async def save_centre_rule(work: Work, centre_id: UUID, request: RuleSave, if_match: int | None) -> RulePublic:
    """A new version of a rule of a centre; ``NotFound`` for a centre out of reach."""
    return await _save(work, await _centre(work, centre_id), request, if_match)


async def save_resident_rule(work: Work, resident_id: UUID, request: RuleSave, if_match: int | None) -> RulePublic:
    """A new version of a resident's own rule; ``NotFound`` for one out of reach."""
    resident = await resident_in_reach(work, resident_id)
    place = Place(Layer.RESIDENT, str(resident.id), resident.area_code, resident_id=resident.id)
    return await _save(work, place, request, if_match)


async def _save(work: Work, place: Place, request: RuleSave, if_match: int | None) -> RulePublic:
    """Write the next version and let it count. ``InvalidRule`` names a field, ``VersionMismatch`` a newer one.

    Ingest hears of it at the commit, by a notification of the database.
    """
    definition = request.definition.check()
    rule = await repository.lock_rule(work, place.layer, place.scope, definition.kind, definition.code)
    if rule is None:
        rule = await repository.begin_rule(work, _new_rule(place, definition))
    if if_match is not None and if_match != rule.version:
        raise VersionMismatch(current=rule.version)
    rule.version += 1
    rule.current = rule.version
    version = VitalRuleVersion(
        rule_id=rule.id,
        number=rule.current,
        area_code=rule.area_code,
        resident_id=rule.resident_id,
        definition=definition.model_dump(mode="json"),
        is_off=request.is_off,
        reason=request.reason,
        account_id=work.actor.account_id,
        role=str(work.actor.role),
        at=work.now,
    )
    work.session.add(version)
    return _shown(rule, version)


def _new_rule(place: Place, definition: RuleDefinition) -> VitalRule:
    return VitalRule(
        layer=place.layer,
        scope=place.scope,
        area_code=place.area_code,
        centre_id=place.centre_id,
        resident_id=place.resident_id,
        kind=definition.kind,
        code=definition.code,
        current=0,
        version=0,
    )


def _county(work: Work) -> Place:
    code = work.actor.area_code
    return Place(Layer.COUNTY, code, code)


async def _centre(work: Work, centre_id: UUID) -> Place:
    centre = await centre_in_reach(work, centre_id)
    return Place(Layer.CENTRE, str(centre.id), centre.area_code, centre_id=centre.id)


async def list_county_rules(work: Work) -> list[RulePublic]:
    """What stands in the county over the actor's area."""
    return await _standing(work, Layer.COUNTY, work.actor.area_code[:6])


async def list_centre_rules(work: Work, centre_id: UUID) -> list[RulePublic]:
    """What a centre has written; ``NotFound`` out of reach."""
    place = await _centre(work, centre_id)
    return await _standing(work, place.layer, place.scope)


async def _standing(work: Work, layer: Layer, scope: str) -> list[RulePublic]:
    return [_shown(rule, version) for rule, version in await repository.current_rules(work, layer, scope)]


async def rule_versions(work: Work, rule_id: UUID, limit: int, cursor: UUID | None) -> list[RuleVersionPublic]:
    """Every version of a rule, newest first; those of a resident's rule are health data and audited."""
    rule = await repository.find_rule(work, rule_id)
    if rule is None:
        raise NotFound
    if rule.resident_id is not None:
        if not await may_read_health(work, rule.resident_id):
            raise Forbidden
        await record_read(work, [rule.resident_id], "rules", ["versions"])
    rows = await repository.versions_of(work, rule_id, limit, cursor)
    return [
        RuleVersionPublic(
            **row.model_dump(include={"id", "number", "is_off", "reason", "account_id", "role", "at"}),
            definition=RuleDefinition.model_validate(row.definition),
            is_current=row.number == rule.current,
        )
        for row in rows
    ]


async def set_attribute(work: Work, resident_id: UUID, request: AttributeSet) -> AttributePublic:
    """Set or withdraw a resident's own figure. ``UnknownAttribute`` for a name or a figure that cannot be."""
    known = ATTRIBUTES.get(request.name)
    if known is None:
        raise UnknownAttribute(field="name")
    if request.value is not None and not known.low <= request.value <= known.high:
        raise UnknownAttribute(field="value", low=known.low, high=known.high)
    resident = await resident_in_reach(work, resident_id)
    row = ResidentAttribute(
        resident_id=resident.id,
        area_code=resident.area_code,
        name=request.name,
        value=request.value,
        reason=request.reason,
        set_by=work.actor.account_id,
        set_at=work.now,
    )
    work.session.add(row)
    return AttributePublic.model_validate(row)


async def list_attributes(work: Work, resident_id: UUID) -> Sequence[AttributePublic]:
    """Every setting, newest first; audited."""
    if not await may_read_health(work, resident_id):
        raise Forbidden
    await record_read(work, [resident_id], "attributes", ["limits"])
    return [AttributePublic.model_validate(row) for row in await repository.attributes_of(work, resident_id)]


def _shown(rule: VitalRule, version: VitalRuleVersion) -> RulePublic:
    return RulePublic(
        rule_id=rule.id,
        layer=rule.layer,
        area_code=rule.area_code,
        centre_id=rule.centre_id,
        resident_id=rule.resident_id,
        kind=rule.kind,
        code=rule.code,
        definition=RuleDefinition.model_validate(version.definition),
        is_off=version.is_off,
        reason=version.reason,
        version=rule.version,
        account_id=version.account_id,
        role=version.role,
        at=version.at,
    )
