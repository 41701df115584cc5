"""The long benchmarks, at a size of seconds: they run through, and what they compare is compared."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from bench import backlog, full_fleet, history, share
from bench.fleet import Fleet, Held
from bench.fleet_process import MIX, styles
from bench.house import House
from ops.stack import mosquitto


@pytest.fixture
def house() -> Iterator[House]:
    """Servers of its own, running, in a directory that other users may enter: PostgreSQL does not run as root."""
    directory = Path(tempfile.mkdtemp(prefix="guoyuan-bench-"))
    with House(directory) as running:
        yield running
    shutil.rmtree(directory, ignore_errors=True)


def test_the_mix_is_spread_evenly() -> None:
    given = styles(1_000)
    assert [given.count(entry) / 1_000 for entry in range(len(MIX))] == pytest.approx([m[0] for m in MIX])
    assert len(set(given[:20])) == len(MIX), "a small fleet has every kind as well"


@pytest.mark.parametrize(("text", "number"), [("10M", 10_000_000), ("0.2m", 200_000), ("500", 500)])
def test_rows_may_be_written_short(text: str, number: int) -> None:
    assert history.millions(text) == number


def test_history_is_scaled_to_the_disk() -> None:
    free = 100 * history.BYTES_A_ROW
    assert history.fits(50, free) == 50
    assert history.fits(1_000, free) == 90


async def test_the_fleet_runs_and_everything_is_there_once(house: House) -> None:
    section = await full_fleet.measure(house, terminals=40, minutes=0.1)
    assert "Nothing lost, nothing doubled." in section.findings, section.findings


async def test_the_ledger_finds_what_is_lost_doubled_or_from_nowhere(house: House) -> None:
    people = await house.people()
    [terminal] = await house.terminals(1, people["terminals"][0]["centre_id"], "430121107201")
    fleet = Fleet(house, [terminal])
    at = datetime.now(UTC).replace(microsecond=0)
    path = Path(house.settings.data_dir) / "ledger.json"

    async def found(*measured: datetime) -> Held:
        stamps = [int(moment.timestamp() * 1000) for moment in measured]
        entry = {"id": str(terminal.id), "kinds": ["heart_rate"], "measured": stamps, "presses": []}
        path.write_text(json.dumps([entry]))
        return (await fleet.held(path))[0]

    connection = await house.connect()
    await connection.execute(
        "INSERT INTO reading (terminal_id, kind, measured_at, value, quality, seq, resident_id, area_code,"
        " received_at, clock_corrected) VALUES ($1, 'heart_rate', $2, 72, 'good', 1, $3, '430121107201', $2,"
        " false)",
        *(terminal.id, at, uuid4()),
    )
    await connection.close()
    assert await found(at) == Held(rows=1, lost=0, strange=0, doubled=0)
    assert (await found(at, at + timedelta(seconds=1))).lost == 1
    assert (await found()).strange == 1


async def test_a_backlog_drains(house: House) -> None:
    section = await backlog.measure(house, terminals=40, minutes=0.1)
    assert "Nothing lost, nothing doubled." in section.findings, section.findings


@pytest.mark.skipif(mosquitto.find() is None, reason="mosquitto is not installed")
async def test_two_processes_share(house: House) -> None:
    section = await share.measure(house, messages=2_000, rounds=1)
    assert len(section.rows) == 2


async def test_history_is_loaded_and_charted(house: House) -> None:
    section = await history.measure(house, [40_000], messages=400, rounds=1)
    lengths = [int(title.removesuffix(" rows").replace(",", "")) for title in section.columns[1:3]]
    assert lengths[0] >= history.ROWS_EACH
    assert 40_000 <= lengths[1] < 40_000 + history.ROWS_EACH
