"""One vitals process beside two that share the subscription: messages a second into committed rows."""

import asyncio
import json
import subprocess
from collections import defaultdict
from collections.abc import Sequence

from bench.drain import WAIT, subscribe
from bench.figures import median, ratio, spread, thousands
from bench.house import House
from bench.publisher import Sender, connect, send_all
from bench.report import Section, progress
from bench.wire import Wire
from devices.address import MqttAddress
from devices.ingest import SHARE_GROUP
from ops.stack import mosquitto

MESSAGES = 100_000
TERMINALS = 200
ROUNDS = 3
WAYS = (1, 2)
AREA = "430121107201"
ALARMS = (
    "Alarms are not shared: one process serves them, a second one stands by (`devices/seats.py`), so one"
    " terminal's alarms stay in order. `tests/faults/test_takeover.py` kills members on Mosquitto."
)


async def measure(house: House, messages: int = MESSAGES, rounds: int = ROUNDS) -> Section:
    """Rounds of one and of two processes in turn, the order turned round each time."""
    if mosquitto.find() is None:
        raise RuntimeError("Mosquitto is not installed, and the built-in broker knows no shared subscriptions")
    people = await house.people()
    terminals = await house.terminals(TERMINALS, people["terminals"][0]["centre_id"], AREA)
    await house.known_to_the_broker(terminals[-1])
    logins = [(str(terminal.id), terminal.password) for terminal in terminals]
    senders = await connect(house.settings.terminal_broker, logins)
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for number in range(rounds):
        for way in WAYS if number % 2 == 0 else WAYS[::-1]:
            found[way].append(await _round(house, senders, number, way, messages))
            progress(f"{way} process(es): {found[way][-1][0]:,.0f} messages/s")
    return _section(found, messages)


async def _round(
    house: House, senders: Sequence[Sender], number: int, processes: int, messages: int
) -> tuple[float, float]:
    """Messages a second, and processor µs a message of all processes together."""
    # A group of its own for each round: the broker goes on filling the sessions of an earlier one.
    group = f"{SHARE_GROUP}-{number}-{processes}"
    sessions = [f"guoyuan-bench-share-{number}-{processes}-{seat}" for seat in range(processes)]
    for session in sessions:
        await subscribe(house.settings, session, share=group if processes > 1 else None)
    connection = await house.connect()
    await connection.execute("TRUNCATE reading")
    await send_all(senders, messages)
    await house.settle()
    share = messages // processes  # the broker deals them out in turn
    started = [
        house.helper(
            "bench.drain",
            ["ours", str(share), session, WAIT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for session in sessions
    ]
    answers = await asyncio.to_thread(_run_together, started)
    stored = await connection.fetchval("SELECT count(*) FROM reading")
    await connection.close()
    if stored != messages:
        raise RuntimeError(f"{processes} processes: {stored} rows of {messages} messages")
    for session in sessions:
        await forget(house, session)
    began = min(answer["ended"] - answer["seconds"] for answer in answers)
    seconds = max(answer["ended"] for answer in answers) - began
    return messages / seconds, sum(answer["processor"] for answer in answers) / messages * 1e6


def _run_together(processes: Sequence[subprocess.Popen[bytes]]) -> list[dict[str, float]]:
    for process in processes:
        assert process.stdout is not None  # noqa: S101  a pipe
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None  # noqa: S101  a pipe
        process.stdin.write(b"go\n")
        process.stdin.flush()
    return [json.loads(process.communicate(timeout=120)[0]) for process in processes]


async def forget(house: House, session: str) -> None:
    """End a session at the broker."""
    address = MqttAddress.parse(str(house.settings.mqtt_url))
    login = (session, str(address.username), str(address.password))
    (await Wire.open((address.host, address.port), login, clean=True)).close()


def _section(found: dict[int, list[tuple[float, float]]], messages: int) -> Section:
    speed = {way: median([run[0] for run in runs]) for way, runs in found.items()}
    titles = {1: "one vitals process", 2: "two that share (`$share`)"}
    rows = [
        [
            titles[way],
            thousands(speed[way]),
            spread([run[0] for run in found[way]]),
            f"{median([run[1] for run in found[way]]):.1f}",
            ratio(speed[way], speed[1]),
        ]
        for way in WAYS
    ]
    return Section(
        "share",
        "Two ingest processes for vitals",
        f"{messages:,} messages of one reading each, of {TERMINALS} terminals, wait at Mosquitto: in one session,"
        f" or dealt out to the two of a shared subscription. Median of {len(found[1])} rounds in turn. Broker and"
        " PostgreSQL run on the same processors, so two processes cannot be twice as fast on two cores.",
        ["way", "messages/s", "lowest–highest", "processor µs a message (these processes)", "÷ one process"],
        rows,
        [ALARMS],
    )
