"""Writes the rows of an order at its steps, with the history that the services would have left.

Nothing is announced: the outbox stays empty, so that a screen does not hear last week's news.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from ops.demo.ids import Seed
from ops.demo.money import MoneyRows, Purse
from ops.demo.staff import Member
from services.billing.models import Settlement
from services.billing.states import SettlementStatus
from services.catalogue.models import ItemFacts
from services.catalogue.pricing import quote
from services.catalogue.service import seed_items
from services.core.clock import BUSINESS_ZONE
from services.core.transitions import StatusChange
from services.dispatch.models import Booking, Offer, busy_range
from services.dispatch.states import OfferStatus
from services.identity.models import Account
from services.orders.lines import OrderLine, price_of
from services.orders.models import Order
from services.orders.rules import CHANNELS, written
from services.orders.service import price_context
from services.orders.states import OrderStatus
from services.quality.models import Rating
from services.residents.models import Resident
from services.visits.models import Visit
from services.visits.states import VisitStatus

OFFER_TIME = timedelta(minutes=5)


@lru_cache
def items() -> dict[str, ItemFacts]:
    """The menu by code."""
    return {item.code: item for item in seed_items()}


@dataclass(frozen=True, slots=True)
class Worker:
    """A caregiver who can be booked: the number goes into the double-booking range."""

    member: Member
    number: int
    account: Account


@dataclass(slots=True)
class Rows:
    """The rows of all orders, by table."""

    orders: list[Order] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    money: MoneyRows = field(default_factory=MoneyRows)
    ratings: list[Rating] = field(default_factory=list)
    changes: list[StatusChange] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes one order; ``path`` tells it from all others."""

    seed: Seed
    rows: Rows
    path: tuple[object, ...]

    def place(
        self,
        resident: Resident,
        centre_id: UUID,
        code: str,
        window: tuple[datetime, datetime],
        at: datetime,
        by: Account,
    ) -> Order:
        """A placed order for one unit of an item."""
        item = items()[code]
        lines = [OrderLine(line_no=1, item=item, quantity=1, minutes=item.duration_minutes)]
        price = price_of(lines, price_context(is_urgent=False))
        order = Order(
            id=self.seed.key("order", *self.path, at=at),
            resident_id=resident.id,
            centre_id=centre_id,
            area_code=resident.area_code,
            item_code=code,
            lines=[line.model_dump(mode="json") for line in lines],
            skills=[item.required_skill],
            licences=sorted(item.required_licences),
            practice_years=item.practice_years,
            quote=price.model_dump(mode="json"),
            status=OrderStatus.PLACED,
            channel=CHANNELS[by.role],
            placed_by=by.id,
            placed_at=at,
            window_start=window[0],
            window_end=window[1],
            windows=written([window]),
            duration_minutes=item.duration_minutes,
            caregivers_required=item.caregivers_required,
            address=resident.address,
            latitude=resident.latitude,
            longitude=resident.longitude,
            preferred_gender=resident.preferred_gender,
            start_code=f"{self.seed.dice('start code', *self.path).randrange(10_000):04d}",
        )
        self.rows.orders.append(order)
        self._note("order", order, None, at, by)
        return order

    def cancel(self, order: Order, reason: str, at: datetime, by: Account) -> None:
        """The household thinks better of it."""
        order.cancel_reason = reason
        self._move("order", order, OrderStatus.CANCELLED, at, by, reason)

    def ask(self, order: Order, worker: Worker, starts_at: datetime, at: datetime, by: Account) -> Offer:
        """An offer that waits for its answer."""
        offer = Offer(
            id=self.seed.key("offer", *self.path, at=at),
            order_id=order.id,
            caregiver_id=worker.member.caregiver_id,
            resident_id=order.resident_id,
            centre_id=order.centre_id,
            area_code=order.area_code,
            status=OfferStatus.SENT,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=order.duration_minutes),
            sent_by=by.id,
            sent_at=at,
            expires_at=at + OFFER_TIME,
        )
        self.rows.offers.append(offer)
        self._note("offer", offer, None, at, by)
        self._move("order", order, OrderStatus.OFFERED, at, by)
        return offer

    def accept(self, order: Order, offer: Offer, worker: Worker, at: datetime) -> Visit:
        """Yes: the caregiver's time is booked and the visit scheduled."""
        by = worker.account
        self._move("offer", offer, OfferStatus.ACCEPTED, at, by)
        offer.answered_at = at
        booking = Booking(
            id=self.seed.key("booking", *self.path, at=at),
            order_id=order.id,
            caregiver_id=offer.caregiver_id,
            resident_id=order.resident_id,
            centre_id=order.centre_id,
            area_code=order.area_code,
            starts_at=offer.starts_at,
            ends_at=offer.ends_at,
            busy=busy_range(worker.number, offer.starts_at, offer.ends_at),
            offer_id=offer.id,
            assigned_by=by.id,
            assigned_at=at,
        )
        self.rows.bookings.append(booking)
        visit = Visit(
            id=self.seed.key("visit", *self.path, at=at),
            order_id=order.id,
            booking_id=booking.id,
            caregiver_id=offer.caregiver_id,
            resident_id=order.resident_id,
            centre_id=order.centre_id,
            area_code=order.area_code,
            status=VisitStatus.SCHEDULED,
            starts_at=offer.starts_at,
            ends_at=offer.ends_at,
        )
        self.rows.visits.append(visit)
        self._note("visit", visit, None, at, by)
        self._move("order", order, OrderStatus.ASSIGNED, at, by)
        return visit

    def set_out(self, order: Order, visit: Visit, at: datetime, by: Account) -> None:
        """On the way."""
        visit.en_route_at = at
        self._move("order", order, OrderStatus.IN_PROGRESS, at, by)
        self._move("visit", visit, VisitStatus.EN_ROUTE, at, by)

    def check_in(self, order: Order, visit: Visit, at: datetime, metres: int, by: Account) -> None:
        """At the door; ``metres`` from the home as the phone sees it."""
        visit.check_in_at = visit.check_in_device_at = visit.care_started_at = at
        visit.check_in_evidence = {**_evidence(order, at, metres), "start_code": "matched"}
        self._move("visit", visit, VisitStatus.IN_SERVICE, at, by)

    def check_out(self, order: Order, visit: Visit, at: datetime, flags: list[str], by: Account) -> None:
        """Leaving: verified without flags, else for review; then the order is completed and billed."""
        visit.check_out_at = visit.check_out_device_at = visit.care_ended_at = at
        visit.check_out_evidence = _evidence(order, at, 12)
        visit.tasks = [{**task.model_dump(), "done": True} for task in items()[order.item_code].checklist]
        visit.flags = flags
        self._move("visit", visit, VisitStatus.FLAGGED if flags else VisitStatus.VERIFIED, at, by)
        self._move("order", order, OrderStatus.COMPLETED, at, by)
        self._bill(order, visit, at)

    def review(self, visit: Visit, note: str, at: datetime, by: Account) -> None:
        """Somebody looked at the flags; the held bill falls due."""
        visit.review_note, visit.reviewed_by = note, by.id
        self._move("visit", visit, VisitStatus.REVIEWED, at, by, note)
        bill = self.rows.money.settlements[-1]
        self._move("settlement", bill, SettlementStatus.DUE, at, None, "reviewed")
        self._purse().book(bill, at)

    def rate(self, order: Order, score: int, words: str, at: datetime, by: Account) -> None:
        """What the household says."""
        self.rows.ratings.append(
            Rating(
                id=self.seed.key("rating", *self.path, at=at),
                order_id=order.id,
                resident_id=order.resident_id,
                centre_id=order.centre_id,
                area_code=order.area_code,
                score=score,
                words=words,
                rated_by=by.id,
                rated_at=at,
            )
        )

    def _bill(self, order: Order, visit: Visit, at: datetime) -> None:
        stay = order.duration_minutes
        if visit.care_started_at is not None and visit.care_ended_at is not None:
            seconds = (visit.care_ended_at - visit.care_started_at).total_seconds()
            stay = min(order.duration_minutes, max(1, round(seconds / 60)))
        price = quote(items()[order.item_code].price_rule, 1, stay, price_context(order.is_urgent))
        started = visit.care_started_at or visit.starts_at
        bill = Settlement(
            id=self.seed.key("settlement", *self.path, at=at),
            order_id=order.id,
            resident_id=order.resident_id,
            centre_id=order.centre_id,
            area_code=order.area_code,
            status=SettlementStatus.HELD if visit.flags else SettlementStatus.DUE,
            service_day=started.astimezone(BUSINESS_ZONE).date(),
            quote_total_fen=order.quote["total_fen"],
            total_fen=price.total_fen,
            settled_at=at,
        )
        self._note("settlement", bill, None, at, None)
        self._purse().write(bill, order, price, stay)
        if bill.status is SettlementStatus.DUE:
            self._purse().book(bill, at)

    def _purse(self) -> Purse:
        return Purse(self.seed, self.rows.money, self.path)

    def _move(
        self,
        entity: str,
        row: Order | Offer | Visit | Settlement,
        target: StrEnum,
        at: datetime,
        by: Account | None,
        reason: str | None = None,
    ) -> None:
        current = row.status
        row.status = target  # type: ignore[assignment]  # the caller pairs row and status
        row.version += 1
        self._note(entity, row, current, at, by, reason)

    def _note(
        self,
        entity: str,
        row: Order | Offer | Visit | Settlement,
        current: StrEnum | None,
        at: datetime,
        by: Account | None,
        reason: str | None = None,
    ) -> None:
        self.rows.changes.append(
            StatusChange(
                id=self.seed.key("change", entity, *self.path, row.version, at=at),
                entity=entity,
                entity_id=row.id,
                area_code=row.area_code,
                from_status=None if current is None else str(current),
                to_status=str(row.status),
                reason=reason,
                account_id=None if by is None else by.id,
                role="system" if by is None else str(by.role),
                at=at,
            )
        )


def _evidence(order: Order, at: datetime, metres: int) -> dict[str, object]:
    """What the phone said: a fix so many metres north of the door."""
    return {
        "device_at": at.isoformat(),
        "sent_at": at.isoformat(),
        "latitude": round(order.latitude + metres / 111_320, 6),
        "longitude": order.longitude,
        "accuracy_m": 15.0,
        "mock_location": False,
        "distance_m": metres,
    }
