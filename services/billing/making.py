"""What an order cost, from what really happened: the visits, the tariff of the day, what was used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.billing import repository
from services.billing.minutes import billed_minutes, is_timed, stayed
from services.billing.models import BillAgreement
from services.billing.rates import Difference, LineCase, bill_line
from services.catalogue.circumstances import of_item
from services.catalogue.factors import PriceContext
from services.catalogue.models import Income
from services.catalogue.pricing import Quote, QuoteLine
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.geo import Point
from services.ledger.models import Book
from services.orders.lines import OrderLine
from services.orders.models import Order
from services.orders.service import lines_of
from services.payers.models import Evidence
from services.payers.stacking import BillLine
from services.tariffs.service import SupplyFigure, circumstances, price_rule_for, supply_figure
from services.visits.models import Visit
from services.visits.repository import supplies_of_order
from services.visits.states import ENDED, VisitStatus

SUPPLY_LINE = 0
"""The ``item_line`` of drugs and consumables: they belong to the visit, not to one of its services."""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of a bill to be."""

    priced: QuoteLine
    item_code: str
    category: str
    book: Book
    minutes: int = 0
    is_entitled: bool = False

    def for_payers(self, line_no: int) -> BillLine:
        """As the payers look at it."""
        return BillLine(
            line_no=line_no,
            item_code=self.item_code,
            category=self.category,
            book=self.book,
            amount_fen=self.priced.amount_fen,
            item_line=self.priced.item_line,
            minutes=self.minutes,
            is_supply=self.priced.item_line == SUPPLY_LINE,
            is_entitled=self.is_entitled,
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A bill before anybody has paid: lines, how they differ from the quote, what they rest on."""

    lines: Sequence[DraftLine]
    differences: Sequence[Difference]
    facts: dict[str, Any]
    service_day: date
    institution_id: UUID | None
    quote_total_fen: int

    @property
    def total_fen(self) -> int:
        """The exact sum of the lines."""
        return sum(line.priced.amount_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What all lines of an order have in common."""

    day: date
    institution_id: UUID | None
    planned: PriceContext
    actual: PriceContext
    stay: int | None
    agreed_minutes: int
    agreed_circumstances: bool


async def draft_of(work: Work, order: Order, visits: Sequence[Visit], institution_id: UUID | None = None) -> Draft:
    """The bill of a locked, completed order. Where nobody was served there is nothing to pay.

    ``institution_id``: whose tariff counts, where it is known; else that of the first caregiver's institution.
    """
    served = [visit for visit in visits if visit.status in ENDED]
    if not served:
        return _nothing_served(order, visits)
    scene = await _scene(work, order, served, institution_id)
    lines, differences = await _services(work, order, scene)
    supplies, used = await _supplies(work, order, scene)
    return Draft(
        lines=[*lines, *supplies],
        differences=[*differences, *used],
        facts=_facts(scene, served),
        service_day=scene.day,
        institution_id=scene.institution_id,
        quote_total_fen=_quote(order).total_fen,
    )


def evidence_of(visits: Sequence[Visit]) -> frozenset[Evidence]:
    """What the visits prove, once no flag is open: a held bill is made as if its review will let it count."""
    served = [visit for visit in visits if visit.status in ENDED]
    found = {Evidence.VERIFIED_VISIT} if served else set()
    if served and all((visit.check_in_evidence or {}).get("start_code") == "matched" for visit in served):
        found.add(Evidence.START_CODE)
    if served and not any(visit.flags for visit in served):
        found.add(Evidence.CLEAN_VISIT)
    return frozenset(found)


def book_of(line: OrderLine) -> Book:
    """Whose ledger the income of a service belongs in."""
    return Book.MEDICAL if line.item.income is Income.MEDICAL else Book.ELDERCARE


def _quote(order: Order) -> Quote:
    return Quote.model_validate(order.quote)


def _local_day(moment: datetime) -> date:
    return moment.astimezone(BUSINESS_ZONE).date()


def _nothing_served(order: Order, visits: Sequence[Visit]) -> Draft:
    reason = "no_show" if any(visit.status is VisitStatus.NO_SHOW for visit in visits) else "not_served"
    starts = [visit.starts_at for visit in visits] or [order.window_start]
    quoted = _quote(order)
    return Draft(
        lines=[],
        differences=[
            Difference(line.item_line, line.code, reason, -line.amount_fen)
            for line in quoted.lines
            if line.amount_fen
        ],
        facts={"stay_minutes": 0, "visits": [str(visit.id) for visit in visits]},
        service_day=_local_day(min(starts)),
        institution_id=None,
        quote_total_fen=quoted.total_fen,
    )


async def _scene(work: Work, order: Order, served: Sequence[Visit], institution_id: UUID | None) -> _Scene:
    home = Point(order.latitude, order.longitude)
    start = min(visit.care_started_at or visit.starts_at for visit in served)
    agreed: Sequence[BillAgreement] = await repository.agreements_of(work, order.id)
    first = min(served, key=lambda visit: (visit.care_started_at or visit.starts_at, visit.id))
    return _Scene(
        day=_local_day(start),
        institution_id=institution_id or await repository.institution_of(work, first.caregiver_id),
        planned=await circumstances(work, order.centre_id, home, order.window_start, is_urgent=order.is_urgent),
        actual=await circumstances(work, order.centre_id, home, start, is_urgent=order.is_urgent),
        stay=stayed([(visit.care_started_at, visit.care_ended_at) for visit in served]),
        agreed_minutes=max((one.extra_minutes for one in agreed), default=0),
        agreed_circumstances=any(one.circumstances for one in agreed),
    )


async def _services(work: Work, order: Order, scene: _Scene) -> tuple[list[DraftLine], list[Difference]]:
    ordered = lines_of(order)
    quoted = _quote(order).lines
    minutes = billed_minutes(ordered, scene.stay, scene.agreed_minutes)
    beyond = scene.stay is not None and scene.stay > sum(minutes)
    lines: list[DraftLine] = []
    differences: list[Difference] = []
    for line, billed in zip(ordered, minutes, strict=True):
        case = LineCase(
            ordered=line,
            quoted=[one for one in quoted if one.item_line == line.line_no],
            minutes=billed,
            stayed=scene.stay,
            day_rule=await price_rule_for(work, line.item, order.centre_id, scene.institution_id, scene.day),
            planned=of_item(scene.planned, line.item),
            actual=of_item(scene.actual, line.item),
            agreed_circumstances=scene.agreed_circumstances,
            is_late=beyond and is_timed(line),
        )
        priced, found = bill_line(case)
        differences += found
        lines += [
            DraftLine(
                priced=one,
                item_code=line.item.code,
                category=line.item.category,
                book=book_of(line),
                minutes=billed,
                is_entitled=line.entitlement_id is not None,
            )
            for one in priced
        ]
    return lines, differences


async def _supplies(work: Work, order: Order, scene: _Scene) -> tuple[list[DraftLine], list[Difference]]:
    """What was used, each thing once: at its listed price, else at the cost on the visit's record, else free."""
    used: dict[tuple[str, int | None], tuple[str, int]] = {}
    for one in await supplies_of_order(work, order.id):
        _, so_far = used.get((one.code, one.unit_fen), ("", 0))
        used[one.code, one.unit_fen] = (one.name, so_far + one.quantity)
    book = Book.MEDICAL if any(book_of(line) is Book.MEDICAL for line in lines_of(order)) else Book.ELDERCARE
    lines: list[DraftLine] = []
    differences: list[Difference] = []
    for (code, recorded_fen), (name, quantity) in sorted(
        used.items(), key=lambda item: (item[0][0], str(item[0][1]))
    ):
        figure = await supply_figure(work, code, order.centre_id, scene.institution_id, scene.day)
        priced, reason = _supply_line(code, name, quantity, figure, recorded_fen)
        lines.append(DraftLine(priced, item_code=code, category="supply", book=book))
        differences.append(Difference(SUPPLY_LINE, priced.code, reason, priced.amount_fen))
    return lines, differences


def _supply_line(
    code: str, name: str, quantity: int, figure: SupplyFigure | None, recorded_fen: int | None
) -> tuple[QuoteLine, str]:
    if figure is None:
        reason = "supply_without_price" if recorded_fen is None else "supply_at_recorded_price"
        figure = SupplyFigure(name, name, recorded_fen or 0, "服务记录中的成本（未经核实）", "-", verified=False)
    else:
        reason = "supply_used"
    line = QuoteLine(
        item_line=SUPPLY_LINE,
        code=f"supply:{code}",
        name_zh=figure.name_zh,
        name_en=figure.name_en,
        quantity=quantity,
        unit_fen=figure.unit_fen,
        amount_fen=quantity * figure.unit_fen,
        source=figure.source,
        version=figure.version,
        verified=figure.verified,
    )
    return line, reason


def _facts(scene: _Scene, served: Sequence[Visit]) -> dict[str, Any]:
    """What somebody needs to recompute the bill."""
    start = scene.actual.start
    return {
        "stay_minutes": scene.stay,
        "agreed_extra_minutes": scene.agreed_minutes,
        "agreed_circumstances": scene.agreed_circumstances,
        "care_started_at": None if start is None else start.isoformat(),
        "distance_m": scene.actual.distance_m,
        "day_kind": None if scene.actual.day_kind is None else str(scene.actual.day_kind),
        "visits": [str(visit.id) for visit in served],
    }
