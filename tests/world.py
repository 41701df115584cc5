"""A small world in the database, made anew for whoever asks: no other test has its area codes and numbers.

Two towns of one county and one town of another, each with a centre, staff of every role, two caregivers, two
residents with a family member each. ``open_case`` adds an order with its offer, booking, visit, alert and
terminal, so that a test may use one up.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from services.alerts.models import Alert, AlertKind, Escalation
from services.alerts.states import AlertStatus, Severity
from services.catalogue.pricing import PriceContext
from services.catalogue.service import load_items, seed_items
from services.core.actor import SYSTEM, Actor, Role
from services.core.crypto import Vault
from services.core.database import Database, Work
from services.core.ids import new_id
from services.core.settings import Settings
from services.dispatch.models import Booking, Offer, busy_range
from services.dispatch.states import OfferStatus
from services.identity.models import Account, SignedIn
from services.identity.service import authenticate, open_session
from services.orders.lines import OrderLine, price_of
from services.orders.models import Channel, Order
from services.orders.states import OrderStatus
from services.payers.service import load_programmes
from services.referrals.models import Referral, ReferralKind
from services.referrals.states import ReferralStatus
from services.terminals.models import Terminal, TerminalBinding, TerminalKind, TerminalProfile
from services.terminals.states import TerminalStatus
from services.visits.models import Visit
from services.visits.states import VisitStatus
from tests.ahead import add_ahead
from tests.alerts import idle_policy
from tests.complaints import add_voices
from tests.duties import add_duty
from tests.evidence import add_evidence
from tests.money import add_bill
from tests.payments import add_paid
from tests.people import Place as Place
from tests.people import new_centre, new_county, new_people, relate
from tests.permits import add_permits
from tests.plans import add_plan
from tests.rules import add_maintenance, add_rule
from tests.staffing import add_staffing
from tests.upkeep import add_upkeep

START_CODE = "42x1"
FINDING = "餐后血糖偏高"
READING = 13.37
"""What a caregiver found; with the condition, allergy and medicine of `tests/people.py` it is health data."""

_minutes = count(1)


@dataclass(slots=True)
class World:
    """``here`` and ``neighbour`` lie in one county, ``abroad`` in another."""

    here: Place
    neighbour: Place
    abroad: Place
    item_code: str
    profile_id: UUID
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
    profile_id: UUID
    item_code: str
    caregiver_id: UUID
    referral_id: UUID
    rota_id: UUID
    override_id: UUID
    swap_id: UUID
    notification_id: UUID
    clinician_account_id: UUID
    policy_id: UUID
    fault_id: UUID
    command_id: UUID
    rule_id: UUID
    maintenance_id: UUID
    adjustment_id: UUID
    proof_id: UUID
    incident_id: UUID
    issue_id: UUID
    conflict_id: UUID
    correction_id: UUID
    plan_id: UUID
    callback_id: UUID
    complaint_id: UUID
    refund_id: UUID
    claim_id: UUID
    claim_line_id: UUID
    consent_id: UUID
    assessment_id: UUID
    first_assessment_id: UUID
    credential_id: UUID
    shift_id: UUID
    absence_id: UUID
    shift_swap_id: UUID
    template_id: UUID
    pair_id: UUID
    institution_id: UUID
    colleague_id: UUID
    far_ahead: datetime
    quote_id: UUID
    package_id: UUID
    package_template_id: UUID
    care_plan_id: UUID
    day: str
    now: datetime
    month: str = "2026-11"
    vendor_key_id: UUID = field(default_factory=new_id)


async def build_world(database: Database, settings: Settings, vault: Vault) -> World:
    """Insert two counties with their people; commits."""
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
        home, other = new_county(work), new_county(work)
        await work.session.flush()
        profile = TerminalProfile(
            code=f"p-{new_id()}",
            name_zh="测试吊坠",
            name_en="Test pendant",
            kind=TerminalKind.PENDANT,
            capabilities={},
            source="test",
        )
        work.session.add(profile)
        for county in (home, other):
            await load_programmes(work, county)
        places = [new_centre(work, home, 1), new_centre(work, home, 2), new_centre(work, other, 1)]
        await work.session.flush()
        made = [new_people(work, vault, county, centre) for county, centre in places]
        await work.session.flush()
        for place in made:
            relate(work, vault, place)
    here, neighbour, abroad = made
    return World(here, neighbour, abroad, seed_items()[0].code, profile.id, database, settings, vault)


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
        referral = _referral(alert)
        policy = idle_policy(work, place.centre)
        work.session.add_all((referral, policy))
        work.session.add_all((visit, _ladder(alert)))
        await work.session.flush()
        evidence = add_evidence(work, world.vault, visit, place.staff[Role.DISPATCHER].id, FINDING, START_CODE)
        duty = await add_duty(work, place, alert.id)
        upkeep = add_upkeep(work, terminal)
        permits = add_permits(work, place.households[number].resident)
        voices = await add_voices(work, order, order.placed_by, booking.caregiver_id)
        ahead = await add_ahead(work, order, household_account=order.placed_by)
        rule_id, maintenance_id = add_rule(work, place), add_maintenance(work, terminal)
        staffing = await add_staffing(work, place, number, starts_at)
        plan_id = await add_plan(work, place, order)
        adjustment_id = await add_bill(work, order)
        paid = await add_paid(work, order)
    return Case(
        order_id=order.id,
        offer_id=offer.id,
        visit_id=visit.id,
        centre_id=place.centre.id,
        alert_id=alert.id,
        resident_id=order.resident_id,
        terminal_id=terminal.id,
        profile_id=world.profile_id,
        item_code=order.item_code,
        caregiver_id=booking.caregiver_id,
        referral_id=referral.id,
        rota_id=duty.rota_id,
        override_id=duty.override_id,
        swap_id=duty.swap_id,
        notification_id=duty.notification_id,
        clinician_account_id=place.staff[Role.CLINICIAN].id,
        policy_id=policy.policy_id,
        fault_id=upkeep.fault_id,
        command_id=upkeep.command_id,
        rule_id=rule_id,
        maintenance_id=maintenance_id,
        adjustment_id=adjustment_id,
        proof_id=evidence.proof_id,
        incident_id=evidence.incident_id,
        issue_id=evidence.issue_id,
        conflict_id=evidence.conflict_id,
        correction_id=evidence.correction_id,
        **asdict(staffing),
        consent_id=permits.consent_id,
        assessment_id=permits.assessment_id,
        first_assessment_id=permits.first_assessment_id,
        plan_id=plan_id,
        callback_id=voices.callback_id,
        complaint_id=voices.complaint_id,
        **asdict(paid),
        quote_id=ahead.quote_id,
        package_id=ahead.package_id,
        package_template_id=ahead.package_template_id,
        care_plan_id=ahead.care_plan_id,
        day=ahead.day,
        now=work.now,
    )


def _order(work: Work, place: Place, number: int, starts_at: datetime) -> Order:
    household, item = place.households[number], seed_items()[0]
    line = OrderLine(line_no=1, item=item, quantity=1, minutes=item.duration_minutes)
    price = price_of([line], PriceContext())
    return Order(
        resident_id=household.resident.id,
        centre_id=place.centre.id,
        area_code=household.resident.area_code,
        item_code=item.code,
        lines=[line.model_dump(mode="json")],
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
        note=FINDING,
        start_code=START_CODE,
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
        readings=[{"kind": "glucose", "value": READING}],
        note=FINDING,
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
        centre_id=terminal.centre_id,
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


def _referral(alert: Alert) -> Referral:
    assert alert.resident_id is not None
    return Referral(
        resident_id=alert.resident_id,
        alert_id=alert.id,
        centre_id=alert.centre_id,
        area_code=alert.area_code,
        kind=ReferralKind.HOSPITAL,
        status=ReferralStatus.HANDED_OVER,
        institution="测试医院",
        reason=FINDING,
        handed_over_at=alert.received_at,
    )


def _ladder(alert: Alert) -> Escalation:
    return Escalation(
        alert_id=alert.id,
        area_code=alert.area_code,
        policy={"version": "test", "steps": []},
        next_at=None,
    )
