"""Thousands of terminals in a process of their own, told what to do line by line: ``-m bench.fleet_process``.

The first line of standard input is the fleet (``host``, ``port``, ``terminals`` as [id, password]); every further
line is one request, answered with one line. Passwords stand in no command line.
"""

import asyncio
import json
import random
import resource
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import uvloop

from bench.pendant import Pendant, Reading, Style, Timers

CONNECTS_A_SECOND = 500
LOOK_SECONDS = 0.05
SEED = 20_261_122

Answer = dict[str, Any]


def _value(kind: str, mean: float, spread: float) -> Callable[[random.Random], list[Reading]]:
    return lambda rng: [{"kind": kind, "value": round(rng.gauss(mean, spread), 1)}]


def _heart_and_oxygen(rng: random.Random) -> list[Reading]:
    return [*_value("heart_rate", 72, 4)(rng), {"kind": "spo2", "value": round(rng.uniform(95, 99))}]


def _pressure(rng: random.Random) -> list[Reading]:
    return [{"kind": "blood_pressure", "systolic": rng.randint(112, 132), "diastolic": rng.randint(68, 84)}]


MIX: Sequence[tuple[float, Style, tuple[str, ...]]] = (
    (0.05, Style("wristband, every 10 s", 10, _value("heart_rate", 72, 4)), ("heart_rate",)),
    (0.25, Style("wristband, every minute", 60, _heart_and_oxygen), ("heart_rate", "spo2")),
    (0.40, Style("wristband, every 5 minutes", 300, _value("heart_rate", 72, 4)), ("heart_rate",)),
    (0.20, Style("thermometer, every 15 minutes", 900, _value("temperature", 36.5, 0.1)), ("temperature",)),
    (0.10, Style("blood pressure cuff, every 15 minutes", 900, _pressure), ("systolic_bp", "diastolic_bp")),
)
"""Share, style, and the kinds that one of its messages is stored as."""


def styles(number: int) -> list[int]:
    """Which entry of the mix each of so many terminals is, spread evenly."""
    made: list[int] = []
    given = [0] * len(MIX)
    for count in range(1, number + 1):
        entry = max(range(len(MIX)), key=lambda index: MIX[index][0] * count - given[index])
        given[entry] += 1
        made.append(entry)
    return made


class FleetProcess:
    """The terminals, and what may be asked of them."""

    def __init__(self, door: tuple[str, int], terminals: Sequence[tuple[str, str]]) -> None:
        self._rng = random.Random(SEED)
        self._timers = Timers()
        self._styles = styles(len(terminals))
        self._all = [
            Pendant(name, password, door, MIX[style][1], self._timers, random.Random(SEED + number))
            for number, ((name, password), style) in enumerate(zip(terminals, self._styles, strict=True))
        ]
        self._cutting: asyncio.Task[None] | None = None

    async def run(self, lines: asyncio.StreamReader) -> None:
        """Answer one request after another until the input ends."""
        timing = asyncio.create_task(self._timers.run())
        requests: dict[str, Callable[[Answer], Awaitable[Answer]]] = {
            "connect": self._connect,
            "live": self._live,
            "press": self._press,
            "cut_some": self._cut_some,
            "cut_all": self._cut_all,
            "online": self._online,
            "state": self._state,
            "quiet": self._quiet,
            "settle": self._settle,
            "ledger": self._ledger,
        }
        while line := await lines.readline():
            request = json.loads(line)
            answer = await requests[request.pop("do")](request)
            print(json.dumps(answer), flush=True)
            if timing.done():
                timing.result()  # raises what a timer failed with
        timing.cancel()

    async def _connect(self, request: Answer) -> Answer:
        """All of them, at a steady pace, or all at once (``pace`` 0)."""
        loop, pace = asyncio.get_running_loop(), request.get("pace", CONNECTS_A_SECOND)
        began = loop.time()
        for number, pendant in enumerate(self._all):
            pendant.start()
            if pace and number / pace > loop.time() - began:
                await asyncio.sleep(LOOK_SECONDS)
        return await self._until_online(began, request["seconds"])

    async def _live(self, _request: Answer) -> Answer:
        for pendant in self._all:
            pendant.live()
        return {"a_second": sum(1 / pendant.style.every for pendant in self._all)}

    async def _press(self, request: Answer) -> Answer:
        """``terminals`` (their numbers) press, spread over ``over`` seconds; answered at once."""
        now = asyncio.get_running_loop().time()
        chosen = [self._all[number] for number in request["terminals"]]
        for number, pendant in enumerate(chosen):
            self._timers.at(now + request["over"] * number / len(chosen), pendant.press)
        return {"pressing": len(chosen)}

    async def _cut_some(self, request: Answer) -> Answer:
        """From now on so many lose their connection each second, by turns."""

        async def cut() -> None:
            while True:
                await asyncio.sleep(1 / request["a_second"])
                self._rng.choice(self._all).cut()

        self._cutting = asyncio.create_task(cut())
        return {}

    async def _cut_all(self, request: Answer) -> Answer:
        """Every connection at once; answered when all are back, or after ``seconds``."""
        for pendant in self._all:
            pendant.cut()
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(LOOK_SECONDS)  # the loop has told them of their loss
        return await self._until_online(began, request["seconds"])

    async def _online(self, request: Answer) -> Answer:
        """Answered when all are connected, or after ``seconds``."""
        return await self._until_online(asyncio.get_running_loop().time(), request["seconds"])

    async def _until_online(self, began: float, seconds: float) -> Answer:
        loop = asyncio.get_running_loop()
        while not all(pendant.is_online for pendant in self._all) and loop.time() - began < seconds:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        last = [pendant.reconnects[-1] for pendant in self._all if pendant.reconnects]
        online = sum(pendant.is_online for pendant in self._all)
        return {"online": online, "seconds": loop.time() - began, "reconnects": last}

    async def _state(self, _request: Answer) -> Answer:
        counters = [pendant.protocol.counters for pendant in self._all]
        return {
            "online": sum(pendant.is_online for pendant in self._all),
            "vitals_waiting": sum(pendant.protocol.pending_vitals for pendant in self._all),
            "alarms_waiting": sum(pendant.protocol.pending_alarms for pendant in self._all),
            "reconnects": sum(len(pendant.reconnects) for pendant in self._all),
            "statuses": sum(pendant.statuses for pendant in self._all),
            "measured": sum(len(pendant.measured) for pendant in self._all),
            **{
                name: sum(getattr(c, name) for c in counters)
                for name in ("sent", "resent", "receipted", "refused", "dropped", "strange_receipts")
            },
        }

    async def _quiet(self, _request: Answer) -> Answer:
        """No more measuring and no more cuts; what has no receipt is still repeated."""
        if self._cutting is not None:
            self._cutting.cancel()
        for pendant in self._all:
            pendant.rest()
        return {}

    async def _settle(self, request: Answer) -> Answer:
        """Until everything has its receipt, or ``seconds`` are over."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() - began < request["seconds"]:
            state = await self._state({})
            wanted = ("alarms_waiting",) if request.get("alarms_only") else ("alarms_waiting", "vitals_waiting")
            if not any(state[name] for name in wanted):
                break
            await asyncio.sleep(LOOK_SECONDS)
        return {"seconds": loop.time() - began, **await self._state({})}

    async def _ledger(self, request: Answer) -> Answer:
        """Write what they measured and pressed to a file: it is compared with the database."""
        entries = [
            {
                "id": pendant.id,
                "kinds": MIX[style][2],
                "measured": pendant.measured,
                "presses": [[p.alarm_id, p.kind, p.pressed, p.sent, p.received] for p in pendant.presses.values()],
            }
            for pendant, style in zip(self._all, self._styles, strict=True)
        ]
        await asyncio.to_thread(Path(request["path"]).write_text, json.dumps(entries))
        return {}


def allow_sockets(number: int) -> None:
    """Raise this process's own limit of open files. Raises ``RuntimeError`` where the system allows no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        if hard != resource.RLIM_INFINITY and hard < number:
            raise RuntimeError(f"{number} open files are needed, the limit is {hard} (ulimit -n)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


async def _main() -> None:
    lines = asyncio.StreamReader(limit=2**26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    fleet = json.loads(await lines.readline())
    allow_sockets(len(fleet["terminals"]) + 100)
    door = (fleet["host"], fleet["port"])
    await FleetProcess(door, [(name, password) for name, password in fleet["terminals"]]).run(lines)


if __name__ == "__main__":
    uvloop.run(_main())
