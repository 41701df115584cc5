"""Whether each part of a running system works: what ``guoyuan doctor`` asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from devices.mqtt_packets import ACCEPTED
from ops.migrate import newest
from ops.stack import runtime
from ops.stack.mqtt import probe
from ops.stack.runtime import same_process
from ops.stack.up import api_url
from services.core.database import Database
from services.core.geo import Point
from services.core.heartbeat import LATE_SECONDS
from services.core.settings import Settings
from services.dispatch.travel.service import from_settings
from services.notifications.models import Channel
from services.notifications.senders.registry import outlets
from services.reports.queries import backlog

TIMEOUT_SECONDS = 5.0

# What may wait at most before `doctor` calls it a fault.
OUTBOX_SECONDS = 30.0
OVERDUE_ESCALATIONS = 0
FAILED_HANDLERS = 0
LATE_NOTIFICATIONS_SECONDS = 10.0
LATE_CHECKS_SECONDS = 120.0
_TWO_PLACES = (Point(28.20, 113.00), Point(28.21, 113.01))
"""Somewhere in the county; nobody lives there for us."""

BEATING = ("ingest-alarms", "ingest-vitals", "worker", "chores", "auditor", "notifications")
_AGES = "SELECT process, extract(epoch FROM now() - beaten_at) AS age FROM heartbeat"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: whether it works, its version, and what else is known."""

    part: str
    ok: bool
    detail: str = ""
    figures: dict[str, float] = field(default_factory=dict)


async def examine(settings: Settings) -> list[Finding]:
    """Ask every part."""
    checks: list[Callable[[Settings], Awaitable[Finding]]] = [postgres, schema, queues, redis, broker, api]
    # One after another: together they would measure each other's start.
    found = [await check(settings) for check in checks]
    return [*found, *await heartbeats(settings), channels(settings), processes(settings), await travel(settings)]


async def postgres(settings: Settings) -> Finding:
    """PostgreSQL: reachable, version, time of a round trip."""
    if settings.database_url is None:
        return Finding("PostgreSQL", ok=False, detail="no address")
    began = time.perf_counter()
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=TIMEOUT_SECONDS)
        try:
            version = await connection.fetchval("SHOW server_version", timeout=TIMEOUT_SECONDS)
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return Finding("PostgreSQL", ok=False, detail=_said(error))
    return Finding("PostgreSQL", ok=True, detail=str(version), figures=_milliseconds(began))


async def schema(settings: Settings) -> Finding:
    """The database's revision against the newest of this code."""
    title, expected = "数据库结构 schema", newest()
    if settings.database_url is None:
        return Finding(title, ok=False, detail="no address")
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=TIMEOUT_SECONDS)
        try:
            found = await connection.fetchval("SELECT version_num FROM alembic_version", timeout=TIMEOUT_SECONDS)
        finally:
            await connection.close()
    except asyncpg.UndefinedTableError:
        return Finding(title, ok=False, detail="not migrated; run `guoyuan migrate`")
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return Finding(title, ok=False, detail=_said(error))
    if found != expected:
        return Finding(title, ok=False, detail=f"{found}, newest is {expected}; run `guoyuan migrate`")
    return Finding(title, ok=True, detail=str(found))


async def queues(settings: Settings) -> Finding:
    """What waits to be relayed, to escalate or to be looked at by a person."""
    title = "待办 queues"
    if settings.database_url is None:
        return Finding(title, ok=False, detail="no address")
    database = Database(settings.database_url, pool_size=1)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), database.engine.connect() as connection:
            figures: dict[str, Any] = await backlog(connection)
    except (OSError, TimeoutError, SQLAlchemyError) as error:
        return Finding(title, ok=False, detail=_said(error))
    finally:
        await database.close()
    late = [
        name
        for name, most in (
            ("outbox_waiting_seconds", OUTBOX_SECONDS),
            ("escalations_overdue", OVERDUE_ESCALATIONS),
            ("ladders_broken", OVERDUE_ESCALATIONS),
            ("alerts_without_ladder", OVERDUE_ESCALATIONS),
            ("alerts_with_nobody", OVERDUE_ESCALATIONS),
            ("handlers_failed", FAILED_HANDLERS),
            ("notifications_late_seconds", LATE_NOTIFICATIONS_SECONDS),
            ("checks_late_seconds", LATE_CHECKS_SECONDS),
            ("offers_overdue", OVERDUE_ESCALATIONS),
            ("rounds_overdue", OVERDUE_ESCALATIONS),
            ("climbs_overdue", OVERDUE_ESCALATIONS),
        )
        if figures.get(name, 0) > most
    ]
    return Finding(title, ok=not late, detail=f"late: {', '.join(late)}" if late else "", figures=figures)


async def redis(settings: Settings) -> Finding:
    """Redis: reachable with its password, version, time of a round trip."""
    if settings.redis_url is None:
        return Finding("Redis", ok=False, detail="no address")
    client: Redis = Redis.from_url(
        settings.redis_url, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
    )
    began = time.perf_counter()
    try:
        about = await client.info("server")
    except (RedisError, OSError) as error:
        return Finding("Redis", ok=False, detail=_said(error))
    finally:
        await client.aclose()
    return Finding("Redis", ok=True, detail=str(about["redis_version"]), figures=_milliseconds(began))


async def broker(settings: Settings) -> Finding:
    """The MQTT broker: lets the platform's own account in."""
    if settings.mqtt_url is None:
        return Finding("MQTT", ok=False, detail="no address")
    began = time.perf_counter()
    code = await asyncio.to_thread(probe, settings.mqtt_url, TIMEOUT_SECONDS)
    if code != ACCEPTED:
        return Finding("MQTT", ok=False, detail="no answer" if code is None else f"login refused, code {code}")
    return Finding("MQTT", ok=True, detail="MQTT 3.1.1", figures=_milliseconds(began))


async def api(settings: Settings) -> Finding:
    """The API: ready, version."""
    began = time.perf_counter()
    try:
        async with httpx.AsyncClient(
            base_url=api_url(settings), timeout=TIMEOUT_SECONDS, trust_env=False
        ) as client:
            ready = await client.get("/readyz")
            figures = _milliseconds(began)
            about = await client.get("/api/v1/openapi.json")
        version = about.json().get("info", {}).get("version", "?") if about.status_code == 200 else "?"
        state = ready.json().get("status", ready.status_code)
    except (httpx.HTTPError, ValueError) as error:
        return Finding("API", ok=False, detail=_said(error))
    return Finding("API", ok=ready.status_code == 200, detail=f"{version}, {state}", figures=figures)


async def travel(settings: Settings) -> Finding:
    """Who is asked for travel times, and whether it answers; without an answer every way is the straight line."""
    title = "路程 travel times"
    times = from_settings(settings)
    if times.provider is None or not times.profiles:
        return Finding(title, ok=True, detail="straight line")
    began = time.perf_counter()
    await times.matrix(next(iter(times.profiles)), _TWO_PLACES)
    failed = times.figures.last_failure
    detail = f"{settings.travel_provider}: {failed}; straight line" if failed else settings.travel_provider
    return Finding(title, ok=not failed, detail=detail, figures=_milliseconds(began))


async def heartbeats(settings: Settings) -> list[Finding]:
    """Ingest and worker, wherever they run: their last signs of life in the database."""
    ages: dict[str, float] = {}
    said = "no sign of life yet"
    try:
        if settings.database_url is not None:
            connection = await asyncpg.connect(settings.database_url, timeout=TIMEOUT_SECONDS)
            try:
                rows = await connection.fetch(_AGES, timeout=TIMEOUT_SECONDS)
            finally:
                await connection.close()
            ages = {row["process"]: float(row["age"]) for row in rows}
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        said = _said(error)
    return [
        Finding(
            name,
            ok=name in ages and ages[name] <= LATE_SECONDS,
            detail=f"seen {ages[name]:.0f} s ago" if name in ages else said,
        )
        for name in BEATING
    ]


def channels(settings: Settings) -> Finding:
    """How notifications leave: without a text message or a call nobody is reached who looks at no screen."""
    found = outlets(settings)
    detail = ", ".join(f"{channel} {outlet}" for channel, outlet in found.items())
    reaches = any(found[channel] in ("gateway", "file") for channel in (Channel.SMS, Channel.VOICE))
    return Finding("通知渠道 channels", ok=reaches, detail=detail)


def processes(settings: Settings) -> Finding:
    """The processes of ``guoyuan up`` here; elsewhere something else runs them."""
    title = "进程 processes"
    found = runtime.read(settings.data_dir)
    if found is None or not found.alive:
        return Finding(title, ok=True, detail="not run by `guoyuan up` here")
    absent = [
        process.name
        for process in found.processes
        if process.state != "finished" and not same_process(process.pid, process.created_at)
    ]
    detail = f"not running: {', '.join(absent)}" if absent else ", ".join(p.name for p in found.processes)
    return Finding(title, ok=not absent, detail=detail, figures={"count": len(found.processes)})


def _milliseconds(began: float) -> dict[str, float]:
    return {"milliseconds": round((time.perf_counter() - began) * 1000, 1)}


def _said(error: Exception) -> str:
    """The first line of an error; addresses with passwords are never part of these."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
