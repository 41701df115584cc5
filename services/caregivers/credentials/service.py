"""Credentials: recorded, verified by somebody, revoked, and warned of before they end.

Every change holds the caregiver first: whoever books her at that moment is done before, or sees it.
"""

from datetime import timedelta
from uuid import UUID

from services.caregivers import repository as caregivers
from services.caregivers.credentials import repository
from services.caregivers.credentials.expiry import Held, is_renewed, load_figures, warning_due
from services.caregivers.credentials.models import CredentialFields, CredentialPublic, NewCredential
from services.caregivers.errors import CredentialOnFile
from services.caregivers.limits import local_day
from services.caregivers.log import note
from services.caregivers.models import Caregiver, Credential
from services.caregivers.states import CREDENTIAL, CredentialStatus
from services.caregivers.vocabulary import load_vocabulary, require_known
from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.events import CredentialExpiring, CredentialMoved

NUMBER_PURPOSE = "credential.number"
"""What the vault binds a credential's number to."""

_S = CredentialStatus
_CORRECTABLE = ("issuer", "scope", "level", "valid_from", "valid_until")


async def list_credentials(work: Work, vault: Vault, caregiver_id: UUID) -> list[CredentialPublic]:
    """Everything in the file of a caregiver in reach, newest first, whatever its state."""
    rows = await repository.credentials_on_file(work, caregiver_id)
    return [shown(work, vault, row) for row in rows]


async def record(work: Work, vault: Vault, caregiver_id: UUID, new: NewCredential) -> CredentialPublic:
    """Write a credential down; it does not count until it is verified. ``CredentialOnFile`` for a double."""
    vocabulary = load_vocabulary()
    require_known(vocabulary.licences, [new.kind], "kind")
    _check_level(new.kind, new.level)
    caregiver = await caregivers.locked_caregiver(work, caregiver_id)
    if await repository.is_on_file(work, caregiver.id, new.kind, new.valid_from, new.valid_until):
        raise CredentialOnFile(field="kind")
    row = Credential(
        caregiver_id=caregiver.id,
        area_code=caregiver.area_code,
        number_encrypted=None if new.number is None else vault.encrypt(new.number, NUMBER_PURPOSE),
        **new.model_dump(exclude={"number"}),
    )
    work.session.add(row)
    CREDENTIAL.begin(work, row)
    note(work, caregiver, "credential_recorded", [new.kind], subject_id=row.id)
    _tell(work, caregiver, row)
    return shown(work, vault, row)


async def change(
    work: Work, vault: Vault, credential_id: UUID, fields: CredentialFields, if_match: int | None
) -> CredentialPublic:
    """Correct what stands on it. A verified one must be verified again, and counts only then.

    For a renewal record a new one instead: the old one goes on counting until its own end.
    """
    caregiver, row = await _locked(work, credential_id)
    expect_version(row, if_match)
    if row.status not in (_S.RECORDED, _S.VERIFIED):
        raise InvalidInput("a rejected or revoked credential is not corrected", field="status")
    _check_level(row.kind, fields.level)
    changed = [name for name in _CORRECTABLE if _differs(row, fields, name)]
    for name in changed:
        setattr(row, name, getattr(fields, name))
    if fields.number is not None:
        row.number_encrypted = vault.encrypt(fields.number, NUMBER_PURPOSE)
        changed.append("number")
    if not changed:
        return shown(work, vault, row)
    if row.status is _S.VERIFIED:
        row.checked_by, row.checked_at, row.check_note = None, None, ""
        CREDENTIAL.move(work, row, _S.RECORDED, "corrected")
    else:
        row.version += 1
    note(work, caregiver, "credential_corrected", changed, subject_id=row.id)
    _tell(work, caregiver, row)
    return shown(work, vault, row)


async def verify(
    work: Work, vault: Vault, credential_id: UUID, words: str, if_match: int | None
) -> CredentialPublic:
    """The actor has looked at the original or the register: it counts from now on. A repeat changes nothing."""
    return await _check(work, vault, credential_id, _S.VERIFIED, words, if_match)


async def reject(
    work: Work, vault: Vault, credential_id: UUID, words: str, if_match: int | None
) -> CredentialPublic:
    """It does not stand up to a look. A repeat changes nothing."""
    return await _check(work, vault, credential_id, _S.REJECTED, words, if_match)


async def revoke(
    work: Work, vault: Vault, credential_id: UUID, words: str, if_match: int | None
) -> CredentialPublic:
    """It counts no more, from this minute and for the whole of today. A repeat changes nothing."""
    caregiver, row = await _locked(work, credential_id)
    if row.status is _S.REVOKED:
        return shown(work, vault, row)
    expect_version(row, if_match)
    CREDENTIAL.move(work, row, _S.REVOKED, words)
    row.revoked_at = work.now
    note(work, caregiver, "credential_revoked", [row.kind], words, row.id)
    _tell(work, caregiver, row)
    return shown(work, vault, row)


async def warn_of_expiry(work: Work) -> int:
    """Warn once at each number of days before an end that nothing follows on; gives how many.

    Idempotent by credential, end and number of days: a worker that slept through the 30th day warns on the 29th,
    one that slept through both warns once, of the nearer.
    """
    today = local_day(work.now)
    found = await repository.ending_between(work, today, today + timedelta(days=max(load_figures().days_before)))
    others = [_held(row) for row in await repository.verified_of(work, {one.id for _, one in found})]
    told = 0
    for row, caregiver in found:
        days = warning_due(_held(row), today)
        if days is None or is_renewed(_held(row), others) or not await repository.add_warning(work, row, days):
            continue
        told += 1
        work.record(
            CredentialExpiring(
                area_code=row.area_code,
                centre_id=caregiver.centre_id,
                credential_id=row.id,
                caregiver_id=caregiver.id,
                kind=row.kind,
                ends_on=row.valid_until,
                days=days,
            )
        )
    return told


def shown(work: Work, vault: Vault, row: Credential) -> CredentialPublic:
    """A credential as the API shows it."""
    today = local_day(work.now)
    words = load_vocabulary().licences.get(row.kind, {})
    number = None if row.number_encrypted is None else vault.decrypt(row.number_encrypted, NUMBER_PURPOSE)
    return CredentialPublic(
        **row.model_dump(exclude={"number_encrypted", "area_code"}),
        kind_zh=words.get("zh", row.kind),
        kind_en=words.get("en", row.kind),
        number_masked=None if number is None else masked(number),
        counts_today=row.status is _S.VERIFIED and row.valid_from <= today <= row.valid_until,
        days_left=(row.valid_until - today).days,
    )


def masked(number: str) -> str:
    """All but the end: four characters of a long number, one of a short one."""
    kept = 4 if len(number) >= 8 else 1
    return "*" * (len(number) - kept) + number[-kept:]


async def _check(
    work: Work, vault: Vault, credential_id: UUID, target: CredentialStatus, words: str, if_match: int | None
) -> CredentialPublic:
    caregiver, row = await _locked(work, credential_id)
    if row.status is target:
        return shown(work, vault, row)
    expect_version(row, if_match)
    CREDENTIAL.move(work, row, target, words or None)
    row.checked_by, row.checked_at, row.check_note = work.actor.account_id, work.now, words
    note(work, caregiver, f"credential_{target}", [row.kind], words, row.id)
    _tell(work, caregiver, row)
    return shown(work, vault, row)


async def _locked(work: Work, credential_id: UUID) -> tuple[Caregiver, Credential]:
    caregiver_id = await repository.caregiver_behind(work, credential_id)
    if caregiver_id is None:
        raise NotFound
    caregiver = await caregivers.locked_caregiver(work, caregiver_id)
    return caregiver, await repository.lock_credential(work, credential_id)


def _check_level(kind: str, level: int | None) -> None:
    if level is not None and kind not in load_vocabulary().graded:
        raise InvalidInput("this kind of credential has no level", field="level")


def _differs(row: Credential, fields: CredentialFields, name: str) -> bool:
    written: object = getattr(fields, name)
    stands: object = getattr(row, name)
    return written != stands


def _held(row: Credential) -> Held:
    return Held(row.id, row.caregiver_id, row.kind, row.valid_from, row.valid_until)


def _tell(work: Work, caregiver: Caregiver, row: Credential) -> None:
    work.record(
        CredentialMoved(
            area_code=row.area_code,
            centre_id=caregiver.centre_id,
            credential_id=row.id,
            caregiver_id=caregiver.id,
            kind=row.kind,
            status=str(row.status),
        )
    )
