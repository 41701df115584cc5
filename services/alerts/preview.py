"""Who would be paged now: the ladder of a centre and severity, tried without paging anybody."""

from datetime import datetime
from uuid import UUID

from services.alerts import aid, policies, queries
from services.alerts.escalation import DESK
from services.alerts.policy_models import PolicyPreview, PreviewPerson, PreviewStep, Recipients, Step, Who
from services.alerts.policy_warnings import warnings_of
from services.centres.service import get_centre
from services.core.actor import Role
from services.core.database import Work
from services.duty.service import on_duty


async def preview(work: Work, centre_id: UUID, severity: int, at: datetime) -> PolicyPreview:
    """The policy that an alert would get and whom each of its steps would find.

    ``work`` is the system's: a step may reach people of other centres, of whom the reader is told name, role and
    centre. The caller has checked that the reader reaches the centre.
    """
    centre = await get_centre(work, centre_id)
    layer, document = await policies.in_force(work, centre_id, centre.area_code, severity, at)
    steps = [
        await _step(work, centre_id, centre.area_code, number, step, at)
        for number, step in enumerate(document.steps)
    ]
    return PolicyPreview(
        centre_id=centre_id,
        severity=severity,
        at=at,
        policy_id=layer.policy_id if layer else None,
        version=layer.version if layer else None,
        name=layer.name if layer else policies.default_name(severity),
        steps=steps,
        warnings=warnings_of(document, severity),
    )


async def _step(work: Work, centre_id: UUID, area_code: str, number: int, step: Step, at: datetime) -> PreviewStep:
    people: dict[UUID, str] = {}
    for line in step.recipients:
        if line.who in DESK:
            for account_id in await _named_by(work, centre_id, area_code, line, at):
                people.setdefault(account_id, f"{line.who}:{line.role}")
    accounts = {account.id: account for account in await queries.accounts_named(work, list(people))}
    return PreviewStep(
        step=number,
        after_seconds=step.after_seconds,
        people=[
            PreviewPerson(
                account_id=account_id,
                display_name=accounts[account_id].display_name,
                role=accounts[account_id].role,
                centre_id=accounts[account_id].centre_id,
                why=why,
            )
            for account_id, why in people.items()
            if account_id in accounts
        ],
        nobody=not people,
        of_the_resident=[str(line.relation or line.who) for line in step.recipients if line.who not in DESK],
        channels=list(step.channels),
    )


async def _named_by(work: Work, centre_id: UUID, area_code: str, line: Recipients, at: datetime) -> list[UUID]:
    role = line.role or Role.DISPATCHER
    if line.who is Who.ALL:
        return list(await queries.everybody_with(work, centre_id, role))
    if line.who is Who.NEIGHBOUR:
        neighbour = await aid.nearest_on_duty(work, centre_id, area_code, role, at)
        return [] if neighbour is None else list(neighbour.people)
    return list(await on_duty(work, centre_id, role, at))
