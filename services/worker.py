"""The worker processes: one relays the outbox and does what an alarm waits for, one does what may wait.

Each loop is a task of its own: a failing job is logged and tried again at its next turn, and stops nothing
else. The two parts are processes of their own, so that no sum over a day of readings delays a page. Several of
each may run; rows are taken with SKIP LOCKED and one relay leads.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import structlog
from redis.asyncio import Redis
from sqlalchemy import text

from services.alerts.auditor import audit_forever
from services.alerts.climbing import climb_forever
from services.care_plans.service import make_due_orders
from services.caregivers.credentials.service import warn_of_expiry
from services.caregivers.swaps.service import lapse_shift_swaps
from services.complaints.reminding import tell_overdue
from services.complaints.service import close_past_appeal
from services.core.actor import SYSTEM
from services.core.clearing import Cleared
from services.core.database import Database, Work
from services.core.doorbell import Doorbell
from services.core.heartbeat import beat
from services.core.outbox import NOTIFY_CHANNEL
from services.core.settings import Settings
from services.credit.service import score_last_month
from services.deliveries import Deliverer
from services.dispatch.aid.service import end_aid_of_the_past
from services.dispatch.climbing.service import watch_untaken
from services.dispatch.day_plans.computing import plan_forever
from services.dispatch.day_plans.repairing import propose_repairs
from services.dispatch.service import expire_offers
from services.dispatch.telling import remind_offers
from services.dispatch.working import dispatch_forever
from services.duty.swaps import lapse_swaps
from services.institutions.service import warn_of_dates
from services.notifications.dispatcher import run as send_notifications
from services.notifications.retention import clear_notifications
from services.packages.service import expire_packages
from services.payers.vouchers import expire_due, issue_due
from services.payments.service import expire_payments
from services.relay import Relay
from services.rules.missing import judge_due_watches, plan_watches
from services.supervision.paging import escalate_faults, tell_faults, tell_missing_tests
from services.supervision.service import check_terminals, enrol_watches
from services.terminals.commands.retention import clear_commands
from services.terminals.commands.service import expire_commands
from services.visits.acts.sync import release_overdue
from services.visits.proofs.service import clear_proofs
from services.visits.watch.service import watch_visits
from services.vitals.aggregates.service import aggregate_due
from services.vitals.models import RetentionLog
from services.vitals.months.retention import retain
from services.vitals.months.service import make_partitions_ahead
from services.workload.service import write_on_call

log = structlog.get_logger("worker")

PartName = Literal["alarms", "chores", "all"]

KEEP_ANSWERS: Final = timedelta(days=2)
KEEP_EVENTS: Final = timedelta(days=30)
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is due again and again, one unit of work at a time."""

    name: str
    seconds: float
    run: Callable[[Work], Awaitable[object]]


async def clear_old(work: Work) -> None:
    """Forget kept answers, ended sessions, old downlinks and relayed events that nobody can ask for any more."""
    await work.sql(
        text("DELETE FROM auth_session WHERE expires_at < :before"), {"before": work.now - KEEP_ANSWERS}
    )
    await work.sql(
        text("DELETE FROM idempotency_record WHERE created_at < :before"), {"before": work.now - KEEP_ANSWERS}
    )
    await work.sql(text("DELETE FROM downlink WHERE expires_at < :before"), {"before": work.now - KEEP_ANSWERS})
    await work.sql(
        text(
            "WITH old AS (DELETE FROM outbox WHERE relayed_at < :before AND NOT EXISTS"
            " (SELECT FROM outbox_delivery d WHERE d.outbox_id = outbox.id AND d.done_at IS NULL) RETURNING id)"
            " DELETE FROM outbox_delivery USING old WHERE outbox_delivery.outbox_id = old.id"
        ),
        {"before": work.now - KEEP_EVENTS},
    )


def on_record(clear: Callable[[Work], Awaitable[Sequence[Cleared]]]) -> Callable[[Work], Awaitable[None]]:
    """Forgetting that writes down what it has forgotten, beside what ``retain`` writes."""

    async def clear_and_note(work: Work) -> None:
        for cleared in await clear(work):
            work.session.add(
                RetentionLog(
                    at=work.now,
                    what=cleared.what,
                    range_start=cleared.start,
                    range_end=cleared.end,
                    rows=cleared.rows,
                    policy_version=cleared.policy_version,
                )
            )
            log.info("deleted_by_policy", what=cleared.what, until=cleared.end.isoformat(), rows=cleared.rows)

    return clear_and_note


JOBS: Final = (
    Job("expire_offers", 1.0, expire_offers),
    Job("remind_offers", 5.0, remind_offers),
    Job("watch_untaken", 5.0, watch_untaken),
    Job("end_order_aid", 15.0, end_aid_of_the_past),
    Job("propose_repairs", 15.0, propose_repairs),
    Job("lapse_swaps", 60.0, lapse_swaps),
    Job("lapse_shift_swaps", 60.0, lapse_shift_swaps),
    Job("warn_of_expiry", 600.0, warn_of_expiry),
    Job("warn_of_dates", 600.0, warn_of_dates),
    Job("enrol_watches", 10.0, enrol_watches),
    Job("check_terminals", 1.0, check_terminals),
    Job("tell_faults", 15.0, tell_faults),
    Job("escalate_faults", 30.0, escalate_faults),
    Job("tell_missing_tests", 600.0, tell_missing_tests),
    Job("expire_commands", 2.0, expire_commands),
    Job("write_on_call", 600.0, write_on_call),
    Job("expire_payments", 60.0, expire_payments),
    Job("close_complaints", _HOUR, close_past_appeal),
    Job("tell_late_complaints", 600.0, tell_overdue),
    Job("score_credit", _HOUR, score_last_month),
    Job("make_plan_orders", 5.0, make_due_orders),
    Job("expire_packages", 600.0, expire_packages),
    Job("watch_visits", 15.0, watch_visits),
    Job("release_overdue_acts", 60.0, release_overdue),
    Job("issue_vouchers", 10.0, issue_due),
    Job("expire_vouchers", 60.0, expire_due),
    Job("clear_old", _HOUR, clear_old),
    Job("clear_notifications", 60.0, on_record(clear_notifications)),
    Job("clear_commands", 60.0, on_record(clear_commands)),
    Job("clear_proofs", 600.0, on_record(clear_proofs)),
    Job("plan_rule_watches", 60.0, plan_watches),
    Job("judge_rule_watches", 5.0, judge_due_watches),
    Job("aggregate_due", 5.0, aggregate_due),
    Job("retain", _HOUR, retain),
)


async def run(settings: Settings, part: PartName = "all") -> None:
    """Work until cancelled. ``ValueError`` when an address is missing."""
    if settings.database_url is None or settings.redis_url is None:
        raise ValueError("GUOYUAN_DATABASE_URL and GUOYUAN_REDIS_URL must be set, or use `guoyuan up`")
    async with asyncio.TaskGroup() as tasks:
        if part in ("alarms", "all"):
            tasks.create_task(_alarms(settings, settings.database_url, settings.redis_url))
        if part in ("chores", "all"):
            tasks.create_task(_chores(settings, settings.database_url))


async def _alarms(settings: Settings, database_url: str, redis_url: str) -> None:
    """Events to the screens and to their handlers, ladders, the auditor, notifications."""
    database = Database(database_url, settings.database_pool_size)
    redis = Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=2, decode_responses=True)
    deliverer = Deliverer(database)
    bell = Doorbell(database_url, NOTIFY_CHANNEL)
    auditing = Database(database_url, 2)  # what blocks the worker's connections must not blind it
    relay = Relay(database_url, redis, deliverer.ring)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay.run())
            tasks.create_task(deliverer.run())
            tasks.create_task(beat(database, "worker"))
            tasks.create_task(bell.listen_forever())
            tasks.create_task(climb_forever(database, bell))
            tasks.create_task(audit_forever(auditing))
            tasks.create_task(send_notifications(settings))
    finally:
        await redis.aclose()
        await auditing.close()
        await database.close()


async def _chores(settings: Settings, database_url: str) -> None:
    """Whatever is due now and then."""
    database = Database(database_url, settings.database_pool_size)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(beat(database, "chores"))
            tasks.create_task(_partitions(database))
            tasks.create_task(plan_forever(database, database_url))
            tasks.create_task(dispatch_forever(database))
            for job in JOBS:
                tasks.create_task(_repeat(database, job))
    finally:
        await database.close()


async def _repeat(database: Database, job: Job) -> None:
    while True:
        try:
            async with database.unit_of_work(SYSTEM) as work:
                await job.run(work)
        except Exception as error:  # noqa: BLE001  one job's trouble must not stop the others
            log.warning("job_failed", job=job.name, error=type(error).__name__)
        await asyncio.sleep(job.seconds)


async def _partitions(database: Database) -> None:
    while True:
        try:
            await make_partitions_ahead(database, database.clock)
        except Exception as error:  # noqa: BLE001  tried again; the catch-all partition takes readings meanwhile
            log.warning("job_failed", job="partitions", error=type(error).__name__)
        await asyncio.sleep(_HOUR)
