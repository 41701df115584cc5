"""SQL of rules, their versions, residents' attributes, maintenance and watches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import exists, func, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from services.core.database import Work
from services.core.ids import new_id
from services.core.scope import within
from services.residents.models import Resident
from services.rules.definitions import Layer, RuleDefinition, RuleSet
from services.rules.layers import RuleBook, Written, profile_rules
from services.rules.models import Maintenance, ResidentAttribute, SilencedAlarm, VitalRule, VitalRuleVersion
from services.terminals.models import Terminal
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.models import Reading

_WRITTEN = text(
    """
    SELECT r.layer, r.scope, r.area_code, r.centre_id, r.resident_id, r.kind, r.code, v.definition, v.is_off,
        v.reason, r.id, v.number
    FROM vital_rule r JOIN vital_rule_version v ON v.rule_id = r.id AND v.number = r.current
    WHERE CAST(:resident_id AS uuid) IS NULL OR r.resident_id IS NULL OR r.resident_id = :resident_id
    """
)
_ATTRIBUTES = text(
    """
    SELECT DISTINCT ON (resident_id, name) resident_id, name, value FROM resident_attribute
    WHERE CAST(:resident_id AS uuid) IS NULL OR resident_id = :resident_id
    ORDER BY resident_id, name, set_at DESC, id DESC
    """
)
_PROFILES = text("SELECT id, default_rules FROM terminal_profile WHERE default_rules <> '[]'::jsonb")
_WORN = text(
    """
    SELECT t.id, t.resident_id, t.centre_id, r.area_code, t.profile_id, p.capabilities
    FROM terminal t JOIN terminal_profile p ON p.id = t.profile_id JOIN resident r ON r.id = t.resident_id
    WHERE t.status = 'bound' AND t.resident_id = ANY (CAST(:residents AS uuid[]))
    ORDER BY t.id
    """
)
_ALL_WORN = text(
    """
    SELECT t.id, t.resident_id, t.centre_id, r.area_code, t.profile_id, p.capabilities
    FROM terminal t JOIN terminal_profile p ON p.id = t.profile_id JOIN resident r ON r.id = t.resident_id
    WHERE t.status = 'bound'
    ORDER BY t.id
    """
)
_EVER = text(
    """
    SELECT who.resident_id, kinds.kind
    FROM unnest(CAST(:residents AS uuid[])) AS who(resident_id), unnest(CAST(:kinds AS text[])) AS kinds(kind)
    WHERE EXISTS (
        SELECT FROM reading WHERE reading.resident_id = who.resident_id AND reading.kind = kinds.kind
            AND quality = 'good')
    """
)
_DUE = text(
    """
    SELECT id, resident_id, area_code, kind, code FROM rule_watch WHERE due_at <= :now
    ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
_POSTPONE = text("UPDATE rule_watch SET due_at = :due_at WHERE id = :id")
_WANTED = "SELECT * FROM unnest(CAST(:residents AS uuid[]), CAST(:kinds AS text[]), CAST(:codes AS text[]))"
_NEW_WATCHES = text(
    """
    INSERT INTO rule_watch (id, resident_id, area_code, kind, code, due_at)
    SELECT id, resident_id, area_code, kind, code, :now FROM unnest(CAST(:ids AS uuid[]),
        CAST(:residents AS uuid[]), CAST(:areas AS text[]), CAST(:kinds AS text[]), CAST(:codes AS text[]))
        AS wanted(id, resident_id, area_code, kind, code)
    WHERE NOT EXISTS (SELECT FROM rule_watch w WHERE (w.resident_id, w.kind, w.code)
        = (wanted.resident_id, wanted.kind, wanted.code))
    ON CONFLICT ON CONSTRAINT rule_watch_once DO NOTHING
    """
)
_OLD_WATCHES = text(
    f"""
    DELETE FROM rule_watch WHERE id IN (
        SELECT id FROM rule_watch
        WHERE (resident_id, kind, code) NOT IN ({_WANTED}) FOR UPDATE SKIP LOCKED)
    """  # noqa: S608  our own text
)
_LAST_GOOD = text(
    """
    SELECT measured_at, terminal_id FROM reading
    WHERE resident_id = :resident_id AND kind = :kind AND quality = 'good' AND measured_at <= :until
    ORDER BY measured_at DESC LIMIT 1
    """
)


class Worn(NamedTuple):
    """A terminal that a resident wears, with what it can measure."""

    terminal_id: UUID
    resident_id: UUID
    centre_id: UUID
    area_code: str
    profile_id: UUID
    capabilities: dict[str, Any]

    @property
    def measures(self) -> frozenset[str]:
        """Kinds of reading that its profile names."""
        return frozenset(self.capabilities.get("readings", ()))


async def read_book(connection: AsyncConnection, defaults: RuleSet, resident_id: UUID | None = None) -> RuleBook:
    """Every rule and attribute, or those that one resident may be judged by."""
    values = {"resident_id": resident_id}
    layers: dict[Layer, dict[Any, tuple[Written, ...]]] = {layer: {} for layer in Layer}
    for row in await connection.execute(_WRITTEN, values):
        layer = Layer(row[0])
        definition, trouble = _definition(row[7])
        written = Written(layer, row[5], row[6], definition, row[8], trouble or row[9], row[10], row[11])
        place = {Layer.COUNTY: row[2], Layer.CENTRE: row[3], Layer.RESIDENT: row[4]}[layer]
        layers[layer][place] = (*layers[layer].get(place, ()), written)
    attributes: dict[UUID, dict[str, float]] = {}
    for owner, name, value in await connection.execute(_ATTRIBUTES, values):
        if value is not None:
            attributes.setdefault(owner, {})[name] = value
    profiles = {row[0]: profile_rules(row[1]) for row in await connection.execute(_PROFILES)}
    return RuleBook(
        defaults,
        by_profile=profiles,
        by_county=layers[Layer.COUNTY],
        by_centre=layers[Layer.CENTRE],
        by_resident=layers[Layer.RESIDENT],
        attributes=attributes,
    )


def _definition(stored: Any) -> tuple[RuleDefinition | None, str]:
    """A stored definition. One that this version no longer understands is listed, and must not stop ingest."""
    try:
        return RuleDefinition.model_validate(stored), ""
    except ValidationError as error:
        return None, type(error).__name__


async def worn_by(work: Work, residents: Sequence[UUID]) -> list[Worn]:
    """The terminals that these residents wear (in scope by the caller's check)."""
    return [Worn(*row) for row in await work.sql(_WORN, {"residents": list(residents)})]


async def all_worn(work: Work) -> list[Worn]:
    """Every terminal that somebody wears."""
    return [Worn(*row) for row in await work.sql(_ALL_WORN)]


async def ever_measured(work: Work, residents: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    """Kinds of which there is a good reading, by resident; one short look into the index each."""
    found: dict[UUID, frozenset[str]] = {}
    values = {"residents": list(residents), "kinds": [kind.value for kind in ReadingKind]}
    for resident_id, kind in await work.sql(_EVER, values):
        found[resident_id] = found.get(resident_id, frozenset()) | {kind}
    return found


async def lock_rule(work: Work, layer: Layer, scope: str, kind: str, code: str) -> VitalRule | None:
    """The rule of a place, by kind and code, locked for a new version."""
    statement = (
        select(VitalRule)
        .where(
            *within(work.actor, VitalRule.area_code, VitalRule.resident_id if layer is Layer.RESIDENT else None),
            VitalRule.layer == layer,
            VitalRule.scope == scope,
            VitalRule.kind == kind,
            VitalRule.code == code,
        )
        .with_for_update()
    )
    return (await work.session.exec(statement)).one_or_none()


async def begin_rule(work: Work, rule: VitalRule) -> VitalRule:
    """A new rule without a version yet, or, when another request was quicker, the one that it made; locked."""
    values = rule.model_dump()
    new = insert(VitalRule).values(**values).on_conflict_do_nothing(constraint="vital_rule_once")
    await work.sql(new)
    found = await lock_rule(work, rule.layer, rule.scope, rule.kind, rule.code)
    assert found is not None  # noqa: S101  just made, by us or by the quicker one
    return found


async def find_rule(work: Work, rule_id: UUID) -> VitalRule | None:
    """One rule in the actor's scope, or of a layer above it."""
    rule = await work.session.get(VitalRule, rule_id)
    if rule is None:
        return None
    above = rule.resident_id is None and work.actor.area_code.startswith(rule.area_code)
    mine = work.actor.covers_area(rule.area_code)
    person = rule.resident_id is None or work.actor.covers_resident(rule.resident_id)
    return rule if (above or mine) and person else None


async def versions_of(work: Work, rule_id: UUID, limit: int, cursor: UUID | None) -> Sequence[VitalRuleVersion]:
    """Versions of a rule (in scope by the caller's check), newest first."""
    statement = (
        select(VitalRuleVersion)
        .where(VitalRuleVersion.rule_id == rule_id)
        .order_by(col(VitalRuleVersion.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(VitalRuleVersion.id < cursor)
    return (await work.session.exec(statement)).all()


async def current_rules(work: Work, layer: Layer, scope: str) -> Sequence[tuple[VitalRule, VitalRuleVersion]]:
    """The rules that stand in one place, by kind and code."""
    statement = (
        select(VitalRule, VitalRuleVersion)
        .join(VitalRuleVersion, col(VitalRuleVersion.rule_id) == col(VitalRule.id))
        .where(
            VitalRule.layer == layer,
            VitalRule.scope == scope,
            VitalRuleVersion.number == VitalRule.current,
        )
        .order_by(col(VitalRule.kind), col(VitalRule.code))
    )
    return (await work.session.exec(statement)).all()


async def watched_residents(work: Work, area_code: str, limit: int, cursor: UUID | None) -> Sequence[Resident]:
    """Residents of an area who wear a terminal or have rules of their own, newest entry first."""
    worn = exists().where(col(Terminal.resident_id) == col(Resident.id), col(Terminal.status) == "bound")
    own = exists().where(col(VitalRule.resident_id) == col(Resident.id))
    statement = (
        select(Resident)
        .where(
            *within(work.actor, Resident.area_code, Resident.id),
            col(Resident.area_code).startswith(area_code),
            or_(worn, own),
        )
        .order_by(col(Resident.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(col(Resident.id) < cursor)
    return (await work.session.exec(statement)).all()


async def attributes_of(work: Work, resident_id: UUID) -> Sequence[ResidentAttribute]:
    """Every setting of a resident's attributes, newest first."""
    statement = (
        select(ResidentAttribute)
        .where(
            *within(work.actor, ResidentAttribute.area_code, ResidentAttribute.resident_id),
            ResidentAttribute.resident_id == resident_id,
        )
        .order_by(col(ResidentAttribute.set_at).desc(), col(ResidentAttribute.id).desc())
    )
    return (await work.session.exec(statement)).all()


async def readings_between(
    work: Work, resident_id: UUID, kinds: Sequence[str], start: datetime, end: datetime, limit: int
) -> Sequence[tuple[str, datetime, float]]:
    """The newest ``limit`` good readings of one resident, oldest first (in scope by the caller's check)."""
    statement = (
        select(Reading.kind, Reading.measured_at, Reading.value)
        .where(
            Reading.resident_id == resident_id,
            col(Reading.kind).in_([ReadingKind(kind) for kind in kinds]),
            Reading.quality == Quality.GOOD,
            Reading.measured_at >= start,
            Reading.measured_at <= end,
        )
        .order_by(col(Reading.measured_at).desc())
        .limit(limit)
    )
    return [(str(kind), at, value) for kind, at, value in reversed((await work.session.exec(statement)).all())]


async def lock_maintenance(work: Work, maintenance_id: UUID) -> Maintenance | None:
    """One maintenance in scope, locked for its end."""
    statement = (
        select(Maintenance)
        .where(*within(work.actor, Maintenance.area_code), Maintenance.id == maintenance_id)
        .with_for_update()
    )
    return (await work.session.exec(statement)).one_or_none()


async def silenced_count(work: Work, maintenance_id: UUID) -> int:
    """How many alarms a maintenance has kept back."""
    statement = select(func.count()).where(SilencedAlarm.maintenance_id == maintenance_id)
    return (await work.session.exec(statement)).one()


async def list_maintenance(
    work: Work, centre_id: UUID, limit: int, cursor: UUID | None
) -> Sequence[tuple[Maintenance, int]]:
    """Maintenance of a centre, newest first, each with the number of alarms it has silenced."""
    statement = (
        select(Maintenance)
        .where(*within(work.actor, Maintenance.area_code), Maintenance.centre_id == centre_id)
        .order_by(col(Maintenance.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(Maintenance.id < cursor)
    rows = (await work.session.exec(statement)).all()
    ids = [row.id for row in rows]
    silenced = await work.session.exec(
        select(SilencedAlarm.maintenance_id, func.count())
        .where(col(SilencedAlarm.maintenance_id).in_(ids))
        .group_by(col(SilencedAlarm.maintenance_id))
    )
    counted = dict(silenced.all())
    return [(row, counted.get(row.id, 0)) for row in rows]


class DueWatch(NamedTuple):
    """A watch that is due, locked."""

    id: UUID
    resident_id: UUID
    area_code: str
    kind: str
    code: str


async def due_watches(work: Work, most: int) -> list[DueWatch]:
    """Watches to look at now; those another worker holds are left to it."""
    return [DueWatch(*row) for row in await work.sql(_DUE, {"now": work.now, "most": most})]


async def postpone(work: Work, watch_id: UUID, due_at: datetime) -> None:
    """Look at a watch again later."""
    await work.sql(_POSTPONE, {"id": watch_id, "due_at": due_at})


async def set_watches(work: Work, wanted: Sequence[tuple[UUID, str, str, str]]) -> None:
    """Exactly these watches, (resident, area, kind, code); a new one is due at once."""
    residents, areas, kinds, codes = zip(*wanted, strict=True) if wanted else ((), (), (), ())
    values = {"residents": list(residents), "kinds": list(kinds), "codes": list(codes)}
    new = {**values, "ids": [new_id() for _ in wanted], "areas": list(areas), "now": work.now}
    await work.sql(_NEW_WATCHES, new)
    await work.sql(_OLD_WATCHES, values)


async def last_good(work: Work, resident_id: UUID, kind: str, until: datetime) -> tuple[datetime, UUID] | None:
    """When a good reading of a kind was last taken, and by which terminal."""
    values = {"resident_id": resident_id, "kind": kind, "until": until}
    row = (await work.sql(_LAST_GOOD, values)).one_or_none()
    return None if row is None else (row[0], row[1])
