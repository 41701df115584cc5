"""What stood in the rota and the files before shifts were kept apart goes on counting."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from alembic import command

from ops.migrate import configuration
from ops.stack.embedded import EmbeddedStack

BEFORE, AFTER = "0020_care_plans", "0021_institutions_and_rota"
DAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def empty_database(stack: EmbeddedStack) -> Iterator[str]:
    """A database of its own beside the tests' one."""
    name = f"rota_{uuid4().hex}"
    asyncio.run(_run(stack.postgres.url, f"CREATE DATABASE {name}"))
    yield urlunsplit(urlsplit(stack.postgres.url)._replace(path=f"/{name}"))
    asyncio.run(_run(stack.postgres.url, f"DROP DATABASE {name}"))


async def _run(url: str, statement: str, *values: object) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        found: list[Any] = await connection.fetch(statement, *values)
        return found
    finally:
        await connection.close()


CASES: list[tuple[list[tuple[int, int]], list[tuple[int, int]]]] = [
    ([(8, 16), (16, 20)], [(8, 16), (16, 20)]),
    ([(8, 16), (8, 16)], [(8, 16)]),
    ([(8, 12), (11, 16), (15, 20)], [(8, 20)]),
    ([(8, 20), (9, 10), (12, 13), (20, 22)], [(8, 20), (20, 22)]),
]
"""A caregiver's shifts before, in hours of a day, and what of them counts afterwards."""


async def _fill(url: str) -> list[UUID]:
    """A centre and a caregiver with a licence for each case; gives the caregivers."""
    centre = uuid4()
    await _run(
        url,
        "INSERT INTO centre (id, area_code, name_zh, name_en, phone, latitude, longitude, version)"
        " VALUES ($1, '430121107', 'x', 'x', '1', 28, 113, 1)",
        centre,
    )
    people = []
    for spans, _ in CASES:
        people.append(uuid4())
        await _run(
            url,
            "INSERT INTO caregiver (id, centre_id, area_code, name, gender, profession, skills, dialects,"
            " travel_mode, home_latitude, home_longitude, version)"
            " VALUES ($1, $2, '430121107', 'x', 'female', 'nurse', '{}', '{}', 'walk', 28, 113, 1)",
            people[-1],
            centre,
        )
        for since, until in spans:
            await _run(
                url,
                "INSERT INTO shift (id, caregiver_id, area_code, starts_at, ends_at)"
                " VALUES ($1, $2, '430121107', $3, $4)",
                uuid4(),
                people[-1],
                DAY + timedelta(hours=since),
                DAY + timedelta(hours=until),
            )
    await _run(
        url,
        "INSERT INTO credential (id, caregiver_id, area_code, kind, issuer, valid_from, valid_until)"
        " VALUES ($1, $2, '430121107', 'nurse_licence', 'x', '2020-01-01', '2030-01-01')",
        uuid4(),
        people[0],
    )
    return people


async def _hours(url: str, caregiver_id: UUID) -> list[tuple[int, int]]:
    rows = await _run(
        url,
        "SELECT starts_at, ends_at FROM shift WHERE caregiver_id = $1 AND status = 'published' ORDER BY starts_at",
        caregiver_id,
    )
    hour = timedelta(hours=1)
    return [((row["starts_at"] - DAY) // hour, (row["ends_at"] - DAY) // hour) for row in rows]


def test_overlapping_shifts_become_the_time_they_covered(empty_database: str) -> None:
    command.upgrade(configuration(empty_database), BEFORE)
    people = asyncio.run(_fill(empty_database))
    command.upgrade(configuration(empty_database), AFTER)
    for caregiver_id, (_, expected) in zip(people, CASES, strict=True):
        assert asyncio.run(_hours(empty_database, caregiver_id)) == expected
    (licence,) = asyncio.run(_run(empty_database, "SELECT status, checked_at FROM credential"))
    assert licence["status"] == "verified"
    assert licence["checked_at"] is not None
    command.downgrade(configuration(empty_database), BEFORE)
    kept = sum(len(expected) for _, expected in CASES)
    assert len(asyncio.run(_run(empty_database, "SELECT 1 FROM shift"))) == kept
