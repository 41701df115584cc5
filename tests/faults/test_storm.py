"""A small alarm storm for each part, which is killed in its middle: what ``python -m bench storm --kill`` does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.house import House
from bench.storm import KILLED, measure

pytestmark = pytest.mark.faults

TERMINALS = 150
PRESSES = 20
STORM_SECONDS = 2.0
QUIET_SECONDS = 0.5


@pytest.fixture
def house(fault_directory: Path) -> Iterator[House]:
    """Its servers, running."""
    with House(fault_directory) as running:
        yield running


async def test_every_sos_of_a_storm_is_shown_once_whatever_is_killed(
    house: House, record_property: Callable[[str, object], None]
) -> None:
    section = await measure(house, TERMINALS, PRESSES, kill=True, seconds=STORM_SECONDS, quiet=QUIET_SECONDS)
    assert [row[0] for row in section.rows[1:]] == [f"`kill -9` {name}" for name in KILLED]
    assert all(row[6] == f"{PRESSES} / {PRESSES}" for row in section.rows), section.rows
    assert "Nothing lost, nothing doubled." in section.findings, section.findings
    for row in section.rows:
        record_property(f"p99 of SOS to screen, {row[0]}", row[2])
