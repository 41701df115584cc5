"""Invented older residents with their relatives. Every name, number and disease here is fictional.

Phone numbers come from 199000xxxxx; ID numbers are 430121 + birth day + a sequence from 900 up with a right
check digit. The demo never sends anything to either.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import cos, pi, sin, sqrt
from random import Random
from typing import Any

from ops.demo.areas import Town, data
from ops.demo.ids import Seed
from services.core.actor import Role
from services.core.crypto import Vault
from services.identity.accounts import PHONE_PURPOSE
from services.identity.models import Account
from services.residents.identity_numbers import check_character
from services.residents.models import CareRelationship, EmergencyContact, Gender, RelationKind, Resident
from services.residents.service import CONTACT_PHONE_PURPOSE, ID_NUMBER_PURPOSE
from services.residents.service import PHONE_PURPOSE as RESIDENT_PHONE

RESIDENTS_PER_TOWN = 20
_YOUNGEST_BIRTH = date(1966, 10, 31)  # 60 in November 2026
_AGE_SPAN_DAYS = 38 * 365
_PHONE_BASE = 19_900_000_000
_PHONES_PER_HOUSEHOLD = 4
_FIRST_SEQUENCE = 900


@dataclass(slots=True)
class People:
    """The rows about residents."""

    residents: list[Resident] = field(default_factory=list)
    contacts: list[EmergencyContact] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    relationships: list[CareRelationship] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Household:
    """Where one resident stands in the county: ``number`` counts through the whole county."""

    seed: Seed
    vault: Vault
    town: Town
    place: int
    number: int
    now: datetime

    @property
    def gender(self) -> Gender:
        """Every second household is a man's."""
        return Gender.FEMALE if self.number % 2 == 0 else Gender.MALE

    def phone(self, member: int) -> str:
        """One of the household's own invented numbers."""
        return str(_PHONE_BASE + self.number * _PHONES_PER_HOUSEHOLD + member)


def people(seed: Seed, county: list[Town], scale: int, vault: Vault, now: datetime) -> People:
    """Everybody who is cared for and who cares at home. A larger scale adds people and changes none."""
    made = People()
    names = name_lists(seed, "residents")
    sequences: dict[tuple[date, Gender], int] = defaultdict(int)
    for place in range(RESIDENTS_PER_TOWN * scale):
        for town in county:
            household = Household(seed, vault, town, place, place * len(county) + town.index, now)
            known = names[household.gender]
            name = known[household.number // 2 % len(known)]
            resident = _resident(household, name, sequences)
            made.residents.append(resident)
            _relatives(household, resident, made)
    return made


def name_lists(seed: Seed, whose: str) -> dict[Gender, list[str]]:
    """Every combination of surname and given name, shuffled."""
    stored = data("names.json")
    lists: dict[Gender, list[str]] = {}
    for gender in Gender:
        names = [surname + given for surname in stored["surnames"] for given in stored[whose][gender]]
        seed.dice("names", whose, gender).shuffle(names)
        lists[gender] = names
    return lists


def id_number(area: str, birth: date, sequence: int) -> str:
    """A well-formed number of 18 characters."""
    body = f"{area}{birth:%Y%m%d}{sequence:03d}"
    return body + check_character(body)


def _resident(household: Household, name: str, sequences: dict[tuple[date, Gender], int]) -> Resident:
    seed, town, vault, gender = household.seed, household.town, household.vault, household.gender
    dice = seed.dice("resident", household.number)
    birth = _YOUNGEST_BIRTH - timedelta(days=int(_AGE_SPAN_DAYS * dice.random() ** 1.4))
    number = id_number(town.code[:6], birth, _next_sequence(sequences, birth, gender))
    area_code, address, latitude, longitude = _home(town, household.place, dice)
    conditions, medicines = _health(dice)
    # The first of each town has a phone: a script must find somebody who can sign in.
    phone = household.phone(0) if household.place == 0 or dice.random() > 0.15 else None
    return Resident(
        id=seed.key("resident", household.number),
        area_code=area_code,
        name=name,
        gender=gender,
        birth_date=birth,
        address=address,
        latitude=latitude,
        longitude=longitude,
        access_note=dice.choice(data("health.json")["access_notes"]),
        phone_encrypted=None if phone is None else vault.encrypt(phone, RESIDENT_PHONE),
        phone_lookup=None if phone is None else vault.lookup(phone, RESIDENT_PHONE),
        id_number_encrypted=vault.encrypt(number, ID_NUMBER_PURPOSE),
        id_number_lookup=vault.lookup(number, ID_NUMBER_PURPOSE),
        conditions=conditions,
        allergies=dice.sample(data("health.json")["allergies"], 1) if dice.random() < 0.15 else [],
        medicines=medicines,
        categories=_categories(birth, dice),
        preferred_gender=gender if dice.random() < 0.08 else None,
        dialect=_weighted(data("health.json")["dialects"], dice)["name"],
        created_at=household.now,
    )


def _next_sequence(sequences: dict[tuple[date, Gender], int], birth: date, gender: Gender) -> int:
    """900, 902, … for women and 901, 903, … for men: the 17th digit is odd for a man."""
    used = sequences[(birth, gender)]
    sequences[(birth, gender)] += 1
    return _FIRST_SEQUENCE + 2 * used + (gender is Gender.MALE)


def _home(town: Town, place: int, dice: Random) -> tuple[str, str, float, float]:
    """Area code, address and position: in an invented village, or in an invented road of the town."""
    angle, spread = dice.random() * 2 * pi, sqrt(dice.random())
    house = dice.randrange(1, 99)
    # The first lives in the town itself: its area is the centre's.
    if town.villages and place % 2 == 1:
        index = place // 2 % len(town.villages)
        village = town.villages[index]
        away = 2 * pi * index / len(town.villages)
        east = 3_000 * cos(away) + 500 * spread * cos(angle)
        north = 3_000 * sin(away) + 500 * spread * sin(angle)
        return (village.code, f"{town.name}{village.name}示范组{house}号", *town.near(east, north))
    reach = 1_200 if town.is_street else 2_000
    position = town.near(reach * spread * cos(angle), reach * spread * sin(angle))
    if town.is_street:
        return (
            town.code,
            f"{town.name}示范路{house}号{dice.randrange(1, 12)}栋{dice.randrange(101, 699)}",
            *position,
        )
    return (town.code, f"{town.name}示范街{house}号", *position)


def _health(dice: Random) -> tuple[list[str], list[str]]:
    """Up to four diseases, each with one of its medicines."""
    stored = data("health.json")["conditions"]
    chosen: list[str] = []
    medicines: list[str] = []
    for _ in range(dice.choices((0, 1, 2, 3, 4), (10, 30, 32, 20, 8))[0]):
        condition = _weighted(stored, dice)
        if condition["name"] in chosen:
            continue
        chosen.append(condition["name"])
        medicines.extend(dice.sample(condition["medicines"], min(1, len(condition["medicines"]))))
    return chosen, medicines


def _weighted(entries: list[dict[str, Any]], dice: Random) -> dict[str, Any]:
    return dice.choices(entries, [entry["weight"] for entry in entries])[0]


def _categories(birth: date, dice: Random) -> list[str]:
    """Payer tags (domain vocabulary of the county's menu)."""
    tags = [
        tag
        for tag, chance in (
            ("特困", 0.04),
            ("低保", 0.08),
            ("低保边缘", 0.05),
            ("失能", 0.12),
            ("残疾", 0.08),
            ("计生特殊家庭", 0.03),
            ("重点优抚", 0.03),
        )
        if dice.random() < chance
    ]
    if birth.year <= 1946:
        tags.append("高龄")
    living = dice.random()
    if living < 0.15:
        tags.append("独居")
    elif living < 0.4:
        tags.append("空巢")
    return tags


def _relatives(household: Household, resident: Resident, made: People) -> None:
    """Accounts of the resident and of a relative, and the relatives to call in an emergency."""
    seed = household.seed
    dice = seed.dice("relatives", household.number)
    if resident.phone_encrypted is not None:
        own = _account(household, Role.RESIDENT, resident.name, 0, resident)
        made.accounts.append(own)
        made.relationships.append(_relationship(household, resident, own, RelationKind.SELF))
    for order in range(1, 3 if dice.random() < 0.5 else 2):
        gender = dice.choice(list(Gender))
        relation = dice.choice(data("health.json")["relations"][gender])
        names = data("names.json")
        name = dice.choice(names["surnames"]) + dice.choice(names["residents"][gender])
        made.contacts.append(
            EmergencyContact(
                id=seed.key("contact", household.number, order),
                resident_id=resident.id,
                area_code=resident.area_code,
                call_order=order,
                name=name,
                relation=relation,
                phone_encrypted=household.vault.encrypt(household.phone(order), CONTACT_PHONE_PURPOSE),
            )
        )
        if order == 1 and (household.place == 0 or dice.random() < 0.4):
            relative = _account(household, Role.FAMILY, name, 1, None)
            made.accounts.append(relative)
            made.relationships.append(_relationship(household, resident, relative, RelationKind.FAMILY))


def _account(household: Household, role: Role, name: str, member: int, person: Resident | None) -> Account:
    phone = household.phone(member)
    return Account(
        id=household.seed.key("account", role, household.number),
        role=role,
        display_name=name,
        area_code=household.town.code,
        phone_lookup=household.vault.lookup(phone, PHONE_PURPOSE),
        phone_encrypted=household.vault.encrypt(phone, PHONE_PURPOSE),
        person_id=None if person is None else person.id,
        is_demo=True,
        created_at=household.now,
    )


def _relationship(
    household: Household, resident: Resident, account: Account, kind: RelationKind
) -> CareRelationship:
    return CareRelationship(
        id=household.seed.key("relationship", kind, household.number),
        resident_id=resident.id,
        account_id=account.id,
        area_code=resident.area_code,
        kind=kind,
        may_order=True,
        may_see_health=True,
        consented_at=household.now,
    )
