"""A county's terminals for ten minutes: what comes in, what is stored, what it costs, and an SOS now and then."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from bench.figures import milliseconds, percentile, ratio, thousands
from bench.fleet_process import MIX
from bench.gauges import MEGABYTE, Gauges
from bench.house import House
from bench.report import Section
from bench.stage import SETTLE_SECONDS, Delays, Stage, delays, hops_at_rest, set_up, verdict

TERMINALS = 10_000
MINUTES = 10.0
SOS_EVERY = 2.0
CUTS_A_SECOND = 2.0
BASELINE_SHARE = 0.2
HOPS = 200
START_SECONDS = 3.0
SESSION = "guoyuan-bench-minimal"


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of time: what the fleet sent in it, and what it cost."""

    gauges: Gauges
    messages: int
    resent: int
    waiting: int
    """The most vitals messages that had no receipt."""

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.gauges.seconds

    def cost(self, name: str) -> float:
        """Processor seconds of one process for each message."""
        return self.gauges.uses[name].processor / max(self.messages, 1)


async def measure(house: House, terminals: int = TERMINALS, minutes: float = MINUTES) -> Section:
    """The platform for so many minutes, then the minimal loop under the same fleet for a fifth of that."""
    stage = await set_up(house, terminals)
    rest = await hops_at_rest(house, stage.spare, HOPS)
    pressing = min(max(int(minutes * 60 / SOS_EVERY), 1), terminals)
    numbers = [number * terminals // pressing for number in range(pressing)]
    await stage.fleet.ask("press", terminals=numbers, over=minutes * 60)
    ours = await _span(stage, stage.pids, minutes * 60)
    settled = await stage.fleet.ask("settle", seconds=SETTLE_SECONDS)
    await house.relayed()
    readings, alarms, alerts, pressed = await stage.fleet.compare()
    shown = delays(stage.stream, pressed)
    stage.stream.close()
    findings = verdict(readings, alarms, alerts, shown)
    findings.append(f"After the last minute everything was receipted within {settled['seconds']:.1f} s.")
    minimal = await _minimal(stage, minutes * 60 * BASELINE_SHARE)
    return _section(stage, minutes, (ours, minimal), (shown, rest), findings)


async def _span(stage: Stage, pids: Mapping[str, int], seconds: float) -> Span:
    before = await stage.fleet.ask("state")
    waiting = 0
    async with Gauges(stage.house, pids) as gauges:
        await stage.fleet.ask("live")
        await stage.fleet.ask("cut_some", a_second=CUTS_A_SECOND)
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(min(1.0, max(end - asyncio.get_running_loop().time(), 0.01)))
            waiting = max(waiting, (await stage.fleet.ask("state"))["vitals_waiting"])
        await stage.fleet.ask("quiet")
        after = await stage.fleet.ask("state")
    sent = sum(after[name] - before[name] for name in ("sent", "resent", "statuses"))
    return Span(gauges, sent, after["resent"] - before["resent"], waiting)


async def _minimal(stage: Stage, seconds: float) -> Span:
    """The same fleet on the same servers, with the least in the platform's place."""
    for part in reversed(stage.parts.values()):
        await asyncio.to_thread(part.stop)
    process = stage.house.helper("bench.minimal", [SESSION])
    await asyncio.sleep(START_SECONDS)  # what starting costs is not what serving costs
    pids = {name: pid for name, pid in stage.pids.items() if name not in stage.parts}
    return await _span(stage, pids | {"minimal": process.pid}, seconds)


def _section(
    stage: Stage,
    minutes: float,
    spans: tuple[Span, Span],
    alarms: tuple[Delays, dict[float, float]],
    findings: list[str],
) -> Section:
    ours, minimal = spans
    shown, rest = alarms
    rows = [
        ["messages in a second", thousands(ours.rate), thousands(minimal.rate), ratio(ours.rate, minimal.rate)],
        ["of them sent again, in all", thousands(ours.resent), thousands(minimal.resent), ""],
        ["most vitals messages without a receipt", thousands(ours.waiting), thousands(minimal.waiting), ""],
        _cost("ingest, processor a message", ours.cost("ingest-vitals"), minimal.cost("minimal")),
        *(
            _cost(f"{name}, processor a message", ours.cost(name), minimal.cost(name))
            for name in ("broker", "postgres")
        ),
        *_uses(ours, minimal),
        *([f"most {name}", thousands(most), "", ""] for name, most in ours.gauges.queues.items()),
    ]
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        ours_s, alone = percentile(shown.seconds, share), rest[share]
        title = (
            f"SOS → screen, {name} of {len(shown.seconds)} (beside it: broker, commit and Redis alone, at rest)"
        )
        rows.append([title, milliseconds(ours_s), milliseconds(alone), ratio(ours_s, alone)])
    rows.append(["SOS → screen, longest", milliseconds(max(shown.seconds)), "", ""])
    mix = ", ".join(f"{share:.0%} {style.name}" for share, style, _ in MIX)
    faults = "; ".join(f"{name}: {count}" for name, count in ours.gauges.faults.items())
    count = len(stage.fleet.terminals)
    return Section(
        "fleet",
        f"A county's fleet: {count:,} terminals for {minutes:g} minutes",
        f"{count:,} MQTT connections with last will, keep-alive 300 s, heartbeats every 5 minutes, receipts"
        f" ({mix}); {CUTS_A_SECOND:g} connections a second are lost and made again; an SOS every {SOS_EVERY:g} s."
        f" All connected within {stage.connect_seconds:.0f} s. Beside it the minimal loop under the same fleet for"
        f" {minutes * BASELINE_SHARE:g} minutes: decode, COPY, commit, acknowledge, receipt; no registry, no"
        " rules, no statuses. A message counts each time it is sent. The fleet runs on the same machine.",
        ["", "platform", "minimal loop", "ratio"],
        rows,
        [*findings, f"Faults: {faults}."],
    )


def _cost(title: str, ours: float, minimal: float) -> list[str]:
    return [title, f"{ours * 1e6:.0f} µs", f"{minimal * 1e6:.0f} µs", ratio(ours, minimal) if minimal else ""]


def _uses(ours: Span, minimal: Span) -> list[list[str]]:
    def cell(span: Span, name: str) -> str:
        if name not in span.gauges.uses:
            return ""
        return f"{span.gauges.share(name):.0f} %, {span.gauges.uses[name].memory / MEGABYTE:.0f} MB"

    names = [*ours.gauges.uses, "minimal"]
    return [
        [f"{name}: of one processor, most memory", cell(ours, name), cell(minimal, name), ""] for name in names
    ]
