"""Whole weeks: templates, copies, publishing. The team is held, so that two planners come one after the other."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from services.caregivers import repository as caregivers
from services.caregivers.errors import TemplateEnded, WorkingTimeExceeded
from services.caregivers.limits import Stretch, midnight
from services.caregivers.log import note
from services.caregivers.models import Caregiver, RotaTemplate, Shift, ShiftKind
from services.caregivers.rota import checking, repository
from services.caregivers.rota.models import (
    ApplyTemplate,
    BreachPublic,
    CaregiverBreaches,
    CopyWeek,
    NewTemplate,
    PlannedWeek,
    PublishedWeek,
    PublishWeek,
    ShiftPublic,
    SkippedShift,
    TemplateFields,
    TemplatePublic,
    TemplateShift,
)
from services.caregivers.rota.service import WEEK, flush, tell
from services.caregivers.rota.weeks import Surroundings, Wanted, expand, moved, overlaps_within, place
from services.caregivers.states import SHIFT, ShiftStatus
from services.centres.service import centre_in_reach
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version


async def create_template(work: Work, new: NewTemplate) -> TemplatePublic:
    """A week that repeats, for caregivers of a centre in reach. ``NotFound``, ``InvalidInput``."""
    centre = await centre_in_reach(work, new.centre_id)
    await _check(work, centre.id, new)
    row = RotaTemplate(
        centre_id=centre.id,
        area_code=centre.area_code,
        name=new.name,
        caregiver_ids=[str(one) for one in new.caregiver_ids],
        pattern=[shift.model_dump(mode="json") for shift in new.pattern],
    )
    work.session.add(row)
    return template_shown(row)


async def change_template(
    work: Work, template_id: UUID, fields: TemplateFields, if_match: int | None
) -> TemplatePublic:
    """Write a template anew; weeks that were made of it stay as they are."""
    row = await _template(work, template_id)
    expect_version(row, if_match)
    await _check(work, row.centre_id, fields)
    row.name = fields.name
    row.caregiver_ids = [str(one) for one in fields.caregiver_ids]
    row.pattern = [shift.model_dump(mode="json") for shift in fields.pattern]
    row.version += 1
    return template_shown(row)


async def end_template(work: Work, template_id: UUID, if_match: int | None) -> TemplatePublic:
    """Use a template no more. A repeat changes nothing."""
    row = await repository.find_template(work, template_id, lock=True)
    if row is None:
        raise NotFound
    if row.ended_at is None:
        expect_version(row, if_match)
        row.ended_at = work.now
        row.version += 1
    return template_shown(row)


async def list_templates(
    work: Work, centre_id: UUID | None, limit: int, before: UUID | None
) -> list[TemplatePublic]:
    """Templates in reach, newest first."""
    return [template_shown(row) for row in await repository.page_of_templates(work, centre_id, limit, before)]


async def apply_template(work: Work, template_id: UUID, wish: ApplyTemplate) -> PlannedWeek:
    """Drafts for some weeks; days that have shifts already are skipped, and so told."""
    row = await _template(work, template_id)
    pattern = [TemplateShift.model_validate(shift) for shift in row.pattern]
    team = await _held_team(work, row.centre_id, [UUID(one) for one in row.caregiver_ids])
    wanted = [
        Wanted(one.id, kind, span)
        for monday in sorted(set(wish.mondays))
        for one in team
        for kind, span in expand(pattern, monday)
    ]
    return await _make(work, team, wanted)


async def copy_week(work: Work, centre_id: UUID, wish: CopyWeek) -> PlannedWeek:
    """A week's shifts as drafts of other weeks; days that have shifts already are skipped, and so told."""
    centre = await centre_in_reach(work, centre_id)
    team = await _held_team(work, centre.id, wish.caregiver_ids)
    begin = midnight(wish.from_monday)
    rows = await repository.shifts_touching(work, [one.id for one in team], begin, begin + WEEK)
    source = [row for row in rows if row.starts_at >= begin]
    wanted = [
        Wanted(row.caregiver_id, row.kind, moved(Stretch(row.starts_at, row.ends_at), days))
        for monday in sorted(set(wish.to_mondays))
        if (days := (monday - wish.from_monday).days)
        for row in source
    ]
    return await _make(work, team, wanted)


async def publish_week(work: Work, centre_id: UUID, wish: PublishWeek) -> PublishedWeek:
    """Every draft of the week comes into force, all or none.

    ``WorkingTimeExceeded`` with everybody's breaches unless a reason is given. A repeat publishes nothing more.
    """
    centre = await centre_in_reach(work, centre_id)
    team = await _held_team(work, centre.id, wish.caregiver_ids)
    begin = midnight(wish.monday)
    ids = [one.id for one in team]
    rows = await repository.shifts_touching(work, ids, begin, begin + WEEK, (ShiftStatus.DRAFT,))
    drafts: dict[UUID, list[Shift]] = defaultdict(list)
    for row in rows:
        if row.starts_at >= begin and row.ends_at > work.now:
            drafts[row.caregiver_id].append(row)
    found: list[CaregiverBreaches] = []
    for caregiver_id, own in drafts.items():
        coming = [Stretch(row.starts_at, row.ends_at) for row in own if row.kind is ShiftKind.WORK]
        new = await checking.new_breaches(work, caregiver_id, (), coming)
        if new:
            told = [BreachPublic.model_validate(one) for one in new]
            found.append(CaregiverBreaches(caregiver_id=caregiver_id, breaches=told))
    if found and wish.override_reason is None:
        raise WorkingTimeExceeded(breaches=[one.model_dump(mode="json") for one in found])
    passed = {one.caregiver_id for one in found}
    for one in team:
        _publish(work, one, drafts[one.id], wish.override_reason if one.id in passed else None)
    await work.session.flush()
    return PublishedWeek(monday=wish.monday, published=sum(len(own) for own in drafts.values()), breaches=found)


def template_shown(row: RotaTemplate) -> TemplatePublic:
    """A template as the API shows it."""
    return TemplatePublic.model_validate(row.model_dump())


def _publish(work: Work, caregiver: Caregiver, drafts: Sequence[Shift], reason: str | None) -> None:
    for row in drafts:
        SHIFT.move(work, row, ShiftStatus.PUBLISHED, reason)
        row.override_reason = reason
    if drafts:
        tell(work, caregiver, min(row.starts_at for row in drafts), max(row.ends_at for row in drafts))
        note(work, caregiver, "rota_published", (), reason or "")


async def _make(work: Work, team: Sequence[Caregiver], wanted: Sequence[Wanted]) -> PlannedWeek:
    if not wanted:
        return PlannedWeek(created=[], skipped=[])
    ids = [one.id for one in team]
    since = min(one.span.starts_at for one in wanted) - timedelta(days=2)
    until = max(one.span.ends_at for one in wanted) + timedelta(days=2)
    around = Surroundings(
        shifts=_spans(await repository.shifts_touching(work, ids, since, until)),
        absences=_spans(await caregivers.absences_between(work, ids, since, until)),
        left_at={one.id: one.left_at for one in team},
    )
    placed, skipped = place(wanted, around, work.now)
    areas = {one.id: one.area_code for one in team}
    rows = [
        Shift(
            caregiver_id=one.caregiver_id,
            area_code=areas[one.caregiver_id],
            kind=one.kind,
            status=ShiftStatus.DRAFT,
            starts_at=one.span.starts_at,
            ends_at=one.span.ends_at,
        )
        for one in placed
    ]
    work.session.add_all(rows)
    await flush(work)
    for row in rows:
        SHIFT.begin(work, row)
    return PlannedWeek(
        created=[ShiftPublic.model_validate(row) for row in rows],
        skipped=[SkippedShift.model_validate(one) for one in skipped],
    )


async def _held_team(work: Work, centre_id: UUID, ids: Collection[UUID] | None) -> Sequence[Caregiver]:
    """Everybody who works there, or those asked for, held by id. ``NotFound`` for somebody of another centre."""
    team = await repository.team_of(work, centre_id, ids)
    known = {one.id for one in await caregivers.caregivers_of_centre(work, centre_id, ids)}
    if ids is not None and not set(ids) <= known:
        raise NotFound
    await caregivers.lock_caregivers(work, [one.id for one in team])
    return team


async def _template(work: Work, template_id: UUID) -> RotaTemplate:
    row = await repository.find_template(work, template_id, lock=True)
    if row is None:
        raise NotFound
    if row.ended_at is not None:
        raise TemplateEnded
    return row


async def _check(work: Work, centre_id: UUID, fields: TemplateFields) -> None:
    known = {one.id for one in await caregivers.caregivers_of_centre(work, centre_id, fields.caregiver_ids)}
    if not set(fields.caregiver_ids) <= known:
        raise NotFound
    if overlaps_within(fields.pattern):
        raise InvalidInput("shifts of the pattern overlap", field="pattern")


def _spans(rows: Iterable[Shift | caregivers.AbsenceRow]) -> dict[UUID, list[Stretch]]:
    found: dict[UUID, list[Stretch]] = defaultdict(list)
    for row in rows:
        found[row.caregiver_id].append(Stretch(row.starts_at, row.ends_at))
    return found
