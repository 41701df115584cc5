"""A year's history of 10 or 50 million readings: how fast readings come in, and how long a chart takes."""

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx

from bench.drain import subscribe
from bench.figures import median, milliseconds, percentile, ratio, thousands
from bench.house import BenchTerminal, House, user
from bench.ingest import in_a_process
from bench.publisher import Sender, connect, send_all
from bench.report import Section, progress
from bench.share import forget
from ops.stack.up import api_url

AREA: Final = "430121107201"
DAYS: Final = 365
PRESSURES_A_DAY: Final = 3
ROWS_EACH: Final = DAYS * (48 + 2 * PRESSURES_A_DAY)
"""Of one resident in a year: heart rate every half hour, systolic and diastolic pressure three times a day."""
MESSAGES: Final = 50_000
SENDERS: Final = 200
ROUNDS: Final = 3
CHARTS: Final = 60
BYTES_A_ROW: Final = 400
"""With both indexes, the aggregates and the write-ahead log: what must be free."""
AT_ONCE: Final = 100
_LOAD: Final = """
    INSERT INTO reading (terminal_id, kind, measured_at, value, quality, seq, resident_id, area_code, received_at,
        clock_corrected)
    SELECT made.terminal, kind, at, value, 'good', NULL, made.resident, $3, at, false
    FROM generate_series(0, $6::int - 1) AS day
    CROSS JOIN LATERAL (
        SELECT 'heart_rate' AS kind, $4::timestamptz + day * interval '1 day' + n * interval '30 minutes' AS at,
            60 + (n * 7 + day) % 25 AS value FROM generate_series(0, 47) AS n
        UNION ALL
        SELECT kind, $4::timestamptz + day * interval '1 day' + n * interval '7 hours' + interval '5 minutes',
            base + (n * 5 + day) % 20
        FROM generate_series(0, $5::int - 1) AS n,
            (VALUES ('systolic_bp', 115), ('diastolic_bp', 65)) AS pressure(kind, base)
    ) AS measured
    CROSS JOIN unnest($1::uuid[], $2::uuid[]) AS made(terminal, resident)
"""
_STORED: Final = "SELECT count(*) FROM reading WHERE terminal_id = ANY ($1::uuid[])"
_HOURLY: Final = """
    INSERT INTO reading_hourly (resident_id, kind, hour, area_code, minimum, maximum, total, readings, no_data)
    SELECT resident_id, kind, date_trunc('hour', measured_at), max(area_code), min(value), max(value), sum(value),
        count(*), 0 FROM reading WHERE resident_id = ANY ($1::uuid[]) GROUP BY 1, 2, 3
"""
_DAILY: Final = """
    INSERT INTO reading_daily (resident_id, kind, day, area_code, minimum, maximum, total, readings, no_data)
    SELECT resident_id, kind, (hour AT TIME ZONE 'Asia/Shanghai')::date, max(area_code), min(minimum),
        max(maximum), sum(total), sum(readings), 0
    FROM reading_hourly WHERE resident_id = ANY ($1::uuid[]) GROUP BY 1, 2, 3
"""


@dataclass(slots=True)
class Level:
    """What was found at one length of history."""

    rows: int
    size: int = 0
    ours: list[float] = field(default_factory=list)
    minimal: list[float] = field(default_factory=list)
    charts: dict[str, list[float]] = field(default_factory=dict)


def millions(text: str) -> int:
    """``10M`` as a number. Raises ``ValueError``."""
    number = text.upper().removesuffix("M")
    return int(float(number) * 1_000_000) if number != text.upper() else int(number)


def fits(rows: int, free: int) -> int:
    """As many rows as the disk can hold, leaving a tenth of it."""
    return min(rows, int(free * 0.9) // BYTES_A_ROW)


async def measure(house: House, rows: Sequence[int], messages: int = MESSAGES, rounds: int = ROUNDS) -> Section:
    """Measure with one resident's year, then at each number of rows."""
    people = await house.people()
    clinician = user(people, "clinician")
    centre = people["terminals"][0]["centre_id"]
    watched, *senders_of = await house.terminals(1 + SENDERS, centre, AREA)
    house.start_reader()
    await house.known_to_the_broker(senders_of[-1])
    logins = [(str(terminal.id), terminal.password) for terminal in senders_of]
    senders = await connect(house.settings.terminal_broker, logins)
    await _partitions(house)
    levels: list[Level] = []
    said: list[str] = []
    resident = (await _load(house, [watched]))[0]
    async with httpx.AsyncClient(base_url=api_url(house.settings), trust_env=False, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {clinician['access_token']}"
        for wanted in (0, *rows):
            possible = fits(wanted, shutil.disk_usage(house.settings.data_dir).free) if wanted else 0
            if possible < wanted:
                said.append(f"{wanted:,} rows do not fit on this disk: measured at {possible:,}.")
            await _fill(house, centre, possible)
            level = await _level(house, senders, senders_of, messages, len(levels), rounds)
            level.charts = await _charts(client, resident)
            levels.append(level)
            progress(f"{level.rows:,} rows: {median(level.ours):,.0f} messages/s")
    return _section(levels, messages, said)


async def _partitions(house: House) -> None:
    connection = await house.connect()
    try:
        today = datetime.now(UTC).date()
        for back in range(-1, 14):
            month = (today.replace(day=1) - timedelta(days=30 * back)).replace(day=1)
            await connection.execute("SELECT make_reading_partition($1)", month)
    finally:
        await connection.close()


async def _fill(house: House, centre: str, rows: int) -> None:
    """Up to so many rows, by residents with a year each."""
    connection = await house.connect()
    try:
        there = await connection.fetchval("SELECT count(*) FROM reading")
    finally:
        await connection.close()
    missing = -(-(rows - there) // ROWS_EACH) if rows > there else 0
    began = time.perf_counter()
    for start in range(0, missing, AT_ONCE):
        made = await house.terminals(min(AT_ONCE, missing - start), centre, AREA)
        await _load(house, made)
        if start % (5 * AT_ONCE) == 0:
            progress(f"{(start + len(made)) * ROWS_EACH:,} rows in {time.perf_counter() - began:.0f} s")
    await house.settle()


async def _load(house: House, terminals: Sequence[BenchTerminal]) -> list[UUID]:
    """A year of readings and their aggregates for each terminal's resident; returns the residents."""
    connection = await house.connect()
    try:
        ids = [terminal.id for terminal in terminals]
        owners = await connection.fetch("SELECT id, resident_id FROM terminal WHERE id = ANY ($1::uuid[])", ids)
        residents = [row["resident_id"] for row in owners]
        start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
        values = ([row["id"] for row in owners], residents, AREA, start, PRESSURES_A_DAY, DAYS)
        await connection.execute(_LOAD, *values, timeout=600)
        await connection.execute(_HOURLY, residents, timeout=600)
        await connection.execute(_DAILY, residents, timeout=600)
    finally:
        await connection.close()
    return residents


async def _level(
    house: House,
    senders: list[Sender],
    terminals: Sequence[BenchTerminal],
    messages: int,
    number: int,
    rounds: int,
) -> Level:
    connection = await house.connect()
    try:
        counted, size = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM reading), (SELECT sum(pg_total_relation_size(inhrelid))::bigint"
            " FROM pg_inherits WHERE inhparent = 'reading'::regclass)"
        )
        level = Level(counted, size)
        for turn in range(rounds):
            for way in ("ours", "minimal") if turn % 2 == 0 else ("minimal", "ours"):
                speed = await _drained(house, connection, senders, f"{number}-{turn}", way, messages)
                (level.ours if way == "ours" else level.minimal).append(speed)
                ids = [terminal.id for terminal in terminals]
                await connection.execute("DELETE FROM reading WHERE terminal_id = ANY ($1::uuid[])", ids)
        await house.settle()
    finally:
        await connection.close()
    return level


async def _drained(
    house: House, connection: asyncpg.Connection, senders: list[Sender], turn: str, way: str, messages: int
) -> float:
    session = f"guoyuan-bench-history-{way}-{turn}"
    await subscribe(house.settings, session)
    await send_all(senders, messages)
    answer = await in_a_process(house, way, session, messages)
    stored = await connection.fetchval(_STORED, [UUID(sender.terminal_id) for sender in senders])
    if stored != messages:
        raise RuntimeError(f"{way}: {stored} rows of {messages} messages")
    await forget(house, session)
    return messages / answer["seconds"]


async def _charts(client: httpx.AsyncClient, resident: UUID) -> dict[str, list[float]]:
    base, now = f"/api/v1/residents/{resident}/vitals", datetime.now(UTC)
    year = {"start": (now - timedelta(days=DAYS)).isoformat(), "end": now.isoformat()}
    day = {"start": (now - timedelta(days=1)).isoformat(), "end": now.isoformat()}
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "one year of heart rate and blood pressure": (
            f"{base}/chart",
            {**year, "kind": ["heart_rate", "systolic_bp", "diastolic_bp"]},
        ),
        "the last day, raw": (base, {**day, "kind": "heart_rate", "limit": 2000}),
        "newest values": (f"{base}/latest", {}),
        "bare request (`GET /me`)": ("/api/v1/me", {}),
    }
    times: dict[str, list[float]] = {}
    for title, (path, parameters) in asked.items():
        found: list[float] = []
        for _ in range(CHARTS):
            began = time.perf_counter()
            answer = await client.get(path, params=parameters)
            found.append(time.perf_counter() - began)
            if answer.status_code != httpx.codes.OK:
                raise RuntimeError(f"{title}: {answer.status_code} {answer.text[:300]}")
            await asyncio.sleep(0)
        times[title] = found
    return times


def _section(levels: Sequence[Level], messages: int, said: Sequence[str]) -> Section:
    first = levels[0]

    def row(title: str, cells: Sequence[str], change: str) -> list[str]:
        return [title, *cells, change]

    rows = [
        row("size of the readings with indexes", [f"{level.size / 2**30:.2f} GiB" for level in levels], ""),
        row(
            "our lane, messages/s",
            [thousands(median(level.ours)) for level in levels],
            ratio(median(levels[-1].ours), median(first.ours)),
        ),
        row(
            "minimal loop, messages/s",
            [thousands(median(level.minimal)) for level in levels],
            ratio(median(levels[-1].minimal), median(first.minimal)),
        ),
        row("ours ÷ minimal", [ratio(median(level.ours), median(level.minimal)) for level in levels], ""),
    ]
    for title in first.charts:
        cells = [
            " / ".join(milliseconds(percentile(level.charts[title], share)) for share in (0.5, 0.99))
            for level in levels
        ]
        last, base = levels[-1].charts[title], first.charts[title]
        rows.append(row(f"{title}, p50 / p99", cells, ratio(percentile(last, 0.5), percentile(base, 0.5))))
    return Section(
        "history",
        "History: a year of readings",
        f"Residents with a year of readings each ({ROWS_EACH:,}: heart rate every half hour, blood pressure three"
        " times a day), over the monthly partitions, with the hourly and daily aggregates. At each"
        f" length: {messages:,} messages of {SENDERS} terminals drained by our lane and the minimal loop in turn"
        f" (median of {ROUNDS}), then {CHARTS} requests of each chart of one resident, as a clinician over HTTP.",
        ["", *(f"{level.rows:,} rows" for level in levels), "last ÷ first"],
        rows,
        said,
    )
