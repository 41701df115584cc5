"""An alarm storm: 500 SOS within five seconds while every terminal reconnects; and a part killed in its middle."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench.figures import percentile, ratio
from bench.gauges import Gauges
from bench.house import House
from bench.keeper import Keeper
from bench.report import Section, progress
from bench.stage import Delays, Stage, delays, hops_at_rest, set_up, verdict
from ops.stack.process import Part

TERMINALS = 10_000
PRESSES = 500
STORM_SECONDS = 5.0
BACK_SECONDS = 180.0
QUIET_SECONDS = 10.0
HOPS = 200
KILLED = ("ingest-alarms", "worker", "api", "redis", "broker", "postgres")


@dataclass(slots=True)
class Storm:
    """One storm: who pressed, what was killed, what came of it."""

    title: str
    pressing: Sequence[int]
    reconnects: Sequence[float] = ()
    all_back: float = 0.0
    settled: float = 0.0
    part_back: float | None = None
    shown: Delays | None = None


@dataclass(slots=True)
class Result:
    """All storms, what the hops take alone, and what stood in the tables at the end."""

    terminals: int
    seconds: float
    """How long one storm takes to press."""
    quiet: float
    """Between two."""
    storms: list[Storm] = field(default_factory=list)
    alone: float = 0.0
    """Seconds until all are back when nobody but the broker is there."""
    rest: dict[float, float] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


async def measure(
    house: House,
    terminals: int = TERMINALS,
    presses: int = PRESSES,
    *,
    kill: bool = False,
    seconds: float = STORM_SECONDS,
    quiet: float = QUIET_SECONDS,
) -> Section:
    """A storm; with `kill` one more for each part that is killed in its middle."""
    stage = await set_up(house, terminals)
    result = Result(terminals, seconds, quiet, rest=await hops_at_rest(house, stage.spare, HOPS))
    victims: Sequence[str | None] = (None, *KILLED) if kill else (None,)
    await stage.fleet.ask("live")
    async with contextlib.AsyncExitStack() as exits:
        keeper = None
        if kill:
            keeper = await exits.enter_async_context(Keeper({**house.servers, **stage.parts}))
        gauges = await exits.enter_async_context(Gauges(house, stage.pids))
        await _storms(stage, result, victims, presses, keeper)
        await _close(stage, result)
    if not kill:
        result.alone = await _broker_alone(stage)
    queues = ", ".join(f"{name} {most}" for name, most in gauges.queues.items())
    faults = ", ".join(f"{name} {count}" for name, count in gauges.faults.items())
    result.findings.append(f"Most that waited: {queues}. Faults: {faults}.")
    return _section(result, presses, kill=kill)


async def _storms(
    stage: Stage, result: Result, victims: Sequence[str | None], presses: int, keeper: Keeper | None
) -> None:
    for number, victim in enumerate(victims):
        await asyncio.sleep(result.quiet)
        pressing = range(number * presses, (number + 1) * presses)
        storm = Storm("nobody killed" if victim is None else f"`kill -9` {victim}", pressing)
        result.storms.append(storm)
        killing = None
        if victim is not None and keeper is not None:
            killing = asyncio.create_task(_kill_in_the_middle(keeper, victim, result.seconds / 2))
        await _storm(stage, storm, result.seconds)
        progress(f"{storm.title}: receipted after {storm.settled:.1f} s")
        if killing is not None:
            storm.part_back = await killing


async def _kill_in_the_middle(keeper: Keeper, victim: str, pause: float) -> float:
    await asyncio.sleep(pause)
    return await keeper.kill(victim)


async def _storm(stage: Stage, storm: Storm, seconds: float) -> None:
    """Everybody loses the connection, so many press; until all are back, receipted and shown."""
    began = time.perf_counter()
    await stage.fleet.ask("press", terminals=list(storm.pressing), over=seconds)
    back = await stage.fleet.ask("cut_all", seconds=BACK_SECONDS)
    await asyncio.sleep(max(0.0, began + seconds + 1 - time.perf_counter()))
    # A broker that was killed ended the connections a second time.
    again = await stage.fleet.ask("online", seconds=BACK_SECONDS)
    if again["online"] < len(stage.fleet.terminals):
        raise RuntimeError(f"{again['online']} terminals are connected after the storm")
    storm.reconnects, storm.all_back = back["reconnects"], back["seconds"]
    await stage.fleet.ask("settle", seconds=BACK_SECONDS, alarms_only=True)
    storm.settled = time.perf_counter() - began
    wanted = [str(stage.fleet.terminals[number].id) for number in storm.pressing]
    deadline = time.perf_counter() + BACK_SECONDS
    while not all(name in stage.stream.opened for name in wanted):
        if time.perf_counter() > deadline:
            break
        await asyncio.sleep(0.1)


async def _close(stage: Stage, result: Result) -> None:
    """Let everything come to rest and hold it against the tables."""
    await stage.fleet.ask("quiet")
    await stage.fleet.ask("settle", seconds=BACK_SECONDS)
    await stage.house.relayed()
    readings, alarms, alerts, pressed = await stage.fleet.compare()
    stage.stream.close()
    result.findings += verdict(readings, alarms, alerts, delays(stage.stream, pressed))
    for storm in result.storms:
        names = {str(stage.fleet.terminals[number].id) for number in storm.pressing}
        storm.shown = delays(stage.stream, [press for press in pressed if press.terminal_id in names])


async def _broker_alone(stage: Stage) -> float:
    """The same reconnecting with the platform stopped: the broker and the fleet alone."""
    stopping: list[Part] = list(reversed(stage.parts.values()))
    for part in stopping:
        await asyncio.to_thread(part.stop)
    answer: dict[str, Any] = await stage.fleet.ask("cut_all", seconds=BACK_SECONDS)
    return float(answer["seconds"])


def _section(result: Result, presses: int, *, kill: bool) -> Section:
    rows = [_row(storm) for storm in result.storms]
    if result.alone:
        first = result.storms[0].all_back
        rows.append(["the broker alone, nobody presses", *[""] * 6, f"{result.alone:.1f} s", "", ""])
        sent, hops = first_storm_sent(result), result.rest[0.99]
        result.findings.append(
            f"Sent → screen p99 is {sent:.2f} s; broker, commit and Redis alone take {hops * 1000:.1f} ms at rest."
        )
        result.findings.append(
            f"All terminals are back after {first:.1f} s, {ratio(first, result.alone)} × the broker alone; the"
            " protocol's own pauses (0.2 s to 15 s, jittered) are in both."
        )
    what = " A part is killed with SIGKILL in the middle of each further storm." if kill else ""
    return Section(
        "storm-kills" if kill else "storm",
        f"Alarm storm: {presses} SOS in {result.seconds:g} s, {result.terminals:,} terminals reconnecting"
        + (", kills" if kill else ""),
        f"{result.terminals:,} connected terminals send vitals; all connections are cut at once, and {presses} of"
        f" the terminals press within {result.seconds:g} s. A press is timed from the button, so the time to"
        " reconnect is in it; sent is the terminal's first PUBLISH of it. Both end at the line on the dispatcher's"
        f" stream, which is opened again as a browser does.{what}",
        [
            *("storm", "SOS → screen p50", "p99", "longest", "sent → screen p50 / p99", "receipt p99"),
            *("shown / pressed", "all terminals back", "their p50 / p99", "part ready again"),
        ],
        rows,
        result.findings,
    )


def first_storm_sent(result: Result) -> float:
    """The p99 from sending to the screen in the storm in which nobody is killed."""
    shown = result.storms[0].shown
    return percentile(shown.sent, 0.99) if shown is not None else 0.0


def _row(storm: Storm) -> list[str]:
    shown = storm.shown
    assert shown is not None  # noqa: S101  closed
    second = partial("{:.2f} s".format)
    times = [percentile(shown.seconds, share) for share in (0.5, 0.99, 1.0)]
    return [
        storm.title,
        *map(second, times),
        " / ".join(second(percentile(shown.sent, share)) for share in (0.5, 0.99)),
        second(percentile(shown.receipts, 0.99)),
        f"{len(shown.seconds)} / {len(storm.pressing)}",
        f"{storm.all_back:.1f} s",
        " / ".join(second(percentile(storm.reconnects, share)) for share in (0.5, 0.99)),
        "" if storm.part_back is None else second(storm.part_back),
    ]
