"""The worker's side: takes a plan that waits, reads the day, lets an engine think, checks it and stores it.

A plan is taken with a lease that is prolonged while the engine thinks. A worker that dies lets it lapse, and the
next one begins anew from the database; nothing of a half-made plan is stored. An engine thinks in a process of its
own; one that dies counts as an attempt.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from services.caregivers.models import TravelMode
from services.core.actor import SYSTEM
from services.core.database import DATABASE_AWAY, Database, Work
from services.core.doorbell import Doorbell
from services.core.errors import DomainError
from services.core.geo import Point
from services.core.ids import new_id
from services.dispatch.day_plans import repository
from services.dispatch.day_plans.building import Layout, Tables, build, lay_out
from services.dispatch.day_plans.committing import commit_plan
from services.dispatch.day_plans.facts import DayFacts
from services.dispatch.day_plans.models import DayPlan, DayPlanItem, PlanKind, RepairCause
from services.dispatch.day_plans.outcome import Outcome, read_plan
from services.dispatch.day_plans.reading import DayRequest, read_day
from services.dispatch.day_plans.rules import PlanningRules, planning_rules
from services.dispatch.day_plans.service import move
from services.dispatch.day_plans.states import PlanStatus
from services.dispatch.day_plans.views import PlanCommit, PlanOptions, PlanSummary
from services.dispatch.travel import Ways, paces, travel_matrix
from services.planning import checker, runner
from services.planning.errors import PlannerBusy
from services.planning.problem import Options, Plan, Problem
from services.planning.repair import RepairJob

log = structlog.get_logger("day_plans")

WAKE_CHANNEL: Final = "guoyuan_day_plan"
"""A statement trigger on the table notifies here; see the migration."""

KEEP_SECONDS: Final = 4.0
"""How often a lease is prolonged: several times before it lapses."""

LOOK_SECONDS: Final = 5.0
"""A lapsed lease rings no bell."""

Solver = Callable[[Problem, Options, int], Awaitable[Plan]]
"""The problem, how to plan, and the present moment in its seconds."""


async def solve_day(problem: Problem, options: Options, now: int) -> Plan:
    """In a process of its own."""
    del now  # windows and shifts begin with it already
    return await runner.solve(problem, options)


async def mend(problem: Problem, options: Options, now: int) -> Plan:
    """Few changes to what runs, in a thread: too short a work for a process."""
    return (await runner.repair_soon(RepairJob(problem, options, now))).plan


class PlanInvalid(Exception):
    """The independent check found something; the plan is thrown away."""


class LeaseLost(Exception):
    """The plan was superseded or dismissed, or another worker has it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A plan in this worker's hands."""

    plan_id: UUID
    lease: UUID
    kind: PlanKind
    asked: DayRequest
    options: PlanOptions


async def plan_forever(database: Database, url: str) -> None:
    """Make plans as they are asked for, until cancelled."""
    bell = Doorbell(url, WAKE_CHANNEL)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bell.listen_forever())
        tasks.create_task(_warm())
        while True:
            try:
                while await make_next(database):
                    pass
                await commit_waiting_repairs(database)
            except Exception as error:  # noqa: BLE001  a plan's trouble must not stop the worker's other chores
                log.warning("planner_waits", error=type(error).__name__)
            await bell.wait(LOOK_SECONDS)


async def _warm() -> None:
    """Compile the engine before somebody waits for it; once for each version on a machine."""
    try:
        await runner.warm()
    except OSError as error:
        log.warning("engine_not_warmed", error=type(error).__name__)


async def make_next(database: Database, solve: Solver | None = None) -> bool:
    """Take one plan and make it. False when none waits, or the engines are busy."""
    taken = await _take(database)
    if taken is None:
        return False
    if isinstance(taken, UUID):
        return True
    try:
        await _make(database, taken, solve)
    except LeaseLost:
        log.info("plan_let_go", plan_id=str(taken.plan_id))
    except PlannerBusy:
        await _give_back(database, taken, None)
        return False
    except DATABASE_AWAY:
        raise
    except Exception as error:  # noqa: BLE001  a plan that cannot be made must not stop the others
        log.warning("plan_attempt_failed", plan_id=str(taken.plan_id), error=type(error).__name__)
        await _give_back(database, taken, "invalid_plan" if isinstance(error, PlanInvalid) else "engine_failed")
    return True


async def _take(database: Database) -> Taken | UUID | None:
    """The next plan under a lease of ours; the bare id of one that was given up instead."""
    rules = planning_rules()
    async with database.unit_of_work(SYSTEM) as work:
        plan = await repository.take_waiting(work)
        if plan is None:
            return None
        if plan.attempts >= rules.most_attempts:
            _fail(work, plan, plan.failure or "gave_up")
            return plan.id
        plan.attempts += 1
        plan.lease, plan.leased_until = new_id(), work.now + rules.lease
        only: frozenset[UUID] | None = None
        if plan.kind is PlanKind.REPAIR:
            only = frozenset() if plan.order_id is None else frozenset({plan.order_id})
        options = PlanOptions.model_validate(plan.options)
        asked = DayRequest(
            centre_id=plan.centre_id,
            area_code=plan.area_code,
            day=plan.day,
            keep_assigned=options.keep_assigned,
            only=only,
            late=plan.caregiver_id if plan.cause is RepairCause.OVERRUN else None,
        )
        return Taken(plan.id, plan.lease, plan.kind, asked, options)


async def _make(database: Database, taken: Taken, solve: Solver | None) -> None:
    rules = planning_rules()
    async with database.unit_of_work(SYSTEM) as work:
        facts = await read_day(work, taken.asked)
    layout = lay_out(facts)
    tables = {mode: await travel_matrix(mode, layout.points) for mode in layout.modes}
    repair = taken.kind is PlanKind.REPAIR
    built = await asyncio.to_thread(build, facts, layout, tables, rules, least_change=repair)
    options = Options(
        weights=rules.repair if repair else rules.day,
        engine=taken.options.engine,
        seconds=taken.options.seconds or rules.default_seconds,
        seed=taken.options.seed,
        tolerance=1,
    )
    solve = solve or (mend if repair else solve_day)
    now = int((facts.now - facts.day.starts_at).total_seconds())
    plan = await _solve_under_lease(database, taken, solve(built.problem, options, now), rules)
    found = await asyncio.to_thread(checker.check, built.problem, plan, options)
    if found:
        log.error("plan_invalid", plan_id=str(taken.plan_id), breaches=found[:10])
        raise PlanInvalid
    ways = TableWays(layout, tables)
    outcomes, summary = await asyncio.to_thread(read_plan, facts, built, plan, ways, rules.version)
    await _store(database, taken, facts, plan, outcomes, summary)


async def _solve_under_lease(
    database: Database, taken: Taken, thinking: Awaitable[Plan], rules: PlanningRules
) -> Plan:
    """Wait for the engine and keep the lease meanwhile; stop thinking when it is lost."""
    solving = asyncio.ensure_future(thinking)
    keeping = asyncio.create_task(_keep_lease(database, taken, rules))
    try:
        await asyncio.wait({solving, keeping}, return_when=asyncio.FIRST_COMPLETED)
        if not solving.done():
            keeping.result()
            raise LeaseLost
        return solving.result()
    finally:
        solving.cancel()
        keeping.cancel()
        # Not one by one under `suppress`: a worker that is told to stop just now would not hear it.
        await asyncio.gather(solving, keeping, return_exceptions=True)


async def _keep_lease(database: Database, taken: Taken, rules: PlanningRules) -> None:
    """Prolong the lease until it is gone; then return."""
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        async with database.unit_of_work(SYSTEM) as work:
            if not await repository.prolong_lease(work, taken.plan_id, taken.lease, work.now + rules.lease):
                return


async def _store(
    database: Database,
    taken: Taken,
    facts: DayFacts,
    found: Plan,
    outcomes: list[Outcome],
    summary: PlanSummary,
) -> None:
    """The plan and all it says, in one transaction; nothing when the lease is lost."""
    async with database.unit_of_work(SYSTEM) as work:
        plan = await repository.lock_plan(work, taken.plan_id)
        if plan.status is not PlanStatus.COMPUTING or plan.lease != taken.lease:
            raise LeaseLost
        await repository.replace_items(work, plan.id, [_item(plan, one) for one in outcomes])
        plan.engine = str(found.summary.engine)
        plan.engine_why = {"zh": found.summary.note_zh, "en": found.summary.note}
        plan.summary = summary.model_dump(mode="json")
        plan.read_at, plan.finished_at = facts.now, work.now
        plan.lease = plan.leased_until = plan.failure = None
        move(work, plan, PlanStatus.READY)


def _item(plan: DayPlan, one: Outcome) -> DayPlanItem:
    run = one.running
    return DayPlanItem(
        plan_id=plan.id,
        order_id=one.order.id,
        resident_id=one.order.resident_id,
        area_code=one.order.area_code,
        place_no=one.place_no,
        change=one.change,
        is_pinned=one.is_pinned,
        booking_id=None if run is None else run.booking_id,
        from_caregiver_id=None if run is None else run.caregiver_id,
        from_starts_at=None if run is None else run.starts_at,
        caregiver_id=one.caregiver_id,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        travel_seconds=one.travel_seconds,
        reasons=one.reasons,
    )


async def _give_back(database: Database, taken: Taken, failure: str | None) -> None:
    """Let another attempt begin at once, or give up after the last one. Without a failure it was none."""
    async with database.unit_of_work(SYSTEM) as work:
        plan = await repository.lock_plan(work, taken.plan_id)
        if plan.status is not PlanStatus.COMPUTING or plan.lease != taken.lease:
            return
        plan.lease = plan.leased_until = None
        if failure is None:
            plan.attempts -= 1
            return
        plan.failure = failure
        if plan.attempts >= planning_rules().most_attempts:
            _fail(work, plan, failure)


def _fail(work: Work, plan: DayPlan, failure: str) -> None:
    plan.failure, plan.finished_at = failure, work.now
    plan.lease = plan.leased_until = None
    move(work, plan, PlanStatus.FAILED, failure)


async def commit_waiting_repairs(database: Database) -> int:
    """Carry out ready repairs of centres whose policy says so, each in a transaction of its own."""
    async with database.unit_of_work(SYSTEM) as work:
        waiting = await repository.repairs_to_commit(work)
    done = 0
    for plan_id in waiting:
        try:
            async with database.unit_of_work(SYSTEM) as work:
                await commit_plan(work, plan_id, PlanCommit(), None)
            done += 1
        except DomainError as error:
            log.warning("repair_not_committed", plan_id=str(plan_id), code=error.code)
    return done


class TableWays(Ways):
    """Travel times of a day whose tables are there already."""

    __slots__ = ("_places", "_tables")

    def __init__(self, layout: Layout, tables: Tables) -> None:
        super().__init__(paces())
        self._places, self._tables = layout.place, tables

    def seconds(self, mode: TravelMode, here: Point, there: Point) -> int:
        """Door to door, whole seconds."""
        table, one, other = self._tables.get(mode), self._places.get(here), self._places.get(there)
        if table is None or one is None or other is None:
            return super().seconds(mode, here, there)
        return table[one][other]
