"""Who is on duty: now, next, and when nobody is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.centres.models import Centre
from services.centres.repository import centre_by_id
from services.centres.service import centre_in_reach
from services.core.actor import Role
from services.core.database import Work
from services.duty import repository, roster
from services.duty.models import DutyChange, DutyNow, DutyPerson, DutyRota, Gap, Pattern
from services.duty.roster import Replacement, Rota, Span

AHEAD: Final = timedelta(days=14)
"""How far ahead the next change and the gaps are looked for."""

_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Plan:
    """A place's duty in one role over a time. ``rotas`` are those that have anything to say about it."""

    rotas: tuple[Rota, ...]
    spans: tuple[Span, ...]
    staff: frozenset[UUID]

    def has_rota(self, at: datetime) -> bool:
        """Whether a rota is in force at a moment."""
        return any(roster.is_in_force(rota, at) for rota in self.rotas)


async def on_duty(work: Work, centre_id: UUID, role: Role, at: datetime) -> Sequence[UUID]:
    """Accounts on duty in a role at a centre at a moment; for the county's roles, of the centre's county.

    A centre that keeps no rota for the role, or whose rota is not in force then: everybody with that role there.
    A rota with a gap: nobody. Disabled accounts never count. Rotas are taken as they stand now.
    """
    centre = await centre_by_id(work, centre_id)
    if centre is None:
        return []
    plan = await plan_of(work, centre, role, at, at + timedelta(microseconds=1))
    if not plan.has_rota(at):
        return sorted(plan.staff)
    return sorted(roster.on_duty_at(plan.spans, at))


async def plan_of(work: Work, centre: Centre, role: Role, begin: datetime, end: datetime) -> Plan:
    """Everybody's spans that touch a time, after replacements, without those who are no longer there."""
    rows = await repository.rotas_of_place(work, centre, role)
    staff = frozenset(await repository.staff_of(work, centre.area_code, centre.id, role))
    return await _plan(work, rows, staff, begin, end)


async def plan_of_rota(work: Work, row: DutyRota, begin: datetime, end: datetime) -> Plan:
    """The same for one rota alone."""
    staff = frozenset(await repository.staff_of(work, row.area_code, row.centre_id, row.role))
    return await _plan(work, [row], staff, begin, end)


async def _plan(
    work: Work, rows: Sequence[DutyRota], staff: frozenset[UUID], begin: datetime, end: datetime
) -> Plan:
    rotas = tuple(rota_of(row) for row in rows)
    overrides = await repository.overrides_between(work, [r.id for r in rotas], begin, end) if rotas else ()
    replacements = [
        Replacement(o.rota_id, o.absent_account_id, o.account_id, o.starts_at, o.ends_at) for o in overrides
    ]
    found: list[Span] = []
    for rota in rotas:
        found += roster.with_replacements(rota.id, roster.spans(rota, begin, end), replacements)
    return Plan(rotas, tuple(span for span in found if span.account_id in staff), staff)


def rota_of(row: DutyRota) -> Rota:
    """A stored rota as the rules need it."""
    return Rota(row.id, tuple(Pattern.model_validate(row.pattern).shifts), row.valid_from, row.valid_to)


async def duty_now(work: Work, centre_id: UUID, role: Role) -> DutyNow:
    """Who is on duty at a centre now, and what comes next. ``NotFound`` outside the actor's reach."""
    centre = await centre_in_reach(work, centre_id)
    plan = await plan_of(work, centre, role, work.now, work.now + AHEAD)
    if not plan.has_rota(work.now):
        people: dict[UUID, datetime | None] = dict.fromkeys(sorted(plan.staff))
        return DutyNow(
            centre_id=centre_id,
            role=role,
            at=work.now,
            has_rota=False,
            now=await _people(work, people),
            next=None,
        )
    horizon = work.now + AHEAD
    change = roster.next_change(plan.spans, work.now)
    return DutyNow(
        centre_id=centre_id,
        role=role,
        at=work.now,
        has_rota=True,
        now=await _people(work, _until(plan, work.now, horizon)),
        # What ends beyond the time that was looked at is no change: the rota goes on there, unseen.
        next=None
        if change is None or change >= horizon
        else DutyChange(at=change, people=await _people(work, _until(plan, change, horizon))),
    )


def _until(plan: Plan, at: datetime, horizon: datetime) -> dict[UUID, datetime | None]:
    """Who is on duty at a moment, and until when, as far as it is known. Without a rota then: everybody."""
    if not plan.has_rota(at):
        return dict.fromkeys(sorted(plan.staff))
    return {
        account_id: until if until < horizon else None
        for account_id, until in roster.on_duty_at(plan.spans, at).items()
    }


async def gaps_ahead(work: Work, centre_id: UUID, role: Role) -> list[Gap]:
    """When nobody will be on duty within two weeks. A time without any rota is none: then everybody counts."""
    centre = await centre_in_reach(work, centre_id)
    begin, end = work.now, work.now + AHEAD
    plan = await plan_of(work, centre, role, begin, end)
    in_force = [Span(_NOBODY, *roster.force_of(rota, end)) for rota in plan.rotas]
    without = [Span(_NOBODY, *time) for time in roster.gaps(in_force, begin, end)]
    return [
        Gap(role=role, starts_at=starts_at, ends_at=ends_at)
        for starts_at, ends_at in roster.gaps([*plan.spans, *without], begin, end)
    ]


async def _people(work: Work, until: dict[UUID, datetime | None]) -> list[DutyPerson]:
    names = await repository.names_of(work, until.keys())
    return [
        DutyPerson(account_id=account_id, display_name=names.get(account_id, ""), until=moment)
        for account_id, moment in until.items()
    ]
