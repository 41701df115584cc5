"""A caregiver's file: taking on, changing, numbers, limits, and leaving."""

from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.caregivers import repository
from services.caregivers.credentials.service import list_credentials
from services.caregivers.errors import AlreadyOnFile, HasLeft, NotACaregiver, NothingOnFile
from services.caregivers.file_models import (
    CaregiverFields,
    CaregiverPublic,
    CaregiverSummary,
    Departure,
    LimitFields,
    LimitsPublic,
    LogLine,
    NewCaregiver,
    NumberField,
    NumberRequest,
    NumberRevealed,
    Numbers,
    Travel,
)
from services.caregivers.limits import load_limits, local_day
from services.caregivers.log import note
from services.caregivers.models import Caregiver, WorkLimit
from services.caregivers.vocabulary import load_vocabulary, require_known
from services.centres.service import centre_in_reach
from services.core.constraints import violates
from services.core.crypto import Vault, mask_id_number, mask_phone
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.events import CaregiverAbsent
from services.institutions.repository import institution_of_county
from services.residents.identity_numbers import normalise_contact_phone, parse_identity_number

PHONE_PURPOSE = "caregiver.phone"
ID_NUMBER_PURPOSE = "caregiver.id_number"
"""What the vault binds each number to, sealed and looked up."""

_PLAIN = ("name", "gender", "profession", "skills", "dialects", "practice_since", "institution_id")
_TRAVEL = ("travel_mode", "home_latitude", "home_longitude")


async def list_caregivers(
    work: Work, limit: int, cursor: UUID | None, centre_id: UUID | None, name: str | None, *, with_left: bool
) -> list[CaregiverSummary]:
    """Caregivers in reach, newest first."""
    rows = await repository.page_of_caregivers(work, limit, cursor, centre_id, name or None, with_left=with_left)
    return [CaregiverSummary.model_validate(row, from_attributes=True) for row in rows]


async def read_caregiver(work: Work, vault: Vault, caregiver_id: UUID) -> CaregiverPublic:
    """One file; ``NotFound`` outside the actor's area."""
    row = await repository.find_caregiver(work, caregiver_id)
    if row is None:
        raise NotFound
    return await shown(work, vault, row)


async def read_own(work: Work, vault: Vault) -> CaregiverPublic:
    """The acting caregiver's own file. ``NotACaregiver`` when there is none behind the account."""
    return await read_caregiver(work, vault, own_id(work))


async def take_on(work: Work, vault: Vault, new: NewCaregiver) -> CaregiverPublic:
    """Open a file at a centre in reach. ``AlreadyOnFile`` for an identity number that is there."""
    centre = await centre_in_reach(work, new.centre_id)
    await _check(work, new)
    facts: dict[str, Any] = {name: getattr(new, name) for name in (*_PLAIN, *_TRAVEL)}
    row = Caregiver(centre_id=centre.id, area_code=centre.area_code, **facts)
    kept = _keep_numbers(work, vault, row, new)
    work.session.add(row)
    await _flush(work)
    note(work, row, "taken_on", [*_PLAIN, *_TRAVEL, *kept])
    return await shown(work, vault, row)


async def change(
    work: Work, vault: Vault, caregiver_id: UUID, fields: CaregiverFields, if_match: int | None
) -> CaregiverPublic:
    """Write the file anew, the numbers apart. Skills that are taken away count no more from this minute."""
    row = await repository.locked_caregiver(work, caregiver_id)
    expect_version(row, if_match)
    await _check(work, fields)
    return await _write(work, vault, row, fields, (*_PLAIN, *_TRAVEL), "changed")


async def change_travel(
    work: Work, vault: Vault, caregiver_id: UUID, fields: Travel, if_match: int | None
) -> CaregiverPublic:
    """How somebody gets about, and from where."""
    row = await repository.locked_caregiver(work, caregiver_id)
    expect_version(row, if_match)
    return await _write(work, vault, row, fields, _TRAVEL, "travel_changed")


async def change_own_travel(work: Work, vault: Vault, fields: Travel, if_match: int | None) -> CaregiverPublic:
    """The same by the caregiver herself."""
    return await change_travel(work, vault, own_id(work), fields, if_match)


async def keep_numbers(
    work: Work, vault: Vault, caregiver_id: UUID, numbers: Numbers, if_match: int | None
) -> CaregiverPublic:
    """Seal phone and identity number; ``InvalidInput`` for one that is not well formed."""
    row = await repository.locked_caregiver(work, caregiver_id)
    expect_version(row, if_match)
    kept = _keep_numbers(work, vault, row, numbers)
    if kept:
        row.version += 1
        await _flush(work)
        note(work, row, "numbers_kept", kept)
    return await shown(work, vault, row)


async def reveal(work: Work, vault: Vault, caregiver_id: UUID, request: NumberRequest) -> NumberRevealed:
    """A number in full; who and what for stands in the file's log. ``NothingOnFile`` when there is none."""
    row = await repository.find_caregiver(work, caregiver_id)
    if row is None:
        raise NotFound
    sealed, purpose = {
        NumberField.PHONE: (row.phone_encrypted, PHONE_PURPOSE),
        NumberField.ID_NUMBER: (row.id_number_encrypted, ID_NUMBER_PURPOSE),
    }[request.field]
    if sealed is None:
        raise NothingOnFile
    note(work, row, "revealed", [str(request.field)], request.purpose)
    return NumberRevealed(field=request.field, value=vault.decrypt(sealed, purpose))


async def record_departure(
    work: Work, vault: Vault, caregiver_id: UUID, departure: Departure, if_match: int | None
) -> CaregiverPublic:
    """From when somebody no longer works here. What is booked beyond it is told, so that it is moved.

    A repeat with the same moment changes nothing; ``HasLeft`` once the moment has passed.
    """
    row = await repository.locked_caregiver(work, caregiver_id)
    if row.left_at == departure.left_at:
        return await shown(work, vault, row)
    expect_version(row, if_match)
    if row.left_at is not None and row.left_at <= work.now:
        raise HasLeft
    row.left_at = departure.left_at
    row.version += 1
    note(work, row, "departure_recorded", ["left_at"], departure.reason)
    since = max(departure.left_at, work.now)
    booked = await repository.booked_after(work, row.id, since)
    if booked:
        ends_at = max(one.ends_at for one in booked)
        work.record(
            CaregiverAbsent(
                area_code=row.area_code,
                centre_id=row.centre_id,
                caregiver_id=row.id,
                starts_at=departure.left_at,
                ends_at=ends_at,
            )
        )
    return await shown(work, vault, row)


async def set_limits(
    work: Work, vault: Vault, caregiver_id: UUID, fields: LimitFields, if_match: int | None
) -> CaregiverPublic:
    """Somebody's own working-time limits, with the reason. All null: the general ones again."""
    row = await repository.locked_caregiver(work, caregiver_id)
    expect_version(row, if_match)
    own = await repository.find_limit(work, row.id)
    if own is None:
        own = WorkLimit(caregiver_id=row.id, area_code=row.area_code, reason="", set_at=work.now, version=0)
        work.session.add(own)
    own.day_minutes, own.week_minutes = fields.day_minutes, fields.week_minutes
    own.rest_minutes, own.reason = fields.rest_minutes, fields.reason
    own.set_by, own.set_at = work.actor.account_id, work.now
    own.version += 1
    row.version += 1
    note(work, row, "limits_set", ["day_minutes", "week_minutes", "rest_minutes"], fields.reason)
    await work.session.flush()
    return await shown(work, vault, row)


async def list_log(work: Work, caregiver_id: UUID, limit: int, cursor: UUID | None) -> list[LogLine]:
    """Who did what to a file, and who opened a number in it; newest first."""
    if await repository.find_caregiver(work, caregiver_id) is None:
        raise NotFound
    rows = await repository.page_of_log(work, caregiver_id, limit, cursor)
    return [LogLine.model_validate(row) for row in rows]


def own_id(work: Work) -> UUID:
    """The caregiver behind the acting account; ``NotACaregiver`` without one."""
    if work.actor.person_id is None:
        raise NotACaregiver
    return work.actor.person_id


async def shown(work: Work, vault: Vault, row: Caregiver) -> CaregiverPublic:
    """A file as the API shows it."""
    limits = (await repository.limits_of(work, [row.id]))[row.id]
    own = await repository.find_limit(work, row.id)
    has_own = own is not None and (own.day_minutes, own.week_minutes, own.rest_minutes) != (None, None, None)
    phone, number = row.phone_encrypted, row.id_number_encrypted
    return CaregiverPublic(
        **row.model_dump(include=set(CaregiverPublic.model_fields)),
        phone_masked=mask_phone(vault.decrypt(phone, PHONE_PURPOSE)) if phone else None,
        id_number_masked=mask_id_number(vault.decrypt(number, ID_NUMBER_PURPOSE)) if number else None,
        limits=LimitsPublic(
            day_minutes=limits.day_minutes,
            week_minutes=limits.week_minutes,
            rest_minutes=limits.rest_minutes,
            own_reason=own.reason if has_own and own is not None else None,
            verified=load_limits().verified,
        ),
        credentials=await list_credentials(work, vault, row.id),
    )


async def _write(
    work: Work, vault: Vault, row: Caregiver, fields: Travel, names: tuple[str, ...], act: str
) -> CaregiverPublic:
    changed = [name for name in names if getattr(row, name) != getattr(fields, name)]
    for name in changed:
        setattr(row, name, getattr(fields, name))
    if changed:
        row.version += 1
        note(work, row, act, changed)
        await work.session.flush()
    return await shown(work, vault, row)


async def _check(work: Work, fields: CaregiverFields) -> None:
    vocabulary = load_vocabulary()
    require_known(vocabulary.skills, fields.skills, "skills")
    require_known(vocabulary.professions, [fields.profession], "profession")
    if fields.practice_since is not None and fields.practice_since > local_day(work.now):
        raise InvalidInput("nobody has practised since a day that has not come", field="practice_since")
    known = fields.institution_id is None or await institution_of_county(work, fields.institution_id)
    if not known:
        raise NotFound


def _keep_numbers(work: Work, vault: Vault, row: Caregiver, numbers: Numbers) -> list[str]:
    kept = []
    if numbers.phone is not None:
        phone = normalise_contact_phone(numbers.phone) if numbers.phone else ""
        if phone is None:
            raise InvalidInput("not a phone number", field="phone")
        row.phone_encrypted = vault.encrypt(phone, PHONE_PURPOSE) if phone else None
        kept.append("phone")
    if numbers.id_number is not None:
        parsed = parse_identity_number(numbers.id_number, local_day(work.now)) if numbers.id_number else None
        if numbers.id_number and parsed is None:
            raise InvalidInput("not a well-formed identity number", field="id_number")
        row.id_number_encrypted = None if parsed is None else vault.encrypt(parsed.number, ID_NUMBER_PURPOSE)
        row.id_number_lookup = None if parsed is None else vault.lookup(parsed.number, ID_NUMBER_PURPOSE)
        kept.append("id_number")
    return kept


async def _flush(work: Work) -> None:
    try:
        await work.session.flush()
    except IntegrityError as error:
        if violates(error, "caregiver_id_number_lookup_key"):
            raise AlreadyOnFile(field="id_number") from error
        raise
