"""What the database says at the end, compared with what the people and terminals remember."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg

from tests.faults.people import Household, Screen
from tests.faults.wearers import Wearer, all_pressed

_UNFINISHED = """
    SELECT (SELECT count(*) FROM outbox WHERE position IS NULL OR relayed_at IS NULL)
         + (SELECT count(*) FROM outbox_delivery WHERE done_at IS NULL)
         + (SELECT count(*) FROM downlink WHERE sent_at IS NULL)
"""


async def unfinished(connection: asyncpg.Connection) -> int:
    """Events not relayed, deliveries not done, messages not sent down."""
    return int(await connection.fetchval(_UNFINISHED))


async def last_position(connection: asyncpg.Connection, centre_id: UUID) -> int:
    """The newest event of a centre."""
    return int(
        await connection.fetchval("SELECT coalesce(max(position), 0) FROM outbox WHERE centre_id = $1", centre_id)
    )


async def check_readings(connection: asyncpg.Connection, wearers: Sequence[Wearer]) -> int:
    """Every reading is there exactly once; returns how many."""
    rows = await connection.fetch("SELECT terminal_id, kind, measured_at, value, clock_corrected FROM reading")
    stored = Counter((row["terminal_id"], row["kind"], row["measured_at"]) for row in rows)
    expected = {key: value for wearer in wearers for key, value in wearer.measured.items()}
    assert not any(row["clock_corrected"] for row in rows)
    assert set(expected) - set(stored) == set(), "readings lost"
    assert set(stored) - set(expected) == set(), "readings that nobody measured"
    assert [key for key, times in stored.items() if times > 1] == [], "readings doubled"
    assert {(r["terminal_id"], r["kind"], r["measured_at"]): r["value"] for r in rows} == expected
    return len(rows)


async def check_alarms(connection: asyncpg.Connection, wearers: Sequence[Wearer]) -> int:
    """Every press is exactly one occurrence of an alert of its resident and kind; returns how many."""
    rows = await connection.fetch(
        "SELECT o.terminal_id, o.alarm_id, a.kind, a.resident_id FROM alert_occurrence o"
        " JOIN alert a ON a.id = o.alert_id"
    )
    stored = Counter((row["terminal_id"], row["alarm_id"]) for row in rows)
    pressed = all_pressed(wearers)
    assert set(pressed) - set(stored) == set(), "alarms lost"
    assert set(stored) - set(pressed) == set(), "alarms that nobody pressed"
    assert [key for key, times in stored.items() if times > 1] == [], "alarms doubled"
    residents = {wearer.terminal_id: wearer.resident_id for wearer in wearers}
    for row in rows:
        assert row["kind"] == pressed[row["terminal_id"], row["alarm_id"]]
        assert row["resident_id"] == residents[row["terminal_id"]]
    return len(rows)


async def check_alerts(connection: asyncpg.Connection) -> int:
    """No alert is missing, doubled or silent: each counts its presses, climbs, was announced; returns how many."""
    alerts = await connection.fetch(
        "SELECT a.id, a.resident_id, a.kind, a.status, a.received_at, a.resolved_at, a.occurrences,"
        " (SELECT count(*) FROM alert_occurrence o WHERE o.alert_id = a.id) AS presses,"
        " (SELECT count(*) FROM escalation e WHERE e.alert_id = a.id) AS ladders,"
        " (SELECT count(*) FROM outbox e WHERE e.name = 'alert.opened'"
        "   AND e.payload ->> 'alert_id' = a.id::text) AS opened,"
        " (SELECT count(*) FROM outbox e WHERE e.name = 'alert.repeated'"
        "   AND e.payload ->> 'alert_id' = a.id::text) AS repeated"
        " FROM alert a ORDER BY a.resident_id, a.kind, a.received_at, a.id"
    )
    for alert in alerts:
        about = dict(alert)
        assert alert["presses"] == alert["occurrences"] >= 1, about
        assert alert["ladders"] == 1, about
        assert alert["opened"] == 1, about
        assert alert["repeated"] == alert["presses"] - 1, about
    for earlier, later in pairwise(alerts):
        if (earlier["resident_id"], earlier["kind"]) == (later["resident_id"], later["kind"]):
            assert earlier["resolved_at"] is not None, f"two live alerts: {dict(earlier)}, {dict(later)}"
    return len(alerts)


async def check_orders(connection: asyncpg.Connection, households: Sequence[Household]) -> int:
    """Every order that was answered with 201 exists once, and none beside them; returns how many."""
    answered = [order_id for household in households for order_id in household.placed.values()]
    assert len(set(answered)) == len(answered), "two keys, one order"
    rows = await connection.fetch(
        "SELECT o.id::text, (SELECT count(*) FROM outbox e WHERE e.name = 'order.placed'"
        " AND e.payload ->> 'order_id' = o.id::text) AS announced FROM service_order o"
    )
    assert {row["id"] for row in rows} == set(answered)
    assert all(row["announced"] == 1 for row in rows)
    return len(rows)


async def check_events(connection: asyncpg.Connection, screen: Screen, centre_id: UUID) -> int:
    """The screen saw what the table holds, all of it, once and in order; returns how many."""
    rows = await connection.fetch(
        "SELECT position, name, centre_id, payload, relayed_at FROM outbox ORDER BY position"
    )
    assert all(row["position"] is not None and row["relayed_at"] is not None for row in rows)
    assert len({row["position"] for row in rows}) == len(rows)
    told = [(row["position"], row["name"]) for row in rows if row["centre_id"] == centre_id]
    _same_story([(event.position, event.name) for event in screen.seen], told)
    return len(told)


def _same_story(seen: list[tuple[int, str]], told: list[tuple[int, str]]) -> None:
    missed = sorted(set(told) - set(seen))
    assert missed == [], f"events that the screen never saw: {missed[:10]}"
    doubled = [event for event, times in Counter(seen).items() if times > 1]
    assert doubled == [], f"events that the screen saw twice: {doubled[:10]}"
    assert seen == told, "events out of order"


async def check_nothing_set_aside(connection: asyncpg.Connection) -> None:
    """No message became a dead letter and no handler was given up."""
    letters = await connection.fetch("SELECT code, topic FROM dead_letter")
    assert [dict(letter) for letter in letters] == []
    failed: Any = await connection.fetchval("SELECT count(*) FROM outbox_delivery WHERE failed_at IS NOT NULL")
    assert failed == 0
