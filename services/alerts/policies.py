"""Escalation policies: which one an alert gets, and editing them. A running alert keeps the one it has."""

from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from services.alerts import escalation, queries
from services.alerts.errors import PolicyInvalid
from services.alerts.escalation import Layer, Problem
from services.alerts.history import write_log
from services.alerts.models import Alert, Escalation
from services.alerts.policy_models import EscalationPolicy, NewPolicy, PolicyChange, PolicyDocument, PolicyPublic
from services.alerts.policy_warnings import warnings_of
from services.centres.service import centre_in_reach
from services.core.actor import Role
from services.core.areas import county_of
from services.core.database import Work
from services.core.errors import Forbidden, NotFound, VersionMismatch
from services.core.ids import new_id

_DEFAULTS = escalation.load_defaults()


def default_for(severity: int) -> PolicyDocument:
    """The default policy for a severity."""
    return next(document for least, _, document in _DEFAULTS if severity >= least)


def default_name(severity: int) -> str:
    """What the default policy for a severity is called."""
    return next(name for least, name, _ in _DEFAULTS if severity >= least)


async def freeze(work: Work, alert: Alert, ladder: Escalation) -> PolicyDocument:
    """The alert's policy. The first time, and when the alert has become graver, it is chosen and copied.

    ``ValidationError`` when the copy cannot be read.
    """
    if ladder.frozen_at is not None and alert.severity <= (ladder.severity or 0):
        return PolicyDocument.model_validate(ladder.policy)
    is_graver = ladder.frozen_at is not None
    layer, document = await in_force(work, alert.centre_id, alert.area_code, alert.severity, work.now)
    ladder.policy = document.model_dump(mode="json")
    ladder.severity, ladder.frozen_at = alert.severity, work.now
    ladder.step, ladder.repeat = escalation.BEFORE_FIRST.step, escalation.BEFORE_FIRST.repeat
    write_log(
        work,
        alert.id,
        alert.area_code,
        "policy_raised" if is_graver else "policy_chosen",
        policy_id=str(layer.policy_id) if layer else None,
        version=layer.version if layer else None,
        severity=alert.severity,
    )
    return document


async def in_force(
    work: Work, centre_id: UUID, area_code: str, severity: int, at: datetime
) -> tuple[Layer | None, PolicyDocument]:
    """The policy of a centre for a severity at a moment; no layer means the default. One that cannot be read is
    passed over: a ladder always has steps."""
    rows = await queries.policies_in_force(work, centre_id, county_of(area_code))
    layers = [_layer(row) for row in rows]
    while (layer := escalation.choose(layers, severity, at)) is not None:
        try:
            document = PolicyDocument.model_validate(layer.document)
        except ValidationError:
            layers.remove(layer)
            continue
        if not escalation.problems_of(document):
            return layer, document
        layers.remove(layer)
    return None, default_for(severity)


def _layer(row: EscalationPolicy) -> Layer:
    return Layer(
        centre_id=row.centre_id,
        min_severity=row.min_severity,
        weekdays=frozenset(row.weekdays),
        from_time=row.from_time,
        until_time=row.until_time,
        document=row.document,
        policy_id=row.policy_id,
        version=row.version,
        name=row.name,
    )


async def add_policy(work: Work, new: NewPolicy) -> PolicyPublic:
    """A first version. The county's layer is the county's to write; a centre's, its manager's and the county's."""
    area_code = work.actor.area_code
    if new.centre_id is not None:
        area_code = (await centre_in_reach(work, new.centre_id)).area_code
    elif work.actor.role is not Role.COUNTY_OFFICER:
        raise Forbidden
    _check(new)
    row = _row(work, new_id(), 1, new.centre_id, area_code, new)
    work.session.add(row)
    return _public(row)


async def change_policy(work: Work, policy_id: UUID, change: PolicyChange, if_match: int | None) -> PolicyPublic:
    """The next version, in force for alerts from now on."""
    current = await _current(work, policy_id, if_match)
    _check(change)
    current.ended_at = work.now
    await work.session.flush()
    row = _row(work, policy_id, current.version + 1, current.centre_id, current.area_code, change)
    work.session.add(row)
    return _public(row)


async def end_policy(work: Work, policy_id: UUID, if_match: int | None) -> PolicyPublic:
    """No further alert gets it; what is below it (the county's, the default) holds again."""
    current = await _current(work, policy_id, if_match)
    current.ended_at = work.now
    return _public(current)


async def read_policy(work: Work, policy_id: UUID) -> PolicyPublic:
    """Its newest version; ``NotFound`` out of reach."""
    return (await policy_history(work, policy_id))[0]


async def policy_history(work: Work, policy_id: UUID) -> list[PolicyPublic]:
    """Every version, newest first; ``NotFound`` out of reach."""
    versions = await queries.policy_versions(work, policy_id)
    if not versions:
        raise NotFound
    return [_public(row) for row in versions]


async def list_policies(work: Work, limit: int, cursor: UUID | None) -> tuple[list[PolicyPublic], list[UUID]]:
    """The policies in force within reach, newest first, and the keys to page by."""
    rows = await queries.policies_in_reach(work, limit, cursor)
    return [_public(row) for row in rows], [row.id for row in rows]


async def _current(work: Work, policy_id: UUID, if_match: int | None) -> EscalationPolicy:
    seen = await queries.policy_versions(work, policy_id)
    if seen and not work.actor.covers_area(seen[0].area_code):
        raise Forbidden
    # Only what may be changed can be locked: the wall of the database lets a centre read the county's, no more.
    versions = await queries.policy_versions(work, policy_id, lock=True)
    if not versions or versions[0].ended_at is not None:
        raise NotFound
    current = versions[0]
    if if_match is not None and if_match != current.version:
        raise VersionMismatch(current=current.version)
    return current


def _check(change: PolicyChange) -> None:
    found = escalation.problems_of(change.document)
    if not 1 <= change.min_severity <= 4:
        found.append(Problem("severity_out_of_range", "min_severity"))
    if not change.weekdays or not set(change.weekdays) <= set(range(1, 8)):
        found.append(Problem("weekdays_out_of_range", "weekdays"))
    if change.from_time.tzinfo is not None or change.until_time.tzinfo is not None:
        found.append(Problem("hours_with_time_zone", "from_time"))
    if found:
        raise PolicyInvalid(problems=[problem._asdict() for problem in found])


def _row(
    work: Work, policy_id: UUID, version: int, centre_id: UUID | None, area_code: str, change: PolicyChange
) -> EscalationPolicy:
    return EscalationPolicy(
        policy_id=policy_id,
        version=version,
        centre_id=centre_id,
        area_code=area_code,
        name=change.name,
        min_severity=change.min_severity,
        weekdays=sorted(set(change.weekdays)),
        from_time=change.from_time.replace(second=0, microsecond=0),
        until_time=change.until_time.replace(second=0, microsecond=0),
        document=change.document.model_dump(mode="json"),
        saved_by=work.actor.account_id,
        saved_at=work.now,
    )


def _public(row: EscalationPolicy) -> PolicyPublic:
    shown = PolicyPublic.model_validate(row, from_attributes=True)
    return shown.model_copy(update={"warnings": warnings_of(shown.document)})
