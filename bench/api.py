"""API: requests a second for reading and placing an order, beside a bare route, one query and one insert."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from bench.client import Tally, hammer, request
from bench.figures import median, milliseconds, percentile, ratio, spread, thousands
from bench.house import House, user
from bench.report import Section
from ops.stack.ports import accepts, free_port
from ops.stack.up import api_url

CLIENTS = 32
SECONDS = 4.0
ROUNDS = 3
START_SECONDS = 30.0


@dataclass(slots=True)
class Route:
    """Something to ask, again and again."""

    title: str
    base: str
    make: Callable[[], bytes]
    expected: bytes = b" 200 "
    runs: list[Tally] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """Median requests a second."""
        return median([run.per_second for run in self.runs])

    def times(self, share: float) -> float:
        """A percentile over all runs, seconds."""
        return percentile([seconds for run in self.runs for seconds in run.times], share)


async def measure(house: House) -> Section:
    """Every route for a few seconds in turn, the order turned round each time."""
    people = await house.people()
    family = user(people, "family")
    resident_id = people["terminals"][0]["resident_id"]
    house.start_platform()
    port = free_port()
    house.helper("bench.baseline", [str(port)])
    await _accepting(port)
    api, baseline = api_url(house.settings), f"http://127.0.0.1:{port}"
    await house.settle()
    headers = [f"Authorization: Bearer {family['access_token']}"]
    body = _wish(resident_id, await _item(house))
    order_id = await _place_one(api, headers, body)

    def place() -> bytes:
        return request("POST", "/api/v1/orders", [*headers, f"Idempotency-Key: {uuid4()}"], body)

    def get(path: str) -> Callable[[], bytes]:
        prepared = request("GET", path, headers if path.startswith("/api") else ())
        return lambda: prepared

    routes = [
        Route("bare FastAPI route", baseline, get("/bare")),
        Route("FastAPI route, one asyncpg query", baseline, get(f"/query/{order_id}")),
        Route("FastAPI route, one asyncpg insert", baseline, lambda: request("POST", "/insert", (), body)),
        Route("`GET /api/v1/me`", api, get("/api/v1/me")),
        Route("`GET /api/v1/orders/{id}`", api, get(f"/api/v1/orders/{order_id}")),
        Route("`POST /api/v1/orders`", api, place, b" 201 "),
    ]
    for number in range(ROUNDS + 1):
        for route in routes if number % 2 else reversed(routes):
            tally = await hammer(route.base, CLIENTS, SECONDS if number else 1.0, route.make, route.expected)
            if tally.wrong:
                raise RuntimeError(f"{route.title}: {tally.wrong[0]!r}")
            if number:  # the first round warms up
                route.runs.append(tally)
    return _section(routes)


async def _accepting(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not accepts(port):
        if time.monotonic() > deadline:
            raise TimeoutError("the baseline did not start")
        await asyncio.sleep(0.1)


async def _item(house: House) -> str:
    connection = await house.connect()
    try:
        return str(
            await connection.fetchval(
                "SELECT i.code FROM service_item i JOIN service_item_version v ON v.item_id = i.id"
                " WHERE v.published_at IS NOT NULL AND v.is_active AND v.facts->'nursing_list' <> '\"negative\"'"
                " AND v.facts->'preconditions' = '[]' ORDER BY i.code LIMIT 1"
            )
        )
    finally:
        await connection.close()


def _wish(resident_id: str, item_code: str) -> bytes:
    start = datetime.now(UTC) + timedelta(days=2)
    wish = {
        "resident_id": resident_id,
        "item_code": item_code,
        "window_start": start.isoformat(),
        "window_end": (start + timedelta(hours=8)).isoformat(),
        "note": "大门在屋后",
    }
    return json.dumps(wish).encode()


async def _place_one(api: str, headers: list[str], body: bytes) -> str:
    reader, writer = await asyncio.open_connection(*_door(api))
    writer.write(request("POST", "/api/v1/orders", [*headers, "Connection: close"], body))
    answer = await reader.read()
    writer.close()
    if b" 201 " not in answer[:16]:
        raise RuntimeError(f"no order: {answer[:500]!r}")
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["id"])


def _door(api: str) -> tuple[str, int]:
    host, _, port = api.removeprefix("http://").partition(":")
    return host, int(port)


def _section(routes: list[Route]) -> Section:
    bare, query, insert = routes[:3]
    rows = [
        [
            route.title,
            thousands(route.speed),
            spread([run.per_second for run in route.runs]),
            f"{milliseconds(route.times(0.5))} / {milliseconds(route.times(0.99))}",
            ratio(route.speed, bare.speed),
            ratio(route.speed, (insert if "insert" in route.title or "POST" in route.title else query).speed),
        ]
        for route in routes
    ]
    return Section(
        "api",
        "API: reading and placing an order",
        f"{CLIENTS} keep-alive connections of one client, one uvicorn process each side with the same settings"
        f" (uvloop, httptools), {ROUNDS} runs of {SECONDS:.0f} s for each route in turn. The platform's requests"
        " check the session and the policy, run in a transaction under row-level security, and leave an audit row"
        " (a read) or an order with its history, event and kept answer (a write).",
        ["route", "requests/s", "lowest–highest", "p50 / p99", "÷ bare route", "÷ one query or insert"],
        rows,
        [],
    )
