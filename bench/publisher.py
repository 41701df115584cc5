"""Terminals that send vitals as fast, or as evenly, as wanted.

``python -m bench.publisher RATE < terminals.json`` sends RATE messages a second in all until it is ended.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import uvloop

from bench.wire import Wire

BEIJING = timezone(timedelta(hours=8))
AT_ONCE = 50  # connections opened at a time
TURNS = 50  # a second, at a steady rate


class Sender:
    """One connected terminal."""

    def __init__(self, terminal_id: str, wire: Wire) -> None:
        self.terminal_id = terminal_id
        self.wire = wire
        self.sent = 0
        self.alarms = f"gy/v1/{terminal_id}/up/alarm".encode()
        self._topic = f"gy/v1/{terminal_id}/up/vitals".encode()
        self._seq = time.time_ns() // 1_000_000

    def send(self, at: datetime) -> None:
        """One message with one reading; ``at`` must be another one each time."""
        self._seq += 1
        self.sent += 1
        reading = f'{{"kind":"heart_rate","value":72,"at":"{at.isoformat(timespec="milliseconds")}"}}'
        self.wire.publish(self._topic, f'{{"seq":{self._seq},"readings":[{reading}]}}'.encode())


async def connect(door: tuple[str, int], terminals: Sequence[tuple[str, str]]) -> list[Sender]:
    """Log in each (id, password)."""
    senders: list[Sender] = []
    for start in range(0, len(terminals), AT_ONCE):
        part = terminals[start : start + AT_ONCE]
        wires = await asyncio.gather(*(Wire.open(door, (name, name, password)) for name, password in part))
        senders.extend(Sender(name, wire) for (name, _), wire in zip(part, wires, strict=True))
    return senders


async def send_all(senders: Sequence[Sender], messages: int) -> None:
    """So many messages in all, as fast as the broker takes them; returns when it has acknowledged each."""
    at = datetime.now(BEIJING) - timedelta(hours=1)
    for number in range(messages // len(senders)):
        for sender in senders:
            await sender.wire.writable.wait()
            sender.send(at + timedelta(milliseconds=10 * number))
        await asyncio.sleep(0)
    await asyncio.gather(*(sender.wire.wait_acknowledged(sender.sent) for sender in senders))


async def send_steadily(senders: Sequence[Sender], rate: float) -> None:
    """So many messages a second in all, until cancelled."""
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    while True:
        now = datetime.now(BEIJING)
        while sent < (loop.time() - began) * rate:
            # Another millisecond for each round: the same terminal and time would be the same reading.
            at = now + timedelta(milliseconds=sent // len(senders) % 20)
            senders[sent % len(senders)].send(at)
            sent += 1
        await asyncio.sleep(1 / TURNS)


async def _main(rate: float) -> None:
    load = json.load(sys.stdin)
    senders = await connect((load["host"], load["port"]), [tuple(entry) for entry in load["terminals"]])
    await send_steadily(senders, rate)


if __name__ == "__main__":
    uvloop.run(_main(float(sys.argv[1])))
