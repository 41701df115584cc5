"""Keeping rotas, and replacing somebody in one."""

from collections.abc import Sequence
from uuid import UUID

from services.centres.service import centre_in_reach
from services.core.actor import Role
from services.core.areas import AreaLevel, level_of
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.duty import repository
from services.duty.errors import DutyIsPast, OverrideCancelled
from services.duty.models import (
    DUTY_ROLES,
    DutyOverride,
    DutyRota,
    DutyRotaChange,
    NewOverride,
    NewRota,
    Pattern,
    RotaFields,
    RotaPublic,
    ShiftPattern,
)


async def create_rota(work: Work, new: NewRota) -> RotaPublic:
    """A rota of a centre in reach, or of the county for its own people. ``NotFound``, ``InvalidInput``."""
    if new.role not in DUTY_ROLES:
        raise InvalidInput(f"the role {new.role} stands in no rota", field="role")
    is_county = new.role is Role.COUNTY_OFFICER
    if is_county != (new.centre_id is None):
        raise InvalidInput("the county keeps its officers' rota, a centre its own people's", field="centre_id")
    if new.centre_id is not None:
        area_code = (await centre_in_reach(work, new.centre_id)).area_code
    elif level_of(work.actor.area_code) is AreaLevel.COUNTY:
        area_code = work.actor.area_code
    else:
        raise NotFound
    await _check_people(work, area_code, new.centre_id, new.role, new.shifts)
    row = DutyRota(
        centre_id=new.centre_id,
        area_code=area_code,
        role=new.role,
        name=new.name,
        pattern=Pattern(shifts=new.shifts).model_dump(mode="json"),
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        created_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    _keep(work, row)
    return shown(row)


async def change_rota(work: Work, rota_id: UUID, fields: RotaFields, if_match: int | None) -> RotaPublic:
    """Write a rota anew; what it said before stays on record. To end it, give it a last day."""
    row = await _locked(work, rota_id)
    expect_version(row, if_match)
    await _check_people(work, row.area_code, row.centre_id, row.role, fields.shifts)
    row.name = fields.name
    row.pattern = Pattern(shifts=fields.shifts).model_dump(mode="json")
    row.valid_from, row.valid_to = fields.valid_from, fields.valid_to
    row.version += 1
    _keep(work, row)
    return shown(row)


async def read_rota(work: Work, rota_id: UUID) -> RotaPublic:
    """One rota in reach; ``NotFound`` otherwise."""
    row = await repository.find_rota(work, rota_id)
    if row is None:
        raise NotFound
    return shown(row)


async def list_rotas(work: Work, centre_id: UUID | None, limit: int, before: UUID | None) -> list[RotaPublic]:
    """Rotas in reach, newest first."""
    return [shown(row) for row in await repository.list_rotas(work, centre_id, limit, before)]


def shown(row: DutyRota) -> RotaPublic:
    """A rota as the API shows it."""
    return RotaPublic(**row.model_dump(exclude={"pattern", "created_at"}), shifts=row.pattern["shifts"])


async def add_override(work: Work, rota_id: UUID, new: NewOverride) -> DutyOverride:
    """Somebody instead of somebody. ``DutyIsPast`` for a time that is over."""
    rota = await _locked(work, rota_id)
    if new.ends_at <= work.now:
        raise DutyIsPast
    people = {each for each in (new.account_id, new.absent_account_id) if each is not None}
    staff = set(await repository.staff_of(work, rota.area_code, rota.centre_id, rota.role))
    if not people <= staff | _named(rota):
        raise InvalidInput("not one of this rota's people", field="account_id")
    if new.account_id is not None and new.account_id not in staff:
        raise InvalidInput("cannot be on duty here", field="account_id")
    row = DutyOverride(
        rota_id=rota.id,
        area_code=rota.area_code,
        absent_account_id=new.absent_account_id,
        account_id=new.account_id,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        reason=new.reason,
        created_by=work.actor.account_id,
        created_at=work.now,
    )
    work.session.add(row)
    return row


async def cancel_override(work: Work, override_id: UUID, if_match: int | None) -> DutyOverride:
    """Take a replacement back, from now on as from its beginning; it stays on record."""
    row = await repository.lock_override(work, override_id)
    if row is None:
        raise NotFound
    expect_version(row, if_match)
    if row.cancelled_at is not None:
        raise OverrideCancelled
    if row.ends_at <= work.now:
        raise DutyIsPast
    row.cancelled_at, row.cancelled_by = work.now, work.actor.account_id
    row.version += 1
    return row


async def list_overrides(work: Work, rota_id: UUID, limit: int, before: UUID | None) -> Sequence[DutyOverride]:
    """Replacements of a rota in reach, newest first."""
    await read_rota(work, rota_id)
    return await repository.list_overrides(work, rota_id, limit, before)


async def _locked(work: Work, rota_id: UUID) -> DutyRota:
    row = await repository.find_rota(work, rota_id, lock=True)
    if row is None:
        raise NotFound
    return row


async def _check_people(
    work: Work, area_code: str, centre_id: UUID | None, role: Role, shifts: Sequence[ShiftPattern]
) -> None:
    named = {person for shift in shifts for turn in shift.turns for person in turn}
    strangers = named - set(await repository.staff_of(work, area_code, centre_id, role)) if named else set()
    if strangers:
        raise InvalidInput(
            "not everybody named has this role here",
            field="shifts",
            account_ids=sorted(str(person) for person in strangers),
        )


def _named(rota: DutyRota) -> set[UUID]:
    pattern = Pattern.model_validate(rota.pattern)
    return {person for shift in pattern.shifts for turn in shift.turns for person in turn}


def _keep(work: Work, row: DutyRota) -> None:
    work.session.add(
        DutyRotaChange(
            rota_id=row.id,
            area_code=row.area_code,
            version=row.version,
            name=row.name,
            pattern=row.pattern,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            account_id=work.actor.account_id,
            at=work.now,
        )
    )
