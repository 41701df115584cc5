"""A kept quote, a package and a recurring plan of one resident, for the tests that knock at every door."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.care_plans.models import CarePlan, HolidayPolicy
from services.care_plans.states import PlanStatus
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.ids import new_id
from services.orders.models import Channel, Order, OrderQuote
from services.packages.models import Entitlement, PackageTemplate, ResidentPackage
from services.packages.states import PackageStatus


@dataclass(frozen=True, slots=True)
class Ahead:
    """Their keys; ``day`` is a day of the plan, the day after tomorrow."""

    quote_id: UUID
    package_id: UUID
    package_template_id: UUID
    care_plan_id: UUID
    day: str


async def add_ahead(work: Work, order: Order, household_account: UUID) -> Ahead:
    """What a resident has besides one order: a quote of the same, a package, and a daily plan."""
    day = work.now.astimezone(BUSINESS_ZONE).date() + timedelta(days=2)
    template = PackageTemplate(
        code=f"p-{new_id()}",
        name_zh="测试包",
        name_en="Test package",
        items=[{"item_code": order.item_code, "quantity": 4}],
        validity_days=365,
        price_fen=100,
        source="test",
    )
    quote = OrderQuote(
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        channel=Channel.APP,
        lines=order.lines,
        price=order.quote,
        total_fen=order.quote["total_fen"],
        windows=[[order.window_start.isoformat(), order.window_end.isoformat()]],
        is_urgent=False,
        priced_for=day,
        fingerprint="",
        quoted_by=household_account,
        quoted_at=work.now,
        expires_at=work.now + timedelta(minutes=30),
    )
    plan = CarePlan(
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        title="测试计划",
        items=[{"item_code": order.item_code, "quantity": 1}],
        times=[["08:00", "18:00"]],
        wishes={},
        rrule="FREQ=DAILY",
        starts_on=day - timedelta(days=2),
        holiday_policy=HolidayPolicy.KEEP,
        status=PlanStatus.ACTIVE,
        channel=Channel.APP,
        planned_by=household_account,
        planned_at=work.now,
        next_run_at=work.now + timedelta(days=365),
    )
    work.session.add_all((template, quote, plan))
    await work.session.flush()
    package = ResidentPackage(
        resident_id=order.resident_id,
        area_code=order.area_code,
        template_id=template.id,
        template_version=1,
        name_zh=template.name_zh,
        name_en=template.name_en,
        price_fen=100,
        price_verified=False,
        contract_reference="test",
        valid_from=day,
        valid_until=day + timedelta(days=364),
        status=PackageStatus.ACTIVE,
        granted_by=household_account,
        granted_at=work.now,
    )
    work.session.add(package)
    await work.session.flush()
    work.session.add(
        Entitlement(
            package_id=package.id,
            resident_id=order.resident_id,
            area_code=order.area_code,
            item_code=order.item_code,
            granted=4,
        )
    )
    return Ahead(quote.id, package.id, template.id, plan.id, day.isoformat())
