"""Which rules count for whom, where each comes from, and which have nothing to judge."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from services.alerts.states import Severity
from services.audit.service import record_read
from services.centres.service import centre_in_charge, centre_in_reach
from services.core.database import Work
from services.core.errors import Forbidden
from services.residents.models import Resident
from services.residents.service import may_read_health, resident_in_reach
from services.rules import repository
from services.rules.definitions import ATTRIBUTES, Layer, load_rules
from services.rules.layers import Effective, NotEvaluable, Reason, Resolved, RuleBook, unmeasured
from services.rules.repository import Worn
from services.rules.views import (
    DefaultRules,
    EffectiveRule,
    LevelPublic,
    NotEvaluablePublic,
    ResidentNotEvaluable,
    ResidentRules,
)

_DEFAULTS = load_rules()


def default_rules() -> DefaultRules:
    """The set under all layers, and the attributes that limits may refer to."""
    return DefaultRules(
        **_DEFAULTS.model_dump(include={"version", "source", "effective_date", "verified"}),
        protocol=list(_DEFAULTS.protocol),
        rules=list(_DEFAULTS.rules),
        attributes=list(ATTRIBUTES.values()),
    )


async def resident_rules(work: Work, resident_id: UUID) -> ResidentRules:
    """The rules in force for one resident; limits of hers are health data, so the read is audited."""
    if not await may_read_health(work, resident_id):
        raise Forbidden
    await record_read(work, [resident_id], "rules", ["limits", "not_evaluable"])
    resident = await resident_in_reach(work, resident_id)
    worn = await repository.worn_by(work, [resident_id])
    book = await repository.read_book(await work.session.connection(), _DEFAULTS, resident_id)
    resolved = await _look_up(work, book, resident, worn)
    ever = (await repository.ever_measured(work, [resident_id])).get(resident_id, frozenset())
    return ResidentRules(
        resident_id=resident_id,
        effective=[_effective(item) for item in resolved.effective],
        not_evaluable=_not_evaluable(resolved, worn, ever),
    )


async def resolved_for(work: Work, resident_id: UUID) -> tuple[Resolved, Mapping[str, float]]:
    """What counts for one resident, and her attributes (in reach by the caller's check)."""
    resident = await resident_in_reach(work, resident_id)
    worn = await repository.worn_by(work, [resident_id])
    book = await repository.read_book(await work.session.connection(), _DEFAULTS, resident_id)
    return await _look_up(work, book, resident, worn), book.attributes.get(resident_id, {})


async def _look_up(work: Work, book: RuleBook, resident: Resident, worn: Sequence[Worn]) -> Resolved:
    """By the centre that her terminals call, or else the one of her town."""
    centre_id = worn[0].centre_id if worn else (await centre_in_charge(work, resident.area_code)).id
    return book.look_up(resident.id, centre_id, resident.area_code, {item.profile_id for item in worn})[0]


async def centre_not_evaluable(
    work: Work, centre_id: UUID, limit: int, cursor: UUID | None, *, include_defaults: bool
) -> tuple[list[ResidentNotEvaluable], list[UUID]]:
    """Residents of a centre, of whom a rule says that it cannot be judged, and the keys that were looked at.

    That no terminal measures a kind of the default set is no promise broken: it is left out unless asked for.
    """
    centre = await centre_in_reach(work, centre_id)
    residents = await repository.watched_residents(work, centre.area_code, limit, cursor)
    keys = [resident.id for resident in residents]
    book = await repository.read_book(await work.session.connection(), _DEFAULTS)
    worn: dict[UUID, list[Worn]] = {}
    for item in await repository.worn_by(work, keys):
        worn.setdefault(item.resident_id, []).append(item)
    ever = await repository.ever_measured(work, keys)
    found = []
    for resident in residents:
        hers = worn.get(resident.id, [])
        resolved = await _look_up(work, book, resident, hers)
        unable = _not_evaluable(resolved, hers, ever.get(resident.id, frozenset()))
        if not include_defaults:
            unable = [u for u in unable if (u.layer, u.reason) != (Layer.DEFAULT, Reason.NO_TERMINAL)]
        if unable:
            found.append(ResidentNotEvaluable(resident_id=resident.id, not_evaluable=unable))
    await record_read(work, {item.resident_id for item in found}, "rules", ["not_evaluable"])
    return found, keys


def _not_evaluable(resolved: Resolved, worn: Iterable[Worn], ever: frozenset[str]) -> list[NotEvaluablePublic]:
    measured = frozenset[str]().union(*(terminal.measures for terminal in worn))
    unable: list[NotEvaluable] = [*resolved.not_evaluable, *unmeasured(resolved, measured, ever)]
    return [NotEvaluablePublic.model_validate(item) for item in unable]


def _effective(item: Effective) -> EffectiveRule:
    written, rule = item.written, item.rule
    levels = () if rule is None else rule.levels
    return EffectiveRule(
        kind=written.kind,
        code=written.code,
        layer=written.layer,
        rule_id=written.rule_id,
        version=written.version,
        is_off=written.is_off,
        reason=written.reason,
        levels=[
            LevelPublic(severity=Severity(level.severity).name.lower(), limits=dict(level.limits))
            for level in levels
        ],
        fallbacks=list(item.fallbacks),
        definition=written.definition,
    )
