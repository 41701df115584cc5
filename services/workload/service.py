"""The verbs of the workload: write down what was done, correct it by reversal, set rates, read months."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.catalogue.models import Category
from services.core.clock import BUSINESS_ZONE
from services.core.constraints import violates
from services.core.database import Work
from services.core.effective import today
from services.core.errors import Forbidden
from services.core.sheets import Cell, write_xlsx
from services.orders.repository import lock_order
from services.orders.service import lines_of
from services.visits.models import Visit
from services.visits.repository import visits_of_order
from services.visits.states import VisitStatus
from services.workload import repository
from services.workload.counting import Rate, on_call_amount, rate_on, stands, visit_amount
from services.workload.errors import RateExists, RateInThePast
from services.workload.models import (
    AllowanceRate,
    RateCreate,
    RatePublic,
    WorkEntry,
    WorkKind,
    WorkloadPart,
    WorkloadPublic,
)
from services.workload.repository import Sum

_COUNTY_DIGITS = 6
_LOOK_BACK = timedelta(days=62)
"""A stretch on call that the worker could not write down within two months is for a person to look at."""

_COUNTED = (VisitStatus.VERIFIED, VisitStatus.REVIEWED)


async def write_visits(work: Work, order_id: UUID) -> None:
    """Write down an order's visits that count; call it as often as you like. For the handlers.

    One whose times were corrected is reversed and written anew, in the month in which that is known: a month that
    was paid stays as it was paid.
    """
    order = await lock_order(work, order_id)
    category = lines_of(order)[0].item.category
    for visit in await visits_of_order(work, order.id):
        if visit.status in _COUNTED:
            await _write_visit(work, visit, category)


async def write_on_call(work: Work, limit: int = 500) -> int:
    """Write down stretches on call that have passed. For the worker."""
    found = await repository.passed_on_call(work, work.now - _LOOK_BACK, limit)
    entries = []
    for shift, caregiver in found:
        day = shift.starts_at.astimezone(BUSINESS_ZONE).date()
        minutes = round((shift.ends_at - shift.starts_at).total_seconds() / 60)
        unit = await _unit(work, caregiver.area_code, WorkKind.ON_CALL, caregiver.profession, day)
        entries.append(
            WorkEntry(
                caregiver_id=caregiver.id,
                centre_id=caregiver.centre_id,
                area_code=caregiver.area_code,
                kind=WorkKind.ON_CALL,
                source_id=shift.id,
                turn=0,
                day=day,
                month=f"{day:%Y-%m}",
                minutes=minutes,
                units=max(round(minutes / 60), 1),
                unit_fen=unit,
                amount_fen=on_call_amount(unit, minutes),
                at=work.now,
            )
        )
    await repository.add_entries(work, entries)
    return len(entries)


async def set_rate(work: Work, said: RateCreate) -> RatePublic:
    """The county sets what a unit earns from a day on. Raises ``RateInThePast``, ``RateExists``."""
    if work.actor.account_id is None:
        raise Forbidden
    if said.effective_from < today(work):
        raise RateInThePast(field="effective_from")
    rate = AllowanceRate(
        area_code=work.actor.area_code[:_COUNTY_DIGITS],
        set_by=work.actor.account_id,
        set_at=work.now,
        **said.model_dump(),
    )
    work.session.add(rate)
    try:
        await work.session.flush()
    except IntegrityError as error:
        if violates(error, "allowance_rate_once"):
            raise RateExists from error
        raise
    return RatePublic.model_validate(rate)


async def list_rates(work: Work) -> list[RatePublic]:
    """Every rate of the actor's county, newest first."""
    rows = await repository.all_rates(work, work.actor.area_code[:_COUNTY_DIGITS])
    return [RatePublic.model_validate(row) for row in rows]


async def workload(work: Work, month: str) -> list[WorkloadPublic]:
    """A month of the actor's centre, or of all in the actor's area, by caregiver."""
    return _by_caregiver(month, await repository.sums_of_month(work, month, work.actor.centre_id, None))


async def my_workload(work: Work, month: str) -> list[WorkloadPublic]:
    """The signed-in caregiver's own month; empty before there is anything."""
    if work.actor.person_id is None:
        raise Forbidden
    return _by_caregiver(month, await repository.sums_of_month(work, month, None, work.actor.person_id))


async def workload_xlsx(work: Work, month: str) -> bytes:
    """The month as a workbook, one row a caregiver and kind of work."""
    head = ("月份 month", "人员 caregiver", "类别 kind", "服务 category", "次/小时 units", "分钟", "金额（元）")
    rows: list[list[Cell]] = [
        [
            month,
            one.caregiver_name,
            str(part.kind),
            str(part.category or ""),
            part.units,
            part.minutes,
            part.amount_fen / 100,
        ]
        for one in await workload(work, month)
        for part in one.parts
    ]
    return write_xlsx("workload", head, rows)


async def _write_visit(work: Work, visit: Visit, category: Category) -> None:
    if visit.care_started_at is None or visit.care_ended_at is None:
        minutes, day = 0, visit.starts_at.astimezone(BUSINESS_ZONE).date()
    else:
        minutes = round((visit.care_ended_at - visit.care_started_at).total_seconds() / 60)
        day = visit.care_started_at.astimezone(BUSINESS_ZONE).date()
    written = await repository.entries_of(work, WorkKind.HOME_VISIT, visit.id)
    if stands(minutes, [(entry.units, entry.minutes) for entry in written]):
        return
    caregiver = await repository.caregiver_of(work, visit.caregiver_id)
    if caregiver is None:
        return
    unit = await _unit(work, visit.area_code, WorkKind.HOME_VISIT, caregiver.profession, day)
    month = today(work) if written else day
    new = [_reversed(work, written[-1])] if written else []
    new.append(
        WorkEntry(
            caregiver_id=visit.caregiver_id,
            centre_id=visit.centre_id,
            area_code=caregiver.area_code,
            kind=WorkKind.HOME_VISIT,
            source_id=visit.id,
            turn=len(written) + len(new),
            category=category,
            day=day,
            month=f"{month:%Y-%m}",
            minutes=minutes,
            units=1,
            unit_fen=unit,
            amount_fen=visit_amount(unit),
            reason="corrected" if written else "",
            at=work.now,
        )
    )
    await repository.add_entries(work, new)


def _reversed(work: Work, entry: WorkEntry) -> WorkEntry:
    return WorkEntry(
        **entry.model_dump(exclude={"id", "turn", "month", "minutes", "units", "amount_fen", "reason", "at"}),
        turn=entry.turn + 1,
        month=f"{today(work):%Y-%m}",
        minutes=-entry.minutes,
        units=-entry.units,
        amount_fen=None if entry.amount_fen is None else -entry.amount_fen,
        reason="reversed",
        at=work.now,
    )


async def _unit(work: Work, area_code: str, kind: WorkKind, profession: str, day: date) -> int | None:
    rates = await repository.rates_of(work, area_code[:_COUNTY_DIGITS], kind)
    known = [Rate(rate.profession, rate.unit_fen, rate.effective_from) for rate in rates]
    return rate_on(known, profession, day)


def _by_caregiver(month: str, sums: Sequence[Sum]) -> list[WorkloadPublic]:
    months = []
    for (caregiver_id, name, centre_id), group in groupby(sums, key=lambda one: one[:3]):
        parts = list(group)
        visits = [part for part in parts if part.kind is WorkKind.HOME_VISIT]
        months.append(
            WorkloadPublic(
                caregiver_id=caregiver_id,
                caregiver_name=name,
                centre_id=centre_id,
                month=month,
                visits=sum(part.units for part in visits),
                visit_minutes=sum(part.minutes for part in visits),
                amount_fen=sum(part.amount_fen for part in parts),
                parts=[
                    WorkloadPart(
                        kind=part.kind,
                        category=None if part.category is None else Category(part.category),
                        units=part.units,
                        minutes=part.minutes,
                        amount_fen=part.amount_fen,
                        without_rate=part.without_rate,
                    )
                    for part in parts
                ],
            )
        )
    return months
