"""SOS: from the terminal's PUBLISH to the event on a dispatcher's live stream, at rest and beside vitals."""

import asyncio
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from uuid import uuid4

from bench.figures import milliseconds, percentile, ratio, thousands
from bench.hops import Hops
from bench.house import BenchTerminal, House, user
from bench.publisher import Sender, connect
from bench.report import Section
from bench.stream import Stream
from ops.stack.up import api_url

PRESSES = 400
WARM_UP = 50
PAUSE = 0.05
VITALS_RATE = 2_000
LOADERS = 200
PATIENCE = 30.0
AREA = "430121107201"
AT_REST, UNDER_LOAD = 3.0, 10.0
LANES = (
    "An SOS never waits behind vitals: it has an MQTT connection, a process and transactions of its own"
    " (`devices/alarm_lane.py`); what it shares with them are the broker, the disk and the processors."
)


@dataclass(slots=True)
class Times:
    """Seconds, of each kind."""

    sos: list[float] = field(default_factory=list)
    broker: list[float] = field(default_factory=list)
    commit: list[float] = field(default_factory=list)
    redis: list[float] = field(default_factory=list)

    def hops(self, share: float) -> float:
        """The three hops' percentiles added up."""
        return sum(percentile(values, share) for values in (self.broker, self.commit, self.redis))


async def measure(house: House) -> Section:
    """First at rest, then while vitals flow; presses and hops in turn."""
    people = await house.people()
    dispatcher = user(people, "dispatcher")
    centre = dispatcher["centre_id"]
    house.start_platform()
    pressing = await house.terminals(WARM_UP + 2 * PRESSES + 1, centre, AREA)
    loading = await house.terminals(LOADERS, centre, AREA)
    await house.known_to_the_broker(loading[-1])
    senders = iter(await connect(house.settings.terminal_broker, _logins(pressing[1:])))
    stream = await Stream.open(api_url(house.settings), centre, dispatcher["access_token"])
    await house.settle()
    async with Hops(house, pressing[0]) as hops:
        await _press(list(islice(senders, WARM_UP)), stream, hops)
        rest = await _press(list(islice(senders, PRESSES)), stream, hops)
        _tell(house, house.helper("bench.publisher", [str(VITALS_RATE)], stdin=subprocess.PIPE), loading)
        await _flowing(house)
        before = await _stored(house), time.perf_counter()
        load = await _press(list(islice(senders, PRESSES)), stream, hops)
        rate = (await _stored(house) - before[0]) / (time.perf_counter() - before[1])
    stream.close()
    return _section(rest, load, rate)


def _logins(terminals: Sequence[BenchTerminal]) -> list[tuple[str, str]]:
    return [(str(terminal.id), terminal.password) for terminal in terminals]


def _tell(house: House, publisher: subprocess.Popen[bytes], loading: Sequence[BenchTerminal]) -> None:
    """Give the publisher its terminals; passwords do not stand in a command line."""
    host, port = house.settings.terminal_broker
    assert publisher.stdin is not None  # noqa: S101  asked for when it was started
    publisher.stdin.write(json.dumps({"host": host, "port": port, "terminals": _logins(loading)}).encode())
    publisher.stdin.close()


async def _press(senders: Sequence[Sender], stream: Stream, hops: Hops) -> Times:
    """One SOS of each, each waited for; the hops alone in between."""
    times = Times()
    for sender in senders:
        alarm = {"id": str(uuid4()), "kind": "sos", "at": datetime.now(UTC).isoformat(), "battery": 80}
        payload = json.dumps(alarm).encode()
        arrival = stream.expect(sender.terminal_id)
        began = time.perf_counter()
        sender.wire.publish(sender.alarms, payload)
        times.sos.append(await asyncio.wait_for(arrival, PATIENCE) - began)
        times.broker.append(await hops.broker())
        times.commit.append(await hops.commit())
        times.redis.append(await hops.redis())
        await asyncio.sleep(PAUSE)
    return times


async def _stored(house: House) -> int:
    connection = await house.connect()
    try:
        return int(await connection.fetchval("SELECT count(*) FROM reading WHERE seq IS NOT NULL"))
    finally:
        await connection.close()


async def _flowing(house: House) -> None:
    """Until the vitals arrive in the table at nine tenths of their rate at least."""
    for _ in range(int(PATIENCE)):
        before = await _stored(house)
        await asyncio.sleep(1)
        if await _stored(house) - before > 0.9 * VITALS_RATE:
            return
    raise TimeoutError("the vitals do not flow")


def _section(rest: Times, load: Times, rate: float) -> Section:
    def row(title: str, sos: Sequence[float], base: Times | None = None) -> list[str]:
        shares = (0.5, 0.99)
        cells = [milliseconds(percentile(sos, share)) for share in shares]
        times = [ratio(percentile(sos, share), base.hops(share)) if base else "" for share in shares]
        return [title, *cells, *times]

    title = f"beside {thousands(rate)} vitals/s"
    rows = [
        row("SOS → event on the stream, at rest", rest.sos, rest),
        row(f"SOS → event on the stream, {title}", load.sos, rest),
        *(row(f"{name} alone, at rest", values) for name, values in _named(rest)),
        ["sum of the three, at rest", milliseconds(rest.hops(0.5)), milliseconds(rest.hops(0.99)), "1.00", "1.00"],
        *(row(f"{name} alone, {title}", values) for name, values in _named(load)),
        ["sum of the three, " + title, milliseconds(load.hops(0.5)), milliseconds(load.hops(0.99)), "", ""],
    ]
    base = rest.hops(0.99)
    verdicts = [
        _verdict("at rest", percentile(rest.sos, 0.99) / base, AT_REST),
        _verdict(f"under load ({title})", percentile(load.sos, 0.99) / base, UNDER_LOAD),
    ]
    return Section(
        "sos",
        "SOS: button → dispatcher's screen",
        f"{PRESSES} presses of as many terminals at rest and {PRESSES} more while {VITALS_RATE:,} vitals a second"
        " are sent, every process real (broker, PostgreSQL, Redis, API, both lanes of ingest, worker). Each press"
        " is timed from the terminal's PUBLISH to the line of the event stream; after it, the three hops alone.",
        ["", "p50", "p99", "p50 ÷ sum at rest", "p99 ÷ sum at rest"],
        rows,
        [*verdicts, LANES],
    )


def _named(times: Times) -> list[tuple[str, list[float]]]:
    return [("broker round trip", times.broker), ("one-row commit", times.commit), ("Redis stream", times.redis)]


def _verdict(when: str, factor: float, aim: float) -> str:
    word = "Met" if factor <= aim else "Missed"
    return f"Aim {when}: p99 within {aim:.0f} × the sum of the hops' p99 at rest. {word}: {factor:.1f} ×."
