"""For operators: alive, ready, measured."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlalchemy import text

from api.deps import HouseDep
from api.middleware import registry
from services.core.database import DATABASE_AWAY
from services.dispatch.travel import travel_figures
from services.reports.queries import backlog

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """What answers and what does not."""

    status: str
    parts: dict[str, str] = {}


@router.get("/healthz", operation_id="healthz", summary="The process is alive", responses={})
async def healthz() -> Health:
    """Says nothing about the parts behind it: a restart would not mend those."""
    return Health(status="ok")


@router.get("/readyz", operation_id="readyz", summary="The process can serve")
async def readyz(house: HouseDep, response: Response) -> Health:
    """503 without PostgreSQL. Without Redis the answer is `degraded`: live streams follow the table."""
    parts: dict[str, str] = {}
    try:
        async with house.database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        parts["postgresql"] = "ok"
    except DATABASE_AWAY:
        parts["postgresql"] = "away"
    try:
        await house.redis.ping()
        parts["redis"] = "ok"
    except (RedisError, OSError):
        parts["redis"] = "away"
    if parts["postgresql"] == "away":
        response.status_code = 503
        return Health(status="unavailable", parts=parts)
    return Health(status="ok" if parts["redis"] == "ok" else "degraded", parts=parts)


@router.get("/metrics", operation_id="metrics", summary="Prometheus metrics", response_class=Response)
async def metrics(house: HouseDep) -> Response:
    """Requests of this process, and the backlogs of the whole system."""
    lines = [generate_latest(registry).decode()]
    lines.extend(f"guoyuan_{name} {value}\n" for name, value in travel_figures().items())
    try:
        async with house.database.engine.connect() as connection:
            figures: dict[str, Any] = await backlog(connection)
        lines.extend(f"# TYPE guoyuan_{name} gauge\nguoyuan_{name} {value}\n" for name, value in figures.items())
    except DATABASE_AWAY:
        lines.append("# TYPE guoyuan_database_up gauge\nguoyuan_database_up 0\n")
    return Response("".join(lines), media_type=CONTENT_TYPE_LATEST)
