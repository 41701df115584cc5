"""What the fleet's benchmarks begin with: a running platform, a dispatcher's screen, connected terminals."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import milliseconds, percentile
from bench.fleet import Fleet, Held, Pressed
from bench.hops import Hops
from bench.house import BenchTerminal, House, user
from bench.report import progress
from bench.stream import Stream
from ops.stack.process import Part
from ops.stack.up import api_url

AREA = "430121107201"
CONNECT_SECONDS = 600.0
SETTLE_SECONDS = 300.0


@dataclass(slots=True)
class Stage:
    """Everything runs and is connected."""

    house: House
    parts: dict[str, Part]
    fleet: Fleet
    stream: Stream
    connect_seconds: float
    spare: BenchTerminal
    """Beside the fleet, for whoever measures."""

    @property
    def pids(self) -> dict[str, int]:
        """Of the platform's processes and its servers, and of the fleet itself."""
        parts = {**self.house.servers, **self.parts}
        return {name: part.pid for name, part in parts.items() if part.pid} | {"the fleet": self.fleet.process.pid}


async def set_up(house: House, terminals: int) -> Stage:
    """Start the platform, make so many terminals, connect them."""
    people = await house.people()
    dispatcher = user(people, "dispatcher")
    parts = house.start_platform()
    spare, *made = await house.terminals(terminals + 1, dispatcher["centre_id"], AREA)
    await house.known_to_the_broker(spare)
    fleet = Fleet(house, made)
    answer = await fleet.ask("connect", seconds=CONNECT_SECONDS)
    if answer["online"] < terminals:
        raise RuntimeError(f"{answer['online']} of {terminals} terminals connected")
    progress(f"{terminals} terminals connected in {answer['seconds']:.1f} s")
    await house.settle()
    stream = await Stream.open(api_url(house.settings), dispatcher["centre_id"], dispatcher["access_token"])
    return Stage(house, parts, fleet, stream, answer["seconds"], spare)


async def hops_at_rest(house: House, terminal: BenchTerminal, times: int) -> dict[float, float]:
    """The p50 and p99 of a broker round trip, a one-row commit and a Redis stream added up, seconds."""
    async with Hops(house, terminal) as hops:
        found = [(await hops.broker(), await hops.commit(), await hops.redis()) for _ in range(times)]
    return {share: sum(percentile(values, share) for values in zip(*found, strict=True)) for share in (0.5, 0.99)}


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from each press to its alert on the screen; how many alerts were missing or came twice."""

    seconds: Sequence[float]
    receipts: Sequence[float]
    sent: Sequence[float]
    """Seconds from its first sending: without the time in which its terminal had no connection."""
    missing: int
    doubled: int

    def row(self, title: str) -> list[str]:
        """``title | presses | p50 | p99 | max | receipts p99``."""
        cells = [milliseconds(percentile(self.seconds, share)) for share in (0.5, 0.99, 1.0)]
        return [title, str(len(self.seconds)), *cells, milliseconds(percentile(self.receipts, 0.99))]


def delays(stream: Stream, pressed: Sequence[Pressed]) -> Delays:
    """One press a terminal: the alert that it opened, and when the screen showed it."""
    shown = {press.terminal_id: stream.opened.get(press.terminal_id, []) for press in pressed}
    seconds = [shown[press.terminal_id][0][1] - press.at for press in pressed if shown[press.terminal_id]]
    receipts = [press.receipted_at - press.at for press in pressed if press.receipted_at is not None]
    doubled = sum(
        len({alert for alert, _ in alerts}) != len(alerts) or len(alerts) > 1 for alerts in shown.values()
    )
    sent = [shown[p.terminal_id][0][1] - p.sent_at for p in pressed if p.sent_at and shown[p.terminal_id]]
    return Delays(seconds, receipts, sent, len(pressed) - len(seconds), doubled)


def verdict(readings: Held, alarms: Held, alerts: dict[str, int], shown: Delays) -> list[str]:
    """Nothing lost and nothing doubled, or what was; written as findings."""
    stored = (
        f"Readings: {readings.rows:,} rows stored; lost {readings.lost}, doubled {readings.doubled},"
        f" from nowhere {readings.strange}."
    )
    raised = (
        f"Alarms: {alarms.rows:,} stored; lost {alarms.lost}, doubled {alarms.doubled}, from nowhere"
        f" {alarms.strange}; {alerts['alerts']:,} alerts of {alerts['residents']:,} residents,"
        f" {alerts['silent']} without a ladder, {alerts['unannounced']} not announced exactly once."
    )
    seen = (
        f"Screen: {len(shown.seconds):,} alerts shown, {shown.missing} missing, {shown.doubled} twice;"
        f" {len(shown.receipts):,} presses receipted."
    )
    is_right = (
        readings.is_right
        and alarms.is_right
        and not (alerts["silent"] or alerts["unannounced"] or shown.missing or shown.doubled)
        and len(shown.receipts) == len(shown.seconds)
    )
    return [
        stored,
        raised,
        seen,
        "Nothing lost, nothing doubled." if is_right else "**Something was lost or doubled.**",
    ]
