"""Invented caregivers with what they may do, and the accounts of caregivers and desks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from math import cos, pi, sin
from typing import Any
from uuid import UUID

from ops.demo.areas import COUNTY, SHOWCASE_TOWN, Town, data
from ops.demo.ids import Seed
from ops.demo.people import name_lists
from services.caregivers.credentials.service import NUMBER_PURPOSE
from services.caregivers.models import Caregiver, Credential, TravelMode
from services.caregivers.states import CredentialStatus
from services.core.actor import Role
from services.core.crypto import Vault
from services.identity.models import Account
from services.notifications.addressing import STAFF_PURPOSE
from services.notifications.models import StaffPhone
from services.residents.models import CareRelationship, Gender, RelationKind, Resident

_PHONE_BASE = 19_900_090_000
_DESK_PHONE_BASE = 19_900_075_000
"""Between the households' numbers and the caregivers', at every scale."""
_VALID_FROM = date(2024, 1, 1)
_VALID_UNTIL = date(2030, 12, 31)
_EXPIRED_UNTIL = date(2026, 6, 30)
EXPIRED = (SHOWCASE_TOWN, 5, "health_certificate")
"""One care worker whose certificate ran out, on purpose: suggestions must say so."""


@dataclass(frozen=True, slots=True)
class Post:
    """One place in a centre's team, from ``data/teams.json``."""

    profession: str
    pattern: str
    days_off: tuple[int, ...]
    skills: tuple[str, ...]
    licences: tuple[str, ...]
    travel: tuple[str, ...]
    practised_since: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One caregiver's place: ``place`` counts through the town, ``number`` through the county."""

    seed: Seed
    town: Town
    place: int
    number: int

    @property
    def post(self) -> Post:
        """The post; a larger scale repeats the team."""
        return team()[self.place % len(team())]

    @property
    def caregiver_id(self) -> UUID:
        """The caregiver's key."""
        return self.seed.key("caregiver", self.number)

    @property
    def login(self) -> str:
        """``caregiver-guoyuan-01``."""
        return f"caregiver-{self.town.key}-{self.place + 1:02d}"


@dataclass(slots=True)
class Staff:
    """The rows about those who work."""

    caregivers: list[Caregiver] = field(default_factory=list)
    credentials: list[Credential] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    relationships: list[CareRelationship] = field(default_factory=list)
    phones: list[StaffPhone] = field(default_factory=list)


@lru_cache
def team() -> tuple[Post, ...]:
    """The posts of one centre."""
    stored = data("teams.json")
    return tuple(_post(entry, stored["professions"][entry["profession"]]) for entry in stored["team"])


def members(seed: Seed, county: list[Town], scale: int) -> Iterator[Member]:
    """Every caregiver's place; a larger scale adds teams and changes nobody."""
    for place in range(len(team()) * scale):
        for town in county:
            yield Member(seed, town, place, place * len(county) + town.index)


def staff(seed: Seed, county: list[Town], scale: int, vault: Vault, now: datetime) -> Staff:
    """All caregivers, desks, clinicians and the county office. Passwords are put in later."""
    made = Staff()
    names = name_lists(seed, "staff")
    for member in members(seed, county, scale):
        caregiver = _caregiver(member, names, vault)
        made.caregivers.append(caregiver)
        made.credentials.extend(_credentials(member, vault, now))
        account = _account(
            seed,
            Role.CAREGIVER,
            member.login,
            caregiver.name,
            member.town.code,
            member.town.centre_id,
            now,
            person_id=caregiver.id,
        )
        made.accounts.append(account)
        made.phones.append(_phone(account, _PHONE_BASE + member.number, vault, now))
    desks = _desks(seed, county, now)
    made.accounts.extend(desks)
    made.phones.extend(_phone(desk, _DESK_PHONE_BASE + place, vault, now) for place, desk in enumerate(desks))
    return made


def _desks(seed: Seed, county: list[Town], now: datetime) -> list[Account]:
    """Dispatchers, managers and doctors of every town, and the county's office."""
    made: list[Account] = []
    for town in county:
        for role, login, title in (
            (Role.DISPATCHER, "dispatcher", "调度员"),
            (Role.CENTRE_MANAGER, "manager", "平台负责人"),
            (Role.CLINICIAN, "clinician", "卫生院医师"),
        ):
            centre_id = None if role is Role.CLINICIAN else town.centre_id
            made.append(
                _account(
                    seed,
                    role,
                    f"{login}-{town.key}",
                    f"{town.name}{title}（示范）",
                    town.code,
                    centre_id,
                    now,
                )
            )
        if town.code == SHOWCASE_TOWN:
            name = f"{town.name}调度员二（示范）"
            login = f"dispatcher-{town.key}-2"
            made.append(_account(seed, Role.DISPATCHER, login, name, town.code, town.centre_id, now))
        for village in town.villages:
            login = f"clinician-{town.key}-{village.code[9:]}"
            title = f"{town.name}{village.name}乡村医生（示范）"
            made.append(_account(seed, Role.CLINICIAN, login, title, village.code, None, now))
    made.append(_account(seed, Role.COUNTY_OFFICER, "officer-county", "县级平台（示范）", COUNTY, None, now))
    made.append(_account(seed, Role.AUDITOR, "auditor-county", "审计员（示范）", COUNTY, None, now))
    return made


def village_doctors(
    seed: Seed, residents: list[Resident], accounts: list[Account], now: datetime
) -> list[CareRelationship]:
    """The village doctor of each village stands in a care relationship to everybody who lives there."""
    doctors = {a.area_code: a for a in accounts if a.role is Role.CLINICIAN}
    return [
        CareRelationship(
            id=seed.key("relationship", "village_doctor", resident.id),
            resident_id=resident.id,
            account_id=doctors[resident.area_code].id,
            area_code=resident.area_code,
            kind=RelationKind.VILLAGE_DOCTOR,
            may_order=True,
            may_see_health=True,
            consented_at=now,
        )
        for resident in residents
        if len(resident.area_code) == 12
    ]


def _phone(account: Account, number: int, vault: Vault, now: datetime) -> StaffPhone:
    """Where somebody is paged; as invented as everybody."""
    return StaffPhone(
        account_id=account.id,
        area_code=account.area_code,
        phone_encrypted=vault.encrypt(str(number), STAFF_PURPOSE),
        updated_at=now,
    )


def _post(entry: dict[str, Any], profession: dict[str, Any]) -> Post:
    return Post(
        profession=profession.get("profession", entry["profession"]),
        pattern=entry["pattern"],
        days_off=tuple(entry["days_off"]),
        skills=tuple(profession["skills"]),
        licences=tuple(profession["licences"]),
        practised_since=profession.get("practised_since"),
        travel=tuple(profession["travel"]),
    )


def _caregiver(member: Member, names: dict[Gender, list[str]], vault: Vault) -> Caregiver:
    dice = member.seed.dice("caregiver", member.number)
    gender = dice.choices((Gender.FEMALE, Gender.MALE), (7, 3))[0]
    angle, away = dice.random() * 2 * pi, 300 + 2_500 * dice.random()
    latitude, longitude = member.town.near(away * cos(angle), away * sin(angle))
    return Caregiver(
        id=member.caregiver_id,
        centre_id=member.town.centre_id,
        area_code=member.town.code,
        name=names[gender][member.number % len(names[gender])],
        gender=gender,
        profession=member.post.profession,
        skills=list(member.post.skills),
        dialects=["普通话", "长沙话"] if dice.random() < 0.8 else ["普通话"],
        travel_mode=TravelMode(dice.choice(member.post.travel)),
        home_latitude=latitude,
        home_longitude=longitude,
        phone_encrypted=vault.encrypt(str(_PHONE_BASE + member.number), "caregiver.phone"),
        practice_since=None if (since := member.post.practised_since) is None else date(since, 7, 1),
    )


def _credentials(member: Member, vault: Vault, now: datetime) -> list[Credential]:
    return [
        Credential(
            id=member.seed.key("credential", member.number, kind),
            caregiver_id=member.caregiver_id,
            area_code=member.town.code,
            kind=kind,
            issuer="示范发证机关（虚构）",
            number_encrypted=vault.encrypt(f"SF{place}{member.number:06d}", NUMBER_PURPOSE),
            valid_from=_VALID_FROM,
            valid_until=_EXPIRED_UNTIL if (member.town.code, member.place, kind) == EXPIRED else _VALID_UNTIL,
            status=CredentialStatus.VERIFIED,
            checked_at=now,
            check_note="示范数据，视为已核验",
        )
        for place, kind in enumerate(member.post.licences, start=1)
    ]


def _account(
    seed: Seed,
    role: Role,
    login: str,
    name: str,
    area_code: str,
    centre_id: UUID | None,
    now: datetime,
    person_id: UUID | None = None,
) -> Account:
    return Account(
        id=seed.key("account", login),
        role=role,
        display_name=name,
        area_code=area_code,
        login=login,
        person_id=person_id,
        centre_id=centre_id,
        is_demo=True,
        created_at=now,
    )
