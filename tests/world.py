"""A small world in the database, made anew for whoever asks: no other test has its area codes and numbers.

Two towns of one county and one town of another, each with a centre, staff of every role, two caregivers, two
residents with a family member each. ``open_case`` adds an order with its offer, booking, visit, alert and
terminal, so that a test may use one up.
"""

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID

from services.alerts.models import Alert, AlertKind, Escalation
from services.alerts.states import AlertStatus, Severity
from services.caregivers.models import Caregiver, Credential, Shift, TravelMode
from services.catalogue.pricing import PriceContext, quote
from services.catalogue.service import load_items, seed_items
from services.centres.models import Area, Centre
from services.core.actor import STAFF_ROLES, SYSTEM, Actor, Role
from services.core.areas import AreaLevel
from services.core.crypto import Vault
from services.core.database import Database, Work
from services.core.ids import new_id
from services.core.settings import Settings
from services.dispatch.models import Booking, Offer, busy_range
from services.dispatch.states import OfferStatus
from services.identity.accounts import PHONE_PURPOSE as ACCOUNT_PHONE
from services.identity.models import Account, SignedIn
from services.identity.passwords import hash_now
from services.identity.service import authenticate, open_session
from services.orders.models import Channel, Order
from services.orders.states import OrderStatus
from services.residents.identity_numbers import check_character
from services.residents.models import CareRelationship, EmergencyContact, Gender, RelationKind, Resident
from services.residents.service import CONTACT_PHONE_PURPOSE, ID_NUMBER_PURPOSE, PHONE_PURPOSE
from services.terminals.models import Terminal, TerminalBinding, TerminalKind
from services.terminals.states import TerminalStatus
from services.visits.models import Visit
from services.visits.states import VisitStatus

PASSWORD = "world-password-1"
_PASSWORD_HASH = hash_now(PASSWORD)
CONDITION = "2型糖尿病"
_BIRTH = date(1944, 5, 6)
_minutes = count(1)


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


@dataclass(slots=True)
class World:
    """``here`` and ``neighbour`` lie in one county, ``abroad`` in another."""

    here: Place
    neighbour: Place
    abroad: Place
    item_code: str
    database: Database = field(repr=False)
    settings: Settings = field(repr=False)
    vault: Vault = field(repr=False)

    def account(self, role: Role, place: Place | None = None, number: int = 0) -> Account:
        """The account of a role in a place; ``number`` 1 is the second resident, family or caregiver."""
        place = place or self.here
        if role is Role.RESIDENT:
            return place.households[number].account
        if role is Role.FAMILY:
            return place.households[number].family
        if role is Role.CAREGIVER:
            return place.caregiver_accounts[number]
        return place.staff[role]

    async def sign_in(self, role: Role, place: Place | None = None, number: int = 0) -> SignedIn:
        """A fresh session of that account."""
        async with self.database.unit_of_work(SYSTEM) as work:
            return open_session(work, self.settings, self.account(role, place, number))

    async def token(self, role: Role, place: Place | None = None, number: int = 0) -> str:
        """An access token of a fresh session."""
        return (await self.sign_in(role, place, number)).access_token

    async def headers(self, role: Role, place: Place | None = None, number: int = 0) -> dict[str, str]:
        """What a request of that role carries."""
        return {"Authorization": f"Bearer {await self.token(role, place, number)}"}

    async def actor(self, role: Role, place: Place | None = None, number: int = 0) -> Actor:
        """The actor that a request of that role acts as."""
        token = await self.token(role, place, number)
        return await authenticate(self.database, self.settings, token, self.database.clock)


@dataclass(slots=True)
class Case:
    """One order on its way and one open alert, all of one resident and one caregiver of a place."""

    order_id: UUID
    offer_id: UUID
    visit_id: UUID
    centre_id: UUID
    alert_id: UUID
    resident_id: UUID
    terminal_id: UUID
    item_code: str
    caregiver_id: UUID
    now: datetime


async def build_world(database: Database, settings: Settings, vault: Vault) -> World:
    """Insert two counties with their people; commits."""
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
        home, other = _county(work), _county(work)
        await work.session.flush()
        places = [_centre(work, home, 1), _centre(work, home, 2), _centre(work, other, 1)]
        await work.session.flush()
        made = [_people(work, vault, county, centre) for county, centre in places]
        await work.session.flush()
        for place in made:
            _relations(work, vault, place)
    here, neighbour, abroad = made
    return World(here, neighbour, abroad, seed_items()[0].code, database, settings, vault)


async def open_case(world: World, place: Place | None = None, number: int = 0) -> Case:
    """A fresh order (in a minute of its own, so that nothing overlaps) with all that hangs on it; commits."""
    place = place or world.here
    async with world.database.unit_of_work(SYSTEM) as work:
        starts_at = work.now + timedelta(minutes=30 + next(_minutes))
        order = _order(work, place, number, starts_at)
        terminal = _terminal(place, number)
        work.session.add_all((order, terminal))
        await work.session.flush()
        offer = _offer(work, place, number, order, starts_at)
        booking = _booking(work, place, number, order, starts_at)
        alert = _alert(work, place, number, terminal)
        work.session.add_all((offer, booking, alert, _binding(work, terminal)))
        await work.session.flush()
        visit = _visit(booking)
        work.session.add_all((visit, _ladder(alert)))
    return Case(
        order_id=order.id,
        offer_id=offer.id,
        visit_id=visit.id,
        centre_id=place.centre.id,
        alert_id=alert.id,
        resident_id=order.resident_id,
        terminal_id=terminal.id,
        item_code=order.item_code,
        caregiver_id=booking.caregiver_id,
        now=work.now,
    )


def new_phone() -> str:
    """A mobile number that no other test has."""
    return f"199{secrets.randbelow(10**8):08d}"


def new_id_number() -> str:
    """A well-formed identity number that no other test has."""
    first = f"{400_000 + secrets.randbelow(90_000)}{_BIRTH:%Y%m%d}{secrets.randbelow(1000):03d}"
    return first + check_character(first)


def _county(work: Work) -> str:
    code = f"9{secrets.randbelow(10**5):05d}"
    work.session.add(Area(code=code, name_zh="测试县", name_en="Test county", level=AreaLevel.COUNTY))
    return code


def _centre(work: Work, county: str, number: int) -> tuple[str, Centre]:
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


def _people(work: Work, vault: Vault, county: str, centre: Centre) -> Place:
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
        allergies=["青霉素"],
        medicines=["二甲双胍"],
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


def _relations(work: Work, vault: Vault, place: Place) -> None:
    for caregiver in place.caregivers:
        _working(work, caregiver)
    for household in place.households:
        for account, kind in (
            (household.account, RelationKind.SELF),
            (household.family, RelationKind.FAMILY),
        ):
            work.session.add(relationship(work, household.resident, account, kind))
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
    for licence in sorted({item.required_licence for item in seed_items() if item.required_licence}):
        work.session.add(
            Credential(
                caregiver_id=caregiver.id,
                area_code=caregiver.area_code,
                kind=licence,
                issuer="测试机关",
                valid_from=date(2020, 1, 1),
                valid_until=date(2040, 1, 1),
            )
        )


def _order(work: Work, place: Place, number: int, starts_at: datetime) -> Order:
    household, item = place.households[number], seed_items()[0]
    price = quote(item.price_rule, 1, item.duration_minutes, PriceContext())
    return Order(
        resident_id=household.resident.id,
        centre_id=place.centre.id,
        area_code=household.resident.area_code,
        item_code=item.code,
        item=item.model_dump(mode="json"),
        quote=price.model_dump(mode="json"),
        status=OrderStatus.OFFERED,
        channel=Channel.APP,
        placed_by=household.account.id,
        placed_at=work.now,
        window_start=starts_at,
        window_end=starts_at + timedelta(minutes=1),
        duration_minutes=1,
        caregivers_required=2,
        address=household.resident.address,
        latitude=household.resident.latitude,
        longitude=household.resident.longitude,
        start_code="4321",
    )


def _offer(work: Work, place: Place, number: int, order: Order, starts_at: datetime) -> Offer:
    return Offer(
        order_id=order.id,
        caregiver_id=place.caregivers[number].id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        status=OfferStatus.SENT,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=1),
        sent_by=place.staff[Role.DISPATCHER].id,
        sent_at=work.now,
        expires_at=work.now + timedelta(minutes=20),
    )


def _booking(work: Work, place: Place, number: int, order: Order, starts_at: datetime) -> Booking:
    caregiver = place.caregivers[number]
    ends_at = starts_at + timedelta(minutes=1)
    return Booking(
        order_id=order.id,
        caregiver_id=caregiver.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        starts_at=starts_at,
        ends_at=ends_at,
        busy=busy_range(caregiver.number or 0, starts_at, ends_at),
        assigned_by=place.staff[Role.DISPATCHER].id,
        assigned_at=work.now,
    )


def _visit(booking: Booking) -> Visit:
    return Visit(
        order_id=booking.order_id,
        booking_id=booking.id,
        caregiver_id=booking.caregiver_id,
        resident_id=booking.resident_id,
        centre_id=booking.centre_id,
        area_code=booking.area_code,
        status=VisitStatus.SCHEDULED,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
    )


def _terminal(place: Place, number: int) -> Terminal:
    resident = place.households[number].resident
    return Terminal(
        serial=f"T-{new_id()}",
        kind=TerminalKind.PENDANT,
        status=TerminalStatus.BOUND,
        area_code=resident.area_code,
        centre_id=place.centre.id,
        resident_id=resident.id,
    )


def _binding(work: Work, terminal: Terminal) -> TerminalBinding:
    assert terminal.resident_id is not None
    return TerminalBinding(
        terminal_id=terminal.id,
        resident_id=terminal.resident_id,
        area_code=terminal.area_code,
        bound_at=work.now,
    )


def _alert(work: Work, place: Place, number: int, terminal: Terminal) -> Alert:
    """Its subject is the terminal, so that one resident may have many in a test."""
    resident = place.households[number].resident
    return Alert(
        subject_id=terminal.id,
        resident_id=resident.id,
        terminal_id=terminal.id,
        centre_id=place.centre.id,
        area_code=resident.area_code,
        kind=AlertKind.SOS,
        severity=Severity.LIFE_SAFETY,
        status=AlertStatus.OPEN,
        last_occurrence_at=work.now,
        pressed_at=work.now,
        received_at=work.now,
    )


def _ladder(alert: Alert) -> Escalation:
    return Escalation(
        alert_id=alert.id,
        area_code=alert.area_code,
        policy={"version": "test", "steps": []},
        next_at=None,
    )
