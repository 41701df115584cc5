"""The people of the tests' world: a county, its towns, and in each the staff and households as rows."""

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from uuid import UUID

from services.caregivers.models import Caregiver, Credential, Shift, TravelMode
from services.caregivers.states import CredentialStatus
from services.catalogue.service import seed_items
from services.centres.models import Area, Centre
from services.core.actor import STAFF_ROLES, Role
from services.core.areas import AreaLevel
from services.core.crypto import Vault
from services.core.database import Work
from services.identity.accounts import PHONE_PURPOSE as ACCOUNT_PHONE
from services.identity.models import Account
from services.identity.passwords import hash_now
from services.residents.identity_numbers import check_character
from services.residents.models import CareRelationship, EmergencyContact, Gender, RelationKind, Resident
from services.residents.service import CONTACT_PHONE_PURPOSE, ID_NUMBER_PURPOSE, PHONE_PURPOSE
from tests.permits import permit_nursing

PASSWORD = "world-password-1"
_PASSWORD_HASH = hash_now(PASSWORD)
CONDITION = "2型糖尿病"
ALLERGY = "青霉素"
MEDICINE = "二甲双胍"
_BIRTH = date(1944, 5, 6)
# Counted, not drawn: two worlds of one test run never meet.
_counties, _phones, _numbers = count(), count(), count()


@dataclass(slots=True)
class Household:
    """One resident, her own account, and a daughter who may order and see health data."""

    resident: Resident
    phone: str
    account: Account
    family: Account
    family_phone: str
    id_number: str


@dataclass(slots=True)
class Place:
    """One town with its centre."""

    county: str
    town: str
    centre: Centre
    staff: dict[Role, Account]
    caregivers: list[Caregiver]
    caregiver_accounts: list[Account]
    households: list[Household]


def new_phone() -> str:
    """A mobile number that no other test has."""
    return f"199{50_000_000 + next(_phones)}"


def new_id_number() -> str:
    """A well-formed identity number that no other test has."""
    area, sequence = divmod(next(_numbers), 1000)
    first = f"{400_000 + area}{_BIRTH:%Y%m%d}{sequence:03d}"
    return first + check_character(first)


def new_county(work: Work) -> str:
    """A county with a code of its own."""
    code = f"9{next(_counties):05d}"
    work.session.add(Area(code=code, name_zh="测试县", name_en="Test county", level=AreaLevel.COUNTY))
    return code


def new_centre(work: Work, county: str, number: int) -> tuple[str, Centre]:
    """A town of the county with its centre; gives the county and the centre."""
    town = f"{county}{100 + number}"
    work.session.add(Area(code=town, name_zh=f"测试镇{number}", name_en=f"Town {number}", level=AreaLevel.TOWN))
    centre = Centre(
        area_code=town,
        name_zh="测试平台",
        name_en="Test centre",
        phone="0731-84010000",
        latitude=28.3,
        longitude=113.2,
    )
    work.session.add(centre)
    return county, centre


def new_people(work: Work, vault: Vault, county: str, centre: Centre) -> Place:
    """Staff, caregivers and households of a centre, added to the session."""
    town = centre.area_code
    caregivers = [_caregiver(centre) for _ in range(2)]
    staff: dict[Role, Account] = {}
    for role in (*sorted(STAFF_ROLES - {Role.CAREGIVER}), Role.TERMINAL):
        wide = role in (Role.COUNTY_OFFICER, Role.AUDITOR)
        at_centre = role in (Role.DISPATCHER, Role.CENTRE_MANAGER)
        staff[role] = _staff_account(
            work, role, county if wide else town, centre_id=centre.id if at_centre else None
        )
    accounts = [
        _staff_account(work, Role.CAREGIVER, town, centre_id=centre.id, person_id=caregiver.id)
        for caregiver in caregivers
    ]
    households = [_household(work, vault, f"{town}201") for _ in range(2)]
    work.session.add_all(caregivers)
    work.session.add_all(staff.values())
    work.session.add_all(accounts)
    return Place(county, town, centre, staff, caregivers, accounts, households)


def _staff_account(
    work: Work, role: Role, area_code: str, centre_id: UUID | None = None, person_id: UUID | None = None
) -> Account:
    return Account(
        role=role,
        display_name=f"测试{role}",
        area_code=area_code,
        login=f"{role}-{secrets.token_hex(6)}",
        password_hash=_PASSWORD_HASH,
        person_id=person_id,
        centre_id=centre_id,
        created_at=work.now,
    )


def _caregiver(centre: Centre) -> Caregiver:
    item = seed_items()[0]
    return Caregiver(
        centre_id=centre.id,
        area_code=centre.area_code,
        name="周素芬",
        gender=Gender.FEMALE,
        profession="care_worker",
        skills=sorted({item.required_skill, *(other.required_skill for other in seed_items())}),
        travel_mode=TravelMode.SCOOTER,
        home_latitude=28.3,
        home_longitude=113.2,
        practice_since=date(2010, 1, 1),
    )


def _household(work: Work, vault: Vault, village: str) -> Household:
    phone, family_phone, id_number = new_phone(), new_phone(), new_id_number()
    resident = Resident(
        area_code=village,
        name=f"李秀{secrets.choice('英兰梅珍凤')}",
        gender=Gender.FEMALE,
        birth_date=_BIRTH,
        address="果园路1号",
        latitude=28.3,
        longitude=113.2,
        access_note="钥匙在邻居家",
        phone_encrypted=vault.encrypt(phone, PHONE_PURPOSE),
        phone_lookup=vault.lookup(phone, PHONE_PURPOSE),
        id_number_encrypted=vault.encrypt(id_number, ID_NUMBER_PURPOSE),
        id_number_lookup=vault.lookup(id_number, ID_NUMBER_PURPOSE),
        conditions=[CONDITION],
        allergies=[ALLERGY],
        medicines=[MEDICINE],
        categories=["失能"],
        created_at=work.now,
    )
    own = _phone_account(work, vault, Role.RESIDENT, resident, phone)
    family = _phone_account(work, vault, Role.FAMILY, resident, family_phone)
    work.session.add_all((resident, own, family))
    return Household(resident, phone, own, family, family_phone, id_number)


def _phone_account(work: Work, vault: Vault, role: Role, resident: Resident, phone: str) -> Account:
    return Account(
        role=role,
        display_name=resident.name if role is Role.RESIDENT else "李女士",
        area_code=resident.area_code[:9],
        phone_lookup=vault.lookup(phone, ACCOUNT_PHONE),
        phone_encrypted=vault.encrypt(phone, ACCOUNT_PHONE),
        person_id=resident.id if role is Role.RESIDENT else None,
        created_at=work.now,
    )


def relate(work: Work, vault: Vault, place: Place) -> None:
    """Shifts, licences, relationships and contacts of the people of a place."""
    for caregiver in place.caregivers:
        _working(work, caregiver)
    for household in place.households:
        for account, kind in (
            (household.account, RelationKind.SELF),
            (household.family, RelationKind.FAMILY),
        ):
            work.session.add(relationship(work, household.resident, account, kind))
        permit_nursing(work, household.resident)
        work.session.add(
            EmergencyContact(
                resident_id=household.resident.id,
                area_code=household.resident.area_code,
                call_order=1,
                name="李女士",
                relation="女儿",
                phone_encrypted=vault.encrypt(household.family_phone, CONTACT_PHONE_PURPOSE),
            )
        )


def relationship(work: Work, resident: Resident, account: Account, kind: RelationKind) -> CareRelationship:
    """A relationship in force, with consent to everything."""
    return CareRelationship(
        resident_id=resident.id,
        account_id=account.id,
        area_code=resident.area_code,
        kind=kind,
        may_order=True,
        may_see_health=True,
        consented_at=work.now,
    )


def _working(work: Work, caregiver: Caregiver) -> None:
    """On shift for two days, with every licence that the menu asks for."""
    work.session.add(
        Shift(
            caregiver_id=caregiver.id,
            area_code=caregiver.area_code,
            starts_at=work.now - timedelta(hours=12),
            ends_at=work.now + timedelta(hours=36),
        )
    )
    for licence in sorted({kind for item in seed_items() for kind in item.required_licences}):
        work.session.add(
            Credential(
                caregiver_id=caregiver.id,
                area_code=caregiver.area_code,
                kind=licence,
                issuer="测试机关",
                valid_from=date(2020, 1, 1),
                valid_until=date(2040, 1, 1),
                status=CredentialStatus.VERIFIED,
                checked_at=work.now,
            )
        )
