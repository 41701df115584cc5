"""Ingest: messages a second from the broker into committed rows, beside doing less or nothing with them."""

import asyncio
import json
import subprocess
from collections import defaultdict

from bench.drain import WAYS, subscribe
from bench.figures import median, ratio, spread, thousands
from bench.house import House
from bench.publisher import Sender, connect, send_all
from bench.report import Section

MESSAGES = 50_000
TERMINALS = 200
ROUNDS = 3
SECONDS = 120
AIM = 0.6

TITLES = {
    "bare": "the same messages read and acknowledged, stored nowhere",
    "copy": "the same rows by COPY, without a broker",
    "minimal": "minimal loop: decode, COPY, commit, acknowledge",
    "ours": "our vitals lane: registry, plausibility, rules, receipts",
}


async def measure(house: House) -> Section:
    """Rounds of every way in turn, the order turned round each time."""
    people = await house.people()
    centre = people["terminals"][0]["centre_id"]
    terminals = await house.terminals(TERMINALS, centre, "430121107201")
    logins = [(str(terminal.id), terminal.password) for terminal in terminals]
    await house.known_to_the_broker(terminals[-1])
    senders = await connect(house.settings.terminal_broker, logins)
    results: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(ROUNDS):
        await _round(house, senders, number, results)
    return _section(results)


async def _round(
    house: House, senders: list[Sender], number: int, results: dict[str, list[tuple[float, float]]]
) -> None:
    ways = list(WAYS) if number % 2 == 0 else list(reversed(WAYS))
    sessions = {way: f"guoyuan-bench-{way}-{number}" for way in ways}
    for way in ways:
        if way != "copy":
            await subscribe(house.settings, sessions[way])
    await send_all(senders, MESSAGES)
    for way in ways:
        connection = await house.connect()
        await connection.execute("TRUNCATE reading")
        answer = await in_a_process(house, way, sessions[way])
        if way != "bare":
            stored = await connection.fetchval("SELECT count(*) FROM reading")
            if stored != MESSAGES:
                raise RuntimeError(f"{way}: {stored} rows of {MESSAGES} messages")
        await connection.close()
        results[way].append((MESSAGES / answer["seconds"], answer["processor"] / MESSAGES * 1e6))


async def in_a_process(house: House, way: str, session: str, messages: int = MESSAGES) -> dict[str, float]:
    """Drain a session in one of the ways of ``bench/drain.py``; its ``seconds`` and ``processor`` seconds."""
    process = house.helper("bench.drain", [way, str(messages), session], stdout=subprocess.PIPE)
    output, _ = await asyncio.to_thread(process.communicate, timeout=SECONDS)
    if process.returncode != 0:
        raise RuntimeError(f"bench.drain {way} ended with code {process.returncode}")
    answer: dict[str, float] = json.loads(output)
    return answer


def _section(results: dict[str, list[tuple[float, float]]]) -> Section:
    speed = {way: median([run[0] for run in runs]) for way, runs in results.items()}
    rows = [
        [
            TITLES[way],
            thousands(speed[way]),
            spread([run[0] for run in results[way]]),
            f"{median([run[1] for run in results[way]]):.1f}",
            ratio(speed["ours"], speed[way]),
        ]
        for way in TITLES
    ]
    share = speed["ours"] / speed["minimal"]
    verdict = "met" if share >= AIM else "missed"
    return Section(
        "ingest",
        "Ingest: broker → committed rows",
        f"{MESSAGES:,} messages of one reading each, of {TERMINALS} terminals, wait in persistent sessions;"
        " then one process drains them: from connecting to the last commit and acknowledgement. Median of"
        f" {ROUNDS} rounds, the order turned round each time.",
        ["way", "messages/s", "lowest–highest", "processor µs a message (this process)", "ours ÷ this"],
        rows,
        [f"Aim: at least {AIM:.0%} of the minimal loop. {verdict.capitalize()}: {share:.0%}."],
    )
