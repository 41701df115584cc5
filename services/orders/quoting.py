"""What a wish would cost, kept for a while; and the one order that takes a quote.

``work_out`` is the single place that checks, prices and covers what is asked for: quotes, orders and the days of
recurring plans all go through it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.audit.service import record_read
from services.catalogue.models import ItemFacts
from services.catalogue.pricing import Quote, planned_minutes
from services.centres.models import Centre
from services.centres.service import centre_in_charge
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.errors import Forbidden
from services.core.geo import Point
from services.orders import repository
from services.orders.checks import orderable_items, require_windows
from services.orders.errors import QuoteAltered, QuoteExpired, QuoteForeign, QuoteUsed, WindowInvalid
from services.orders.lines import Demand, OrderLine, demand_of, price_of
from services.orders.models import Channel, OrderQuote, QuotePublic
from services.orders.rules import CHANNELS, order_limits, read_windows, written
from services.orders.showing import ordered_items, windows_public
from services.orders.standing import require_may_order
from services.orders.wishes import AskedItem, OrderCreate, PackageUse, QuoteCreate
from services.packages import service as packages
from services.residents.models import Resident
from services.tariffs.service import circumstances, price_rule_for


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, in one form, whoever asks and however."""

    resident: Resident
    channel: Channel
    account_id: UUID
    items: tuple[AskedItem, ...]
    windows: tuple[tuple[datetime, datetime], ...]
    is_urgent: bool
    packages: PackageUse

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day on which the service may lie."""
        first, last = self.windows[0][0], self.windows[-1][1]
        return first.astimezone(BUSINESS_ZONE).date(), last.astimezone(BUSINESS_ZONE).date()

    def quantities(self) -> dict[str, int]:
        """How much of each item."""
        return {item.item_code: item.quantity for item in self.items}


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """A wish that can be ordered: where it goes, its lines, what they need and what they cost."""

    centre: Centre
    lines: list[OrderLine]
    demand: Demand
    price: Quote


async def work_out(work: Work, wanted: Wanted, kept: OrderQuote | None = None) -> WorkedOut:
    """Check and price a wish; contents and price are those of ``kept`` where the wish names a quote.

    Raises ``NoCentre``, ``ItemsRefused``, ``WindowInvalid``.
    """
    require_windows(work.now, wanted.windows, 1)  # consents and assessments are asked for on a day that can be
    centre = await centre_in_charge(work, wanted.resident.area_code)
    codes = [item.item_code for item in wanted.items]
    facts = await orderable_items(work, wanted.resident, centre, wanted.channel, codes, wanted.days[1])
    if kept is None:
        lines = [
            await _line(work, wanted, centre, number, facts[item.item_code], item.quantity)
            for number, item in enumerate(wanted.items, start=1)
        ]
        price = await _price(work, wanted, centre, lines)
    else:
        lines = [OrderLine.model_validate(line) for line in kept.lines]
        price = Quote.model_validate(kept.price)
    demand = demand_of(lines)
    require_windows(work.now, wanted.windows, demand.minutes)
    return WorkedOut(centre, lines, demand, price)


async def check_items(work: Work, wanted: Wanted) -> tuple[UUID, Demand]:
    """The centre in charge and what the items need, if they can be ordered; prices are left to the day.

    Every window must be long enough. Raises ``NoCentre``, ``ItemsRefused``, ``WindowInvalid``.
    """
    centre = await centre_in_charge(work, wanted.resident.area_code)
    codes = [item.item_code for item in wanted.items]
    facts = await orderable_items(work, wanted.resident, centre, wanted.channel, codes, wanted.days[1])
    demand = demand_of(
        [
            await _line(work, wanted, centre, number, facts[item.item_code], item.quantity)
            for number, item in enumerate(wanted.items, start=1)
        ]
    )
    for number, (start, end) in enumerate(wanted.windows, start=1):
        if end - start < timedelta(minutes=demand.minutes):
            raise WindowInvalid(reason="too_short", duration_minutes=demand.minutes, window=number)
    return centre.id, demand


async def ask_price(work: Work, wish: QuoteCreate) -> QuotePublic:
    """Quote a wish, with the same checks as an order, and keep the quote until it expires.

    The same wish again within a double tap's time gets the same quote. Raises ``NotFound``, ``MayNotOrder``,
    ``NoCentre``, ``ItemsRefused``, ``WindowInvalid``, ``EntitlementExhausted``.
    """
    wanted = await wanted_by(work, wish)
    worked = await work_out(work, wanted)
    fingerprint = _fingerprint(wanted, worked)
    await repository.one_at_a_time(work, f"quote:{wanted.account_id}:{fingerprint}")
    since = work.now - order_limits().double_tap
    found = await repository.quote_like(work, wanted.account_id, fingerprint, since)
    if found is None:
        await _cover(work, wanted, worked.lines)
        found = keep(work, wanted, worked, fingerprint)
        await work.session.flush()
    return quote_public(found)


async def wanted_by(work: Work, wish: QuoteCreate | OrderCreate, kept: OrderQuote | None = None) -> Wanted:
    """The wish of the acting person, completed by the quote that it names.

    Raises ``NotFound`` for a resident out of reach, ``MayNotOrder``, ``Forbidden`` for roles that do not order.
    """
    channel, account_id = CHANNELS.get(work.actor.role), work.actor.account_id
    if channel is None or account_id is None:
        raise Forbidden
    resident = await repository.resident_in_reach(work, wish.resident_id)
    await require_may_order(work, resident.id)
    items, windows, is_urgent = wish.asked_items(), wish.asked_windows(), wish.is_urgent
    if kept is not None:
        items = [AskedItem(item_code=line["item"]["code"], quantity=line["quantity"]) for line in kept.lines]
        windows, is_urgent = read_windows(kept.windows), kept.is_urgent
    return Wanted(resident, channel, account_id, tuple(items), tuple(windows), is_urgent, wish.packages)


def keep(work: Work, wanted: Wanted, worked: WorkedOut, fingerprint: str = "") -> OrderQuote:
    """Store what was worked out."""
    kept = OrderQuote(
        resident_id=wanted.resident.id,
        centre_id=worked.centre.id,
        area_code=wanted.resident.area_code,
        channel=wanted.channel,
        lines=[line.model_dump(mode="json") for line in worked.lines],
        price=worked.price.model_dump(mode="json"),
        total_fen=worked.price.total_fen,
        windows=written(wanted.windows),
        is_urgent=wanted.is_urgent,
        priced_for=wanted.days[0],
        fingerprint=fingerprint,
        quoted_by=wanted.account_id,
        quoted_at=work.now,
        expires_at=work.now + order_limits().quote_life,
    )
    work.session.add(kept)
    return kept


async def take(work: Work, quote_id: UUID, wish: OrderCreate) -> OrderQuote:
    """The named quote, locked and marked as used. The second of two orders waits here and is refused.

    Raises ``NotFound`` for one out of reach, ``QuoteForeign``, ``QuoteUsed``, ``QuoteExpired``, ``QuoteAltered``.
    """
    kept = await repository.quote_in_reach(work, quote_id, lock=True)
    if kept.resident_id != wish.resident_id:
        raise QuoteForeign
    if kept.used_at is not None:
        raise QuoteUsed
    if kept.expires_at <= work.now:
        raise QuoteExpired(expires_at=kept.expires_at.isoformat())
    if altered := _altered(kept, wish):
        raise QuoteAltered(fields=altered)
    kept.used_at = work.now
    return kept


async def read_quote(work: Work, quote_id: UUID) -> QuotePublic:
    """A kept quote, used or not; leaves a row in the access log. Raises ``NotFound``."""
    kept = await repository.quote_in_reach(work, quote_id)
    await record_read(work, [kept.resident_id], "quote", ["items", "total_fen"])
    return quote_public(kept)


async def list_quotes(work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None) -> list[QuotePublic]:
    """A page of the quotes in reach, newest first; leaves rows in the access log."""
    rows = await repository.quotes_page(work, limit, cursor, resident_id)
    await record_read(work, [row.resident_id for row in rows], "quotes", ["items", "total_fen"])
    return [quote_public(row) for row in rows]


def quote_public(kept: OrderQuote) -> QuotePublic:
    """The quote as the API shows it."""
    price = Quote.model_validate(kept.price)
    lines = [OrderLine.model_validate(line) for line in kept.lines]
    covered = {line.line_no for line in lines if line.entitlement_id is not None}
    return QuotePublic(
        **kept.model_dump(exclude={"lines", "price", "windows", "fingerprint", "quoted_by"}),
        items=ordered_items(kept.lines),
        windows=windows_public(kept.windows),
        duration_minutes=sum(line.minutes for line in lines),
        price=price,
        package_fen=sum(line.amount_fen for line in price.lines if line.item_line in covered),
    )


async def _line(
    work: Work, wanted: Wanted, centre: Centre, number: int, item: ItemFacts, quantity: int
) -> OrderLine:
    """One line, holding the price rule in force on the first day on which the service may lie."""
    rule = await price_rule_for(work, item, centre.id, None, wanted.days[0])
    return OrderLine(
        line_no=number,
        item=item.model_copy(update={"price_rule": rule}),
        quantity=quantity,
        minutes=planned_minutes(rule, item.duration_minutes, quantity),
    )


async def _price(work: Work, wanted: Wanted, centre: Centre, lines: Sequence[OrderLine]) -> Quote:
    """What the lines cost if care begins at the start of the first window."""
    home = Point(wanted.resident.latitude, wanted.resident.longitude)
    around = await circumstances(work, centre.id, home, wanted.windows[0][0], is_urgent=wanted.is_urgent)
    return price_of(lines, around)


async def _cover(work: Work, wanted: Wanted, lines: Sequence[OrderLine]) -> None:
    """Write on the lines which package would pay at present. Raises ``EntitlementExhausted`` where one must."""
    if wanted.packages == "none":
        return
    found = await packages.coverage(work, wanted.resident.id, wanted.quantities(), *wanted.days)
    if wanted.packages == "required":
        packages.require_covered(wanted.quantities(), found)
    for line in lines:
        line.entitlement_id = found.get(line.item.code)


def _altered(kept: OrderQuote, wish: OrderCreate) -> list[str]:
    """Which of the things that the order says are not what was quoted; what it leaves out is the quote's."""
    altered = []
    quoted = [(line["item"]["code"], line["quantity"]) for line in kept.lines]
    items = [(item.item_code, item.quantity) for item in wish.asked_items()]
    if items and sorted(items) != sorted(quoted):
        altered.append("items")
    windows = wish.asked_windows()
    if windows and windows != read_windows(kept.windows):
        altered.append("windows")
    if "is_urgent" in wish.model_fields_set and wish.is_urgent is not kept.is_urgent:
        altered.append("is_urgent")
    return altered


def _fingerprint(wanted: Wanted, worked: WorkedOut) -> str:
    """What the same question with the same answer is recognised by."""
    told = {
        "resident": str(wanted.resident.id),
        "items": sorted((item.item_code, item.quantity) for item in wanted.items),
        "windows": written(wanted.windows),
        "urgent": wanted.is_urgent,
        "packages": wanted.packages,
        "price": worked.price.model_dump(mode="json"),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
