"""Residents: finding them, showing what a reader may see, revealing a number, the emergency card."""

from datetime import date
from uuid import UUID

from services.audit.service import record_read
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.crypto import Vault, mask_id_number, mask_phone
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound, VersionMismatch
from services.residents import repository
from services.residents.disclosure import CARE_MARGIN, Disclosure, Engagement, disclosure_for
from services.residents.errors import NothingRecorded
from services.residents.identity_numbers import age_on, normalise_phone
from services.residents.models import (
    ContactCard,
    EmergencyCard,
    KeyBoxKept,
    Resident,
    ResidentHealth,
    ResidentInCare,
    ResidentPublic,
    ResidentSummary,
    Revealable,
    Revealed,
    RevealRequest,
)

PHONE_PURPOSE = "resident.phone"
ID_NUMBER_PURPOSE = "resident.id_number"
CONTACT_PHONE_PURPOSE = "contact.phone"
KEY_BOX_PURPOSE = "resident.key_box"
"""What the vault binds each number to, sealed and looked up."""

_PERSONAL = ("birth_date", "phone_masked", "id_number_masked", "latitude", "longitude", "categories")


async def list_residents(
    work: Work, vault: Vault, limit: int, cursor: UUID | None, name: str | None, phone: str | None
) -> list[ResidentSummary]:
    """Residents within reach, by a part of the name or by the whole mobile number."""
    lookup = None
    if phone is not None:
        number = normalise_phone(phone)
        if number is None:
            raise InvalidInput("not a mobile number", field="phone")
        lookup = vault.lookup(number, PHONE_PURPOSE)
    rows = await repository.page_of_residents(work, limit, cursor, name or None, lookup)
    day = _today(work)
    return [ResidentSummary.model_validate(_summary(row, day)) for row in rows]


async def read_resident(work: Work, vault: Vault, resident_id: UUID) -> ResidentPublic:
    """One resident, as far as the reader's role goes; leaves a row in the access log."""
    resident = await resident_in_reach(work, resident_id)
    shown = await _disclosure(work, resident_id)
    if not shown.record:
        raise NotFound
    await record_read(work, [resident_id], "resident", shown.fields())
    return _public(resident, vault, shown, _today(work))


async def reveal(work: Work, vault: Vault, resident_id: UUID, request: RevealRequest) -> Revealed:
    """A number in full; the purpose stands in the access log. ``NothingRecorded`` when there is none."""
    resident = await resident_in_reach(work, resident_id)
    sealed, purpose = {
        Revealable.PHONE: (resident.phone_encrypted, PHONE_PURPOSE),
        Revealable.ID_NUMBER: (resident.id_number_encrypted, ID_NUMBER_PURPOSE),
    }[request.field]
    if sealed is None:
        raise NothingRecorded
    await record_read(work, [resident_id], "resident", [str(request.field)], request.purpose)
    return Revealed(field=request.field, value=vault.decrypt(sealed, purpose))


async def read_emergency_card(work: Work, vault: Vault, resident_id: UUID) -> EmergencyCard:
    """What a responder needs at once; leaves a row in the access log."""
    resident = await repository.get_for_card(work, resident_id)
    if resident is None:
        raise NotFound
    contacts = await repository.contacts_of(work, resident_id)
    fields = [name for name in EmergencyCard.model_fields if name != "resident_id"]
    await record_read(work, [resident_id], "emergency_card", fields, "emergency")
    sealed = resident.phone_encrypted
    return EmergencyCard(
        resident_id=resident.id,
        name=resident.name,
        gender=resident.gender,
        age=age_on(resident.birth_date, _today(work)),
        phone=vault.decrypt(sealed, PHONE_PURPOSE) if sealed else None,
        address=resident.address,
        latitude=resident.latitude,
        longitude=resident.longitude,
        access_note=resident.access_note,
        key_box=_opened(vault, resident.key_box_encrypted, KEY_BOX_PURPOSE),
        dialect=resident.dialect,
        categories=resident.categories,
        conditions=resident.conditions,
        allergies=resident.allergies,
        medicines=resident.medicines,
        contacts=[
            ContactCard(
                call_order=contact.call_order,
                name=contact.name,
                relation=contact.relation,
                phone=vault.decrypt(contact.phone_encrypted, CONTACT_PHONE_PURPOSE),
            )
            for contact in contacts
        ],
    )


async def keep_key_box(
    work: Work, vault: Vault, resident_id: UUID, key_box: str, if_match: int | None = None
) -> KeyBoxKept:
    """Seal where the key is and the box's code; an empty text takes it off the record."""
    resident = await repository.lock_resident(work, resident_id)
    if resident is None:
        raise NotFound
    if if_match is not None and if_match != resident.version:
        raise VersionMismatch(current=resident.version)
    words = key_box.strip()
    resident.key_box_encrypted = vault.encrypt(words, KEY_BOX_PURPOSE) if words else None
    resident.version += 1
    return KeyBoxKept(resident_id=resident.id, is_recorded=bool(words), version=resident.version)


async def require_resident(work: Work, resident_id: UUID) -> None:
    """``NotFound`` for a resident out of the actor's reach."""
    await resident_in_reach(work, resident_id)


async def list_residents_in_care(work: Work) -> list[ResidentInCare]:
    """Those whom the signed-in resident or family member may act for."""
    rows = await repository.my_relationships(work)
    return [
        ResidentInCare(
            id=resident.id,
            name=resident.name,
            area_code=resident.area_code,
            relation=relationship.kind,
            may_order=relationship.may_order,
            may_see_health=relationship.may_see_health,
        )
        for relationship, resident in rows
    ]


async def may_read_health(work: Work, resident_id: UUID) -> bool:
    """Whether the actor may see this resident's health data now (readings, alerts' values, conditions)."""
    await resident_in_reach(work, resident_id)
    return (await _disclosure(work, resident_id)).health


async def resident_in_reach(work: Work, resident_id: UUID) -> Resident:
    """A resident within the actor's reach; ``NotFound`` for any other."""
    resident = await repository.get_resident(work, resident_id)
    if resident is None:
        raise NotFound
    return resident


async def _disclosure(work: Work, resident_id: UUID) -> Disclosure:
    role = work.actor.role
    engagement = Engagement.NONE
    if role is Role.CAREGIVER:
        engagement = await repository.engagement_of(work, resident_id, CARE_MARGIN)
    consented = role is Role.FAMILY and await repository.may_see_health(work, resident_id)
    return disclosure_for(role, family_may_see_health=consented, engagement=engagement)


def _opened(vault: Vault, sealed: str | None, purpose: str) -> str | None:
    return None if sealed is None else vault.decrypt(sealed, purpose)


def _today(work: Work) -> date:
    return work.now.astimezone(BUSINESS_ZONE).date()


def _summary(resident: Resident, day: date) -> dict[str, object]:
    return {
        "id": resident.id,
        "area_code": resident.area_code,
        "name": resident.name,
        "gender": resident.gender,
        "age": age_on(resident.birth_date, day),
        "address": resident.address,
    }


def _public(resident: Resident, vault: Vault, shown: Disclosure, day: date) -> ResidentPublic:
    personal: dict[str, object] = dict.fromkeys(_PERSONAL)
    if shown.personal:
        phone, number = resident.phone_encrypted, resident.id_number_encrypted
        personal = {
            "birth_date": resident.birth_date,
            "phone_masked": mask_phone(vault.decrypt(phone, PHONE_PURPOSE)) if phone else None,
            "id_number_masked": mask_id_number(vault.decrypt(number, ID_NUMBER_PURPOSE)) if number else None,
            "latitude": resident.latitude,
            "longitude": resident.longitude,
            "categories": resident.categories,
        }
    health = None
    if shown.health:
        health = ResidentHealth(
            conditions=resident.conditions, allergies=resident.allergies, medicines=resident.medicines
        )
    return ResidentPublic.model_validate(
        {
            **_summary(resident, day),
            **personal,
            "preferred_gender": resident.preferred_gender,
            "dialect": resident.dialect,
            "health": health,
            "version": resident.version,
        }
    )
