"""Ingest is down for ten minutes while the terminals go on: how long until all is stored, and the alarms."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from bench.drain import subscribe
from bench.figures import milliseconds, percentile, ratio, thousands
from bench.fleet_process import MIX, styles
from bench.gauges import MEGABYTE, Gauges
from bench.house import House
from bench.report import Section
from bench.stage import SETTLE_SECONDS, Delays, Stage, delays, set_up, verdict
from bench.wire import Wire
from devices.address import MqttAddress
from devices.mqtt_packets import PUBACK

TERMINALS = 10_000
MINUTES = 10.0
EARLY, LATE = 20, 50
LATE_SECONDS = 5.0
WARM_SECONDS = 5.0
IDLE_SECONDS = 2.0
SESSION = "guoyuan-bench-backlog"
LANES = ("ingest-alarms", "ingest-vitals")


@dataclass(slots=True)
class Result:
    """What was found."""

    stage: Stage
    minutes: float
    queued: int = 0
    waiting: int = 0
    started: float = 0.0
    """Seconds from starting the processes to the first receipt."""
    drained: float = 0.0
    """Seconds from the first receipt to the last."""
    stored: int = 0
    bare: tuple[int, float] = (0, 1.0)
    early: Delays | None = None
    late: Delays | None = None
    findings: list[str] = field(default_factory=list)


async def measure(house: House, terminals: int = TERMINALS, minutes: float = MINUTES) -> Section:
    """Both lanes are killed, stay away, and come back; some press before that, others while it drains."""
    stage = await set_up(house, terminals)
    fleet, result = stage.fleet, Result(stage, minutes)
    await fleet.ask("live")
    await asyncio.sleep(WARM_SECONDS)
    await subscribe(house.settings, SESSION)
    before = await fleet.ask("state")
    for lane in LANES:
        await asyncio.to_thread(stage.parts[lane].kill)
    await asyncio.sleep(minutes * 60)
    early = list(range(min(EARLY, terminals // 4)))
    await fleet.ask("press", terminals=early, over=1.0)
    await asyncio.sleep(2.0)
    state = await fleet.ask("state")
    result.waiting = state["vitals_waiting"]
    result.queued = sum(state[name] - before[name] for name in ("sent", "resent", "statuses"))
    pids = {name: pid for name, pid in stage.pids.items() if name not in LANES}
    async with Gauges(house, pids) as gauges:
        late = list(range(len(early), len(early) + min(LATE, terminals // 4)))
        began = time.perf_counter()
        for lane in LANES:
            stage.parts[lane].spawn()
        await _drain(result, began, state["receipted"], late)
        await asyncio.sleep(LATE_SECONDS)  # all of them have pressed
    await fleet.ask("quiet")
    await fleet.ask("settle", seconds=SETTLE_SECONDS)
    await house.relayed()
    await _compare(result, set(_names(stage, early)), set(_names(stage, late)), began)
    for part in reversed(stage.parts.values()):
        await asyncio.to_thread(part.stop)
    result.bare = await _read_all(house)
    memory = gauges.uses["broker"].memory / MEGABYTE
    queues = ", ".join(f"{name} {most}" for name, most in gauges.queues.items())
    result.findings.append(f"The broker held {memory:.0f} MB at most; most that waited after it: {queues}.")
    return _section(result)


def _names(stage: Stage, numbers: list[int]) -> list[str]:
    return [str(stage.fleet.terminals[number].id) for number in numbers]


async def _drain(result: Result, began: float, receipted: int, late: list[int]) -> None:
    """Until no more has no receipt than what was sent in the last two seconds; some press as soon as it drains."""
    steady = sum(_rates(result.stage))
    connection = await result.stage.house.connect()
    try:
        first = await connection.fetchval("SELECT count(*) FROM reading")
        while True:
            state: dict[str, Any] = await result.stage.fleet.ask("state")
            if not result.started and state["receipted"] > receipted:
                result.started = time.perf_counter() - began
                await result.stage.fleet.ask("press", terminals=late, over=LATE_SECONDS)
            if result.started and state["vitals_waiting"] <= max(2 * steady, 1):
                break
            if time.perf_counter() - began > SETTLE_SECONDS:
                raise TimeoutError(f"{state['vitals_waiting']} messages have no receipt")
            await asyncio.sleep(0.1)
        result.drained = time.perf_counter() - began - result.started
        result.stored = await connection.fetchval("SELECT count(*) FROM reading") - first
    finally:
        await connection.close()


def _rates(stage: Stage) -> list[float]:
    """Messages a second of each terminal."""
    return [1 / MIX[entry][1].every for entry in styles(len(stage.fleet.terminals))]


async def _compare(result: Result, early: set[str], late: set[str], began: float) -> None:
    stage = result.stage
    readings, alarms, alerts, pressed = await stage.fleet.compare()
    stage.stream.close()
    result.findings += verdict(readings, alarms, alerts, delays(stage.stream, pressed))
    result.late = delays(stage.stream, [press for press in pressed if press.terminal_id in late])
    shown = [stage.stream.opened[name][0][1] - began for name in early if name in stage.stream.opened]
    result.early = Delays(shown, shown, shown, len(early) - len(shown), 0)


async def _read_all(house: House) -> tuple[int, float]:
    """The same queue read and acknowledged by nobody but a bare reader: messages, seconds."""
    taken: list[float] = []
    wires: list[Wire] = []

    def take(_topic: bytes, identifier: bytes, _payload: bytes) -> None:
        taken.append(time.perf_counter())
        wires[0].transport.write(bytes((PUBACK << 4, 2)) + identifier)

    address = MqttAddress.parse(str(house.settings.mqtt_url))
    login = (SESSION, str(address.username), str(address.password))
    early: list[bytes] = []
    began = time.perf_counter()
    wire = await Wire.open(
        (address.host, address.port),
        login,
        clean=False,
        on_publish=lambda topic, identifier, payload: (
            take(topic, identifier, payload) if wires else early.append(identifier)
        ),
    )
    wires.append(wire)
    for identifier in early:
        take(b"", identifier, b"")
    while not taken or time.perf_counter() - taken[-1] < IDLE_SECONDS:
        if time.perf_counter() - began > SETTLE_SECONDS:
            break
        await asyncio.sleep(0.1)
    wire.close()
    return len(taken), max(taken, default=began + 1) - began


def _section(result: Result) -> Section:
    late, early = result.late, result.early
    assert late is not None and early is not None  # noqa: S101, PT018  compared
    messages, seconds = result.bare
    bare = messages / seconds
    queued = result.queued / max(result.drained, 0.1)
    count = len(result.stage.fleet.terminals)
    rows = [
        ["messages sent while ingest was away (with repeats)", thousands(result.queued)],
        ["of them messages without a receipt", thousands(result.waiting)],
        ["from starting the processes to the first receipt", f"{result.started:.1f} s"],
        ["from the first receipt until all are receipted", f"{result.drained:.1f} s"],
        ["rows stored in that time", thousands(result.stored)],
        ["messages a second from the broker, repeats too", thousands(queued)],
        ["a bare reader of the same queue, messages a second", thousands(bare)],
        ["ours ÷ bare", ratio(queued, bare)],
        [
            f"{len(early.seconds)} SOS pressed before: on the screen after the start, p50 / longest",
            f"{percentile(early.seconds, 0.5):.2f} s / {max(early.seconds):.2f} s",
        ],
        [
            f"{len(late.seconds)} SOS pressed while it drains → screen, p50 / p99 / longest",
            " / ".join(milliseconds(percentile(late.seconds, share)) for share in (0.5, 0.99, 1.0)),
        ],
    ]
    return Section(
        "backlog",
        f"Backlog: ingest away for {result.minutes:g} minutes",
        f"{count:,} terminals of the fleet's mix go on sending; both lanes of ingest are killed and started again"
        f" {result.minutes:g} minutes later. The broker keeps the messages in the lanes' sessions, the terminals"
        " keep theirs and repeat them (10 s, 20 s, 40 s, then every 60 s), so the broker's queue holds each more"
        " than once.",
        ["", "found"],
        rows,
        [*result.findings, "Alarms have a session of their own: they do not wait for the readings."],
    )
