"""A terminal whose clock is known to be wrong: what it dates is moved to where it belongs, and stored once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from devices.alarm_lane import with_right_time
from devices.heard import clock_of
from devices.messages import Alarm, AlarmKind, StatusMessage
from services.core.actor import SYSTEM
from services.terminals import lifecycle
from services.terminals.clocks import ClockOffset, newer, offset_shift
from services.terminals.registry_models import BindRequest
from tests.devices.shelf import Shelf

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SLOW = timedelta(hours=-4)


@pytest.mark.parametrize(
    ("offset", "said", "shift"),
    [
        (None, -4 * HOUR, None),
        (timedelta(seconds=2), -4 * HOUR, None),  # a backlog of a terminal with a right clock
        (-5 * MINUTE, -6 * HOUR, None),  # as wrong as a slow way may be
        (SLOW, SLOW, 4 * HOUR),
        (SLOW, 3 * SLOW, 4 * HOUR),  # a backlog moves with its clock
        (-6 * MINUTE, -6 * MINUTE, 6 * MINUTE),
        (SLOW, timedelta(0), None),  # set right since
        (SLOW, -HOUR, None),  # a backlog from after that
        (4 * HOUR, 4 * HOUR, -4 * HOUR),
        (4 * HOUR, -HOUR, -4 * HOUR),
        (4 * HOUR, timedelta(seconds=-20), None),  # set right since
        (timedelta(days=-399), timedelta(days=-399), timedelta(days=399)),
        (timedelta(days=-20_000), timedelta(days=-20_000), None),  # has lost its time, see clock_shift
    ],
)
def test_by_how_much_a_time_moves(offset: timedelta | None, said: timedelta, shift: timedelta | None) -> None:
    clock = None if offset is None else ClockOffset(offset.total_seconds(), NOW)
    assert offset_shift(clock, NOW + said, NOW) == shift


def test_the_newest_measurement_counts() -> None:
    old, new = ClockOffset(-1.0, NOW - HOUR), ClockOffset(1.0, NOW)
    assert newer(old, new) is newer(new, old) is newer(None, new) is newer(new, None) is new


@pytest.mark.parametrize(
    ("since", "measures"),
    [
        (NOW - HOUR, True),
        (NOW - timedelta(seconds=1), False),  # it may have waited at the broker as long as ingest was away
        (None, False),  # ingest is behind
    ],
)
def test_a_status_that_may_have_waited_for_ingest_measures_no_clock(
    since: datetime | None, measures: bool
) -> None:
    status = StatusMessage("heartbeat", at=NOW - 2 * HOUR)
    assert (clock_of(status, NOW, lambda: since) is not None) is measures
    assert clock_of(StatusMessage("heartbeat", at=NOW + HOUR), NOW, lambda: since) is not None


@pytest.mark.parametrize(
    ("said", "offset", "at"),
    [
        (SLOW - MINUTE, SLOW, NOW - MINUTE),
        (timedelta(days=-20), timedelta(days=-20), NOW),
        (4 * HOUR - MINUTE, 4 * HOUR, NOW - MINUTE),
        (SLOW + timedelta(seconds=2), SLOW, NOW),  # never after its arrival
    ],
)
def test_an_alarm_is_moved_and_says_so(said: timedelta, offset: timedelta, at: datetime) -> None:
    alarm = Alarm(id="p1", kind=AlarmKind.SOS, at=NOW, time_source="server", reported_at=NOW + said)
    right = with_right_time(alarm, ClockOffset(offset.total_seconds(), NOW), NOW)
    assert (right.at, right.reported_at, right.marks) == (at, NOW + said, ("clock_corrected",))


async def stored(shelf: Shelf) -> list[Any]:
    """Sequence number, age, whether corrected, of each reading; oldest first."""
    rows = await shelf.rows(
        "SELECT seq, measured_at, clock_corrected FROM reading WHERE terminal_id = :id ORDER BY measured_at, seq"
    )
    return [(row["seq"], shelf.clock.now() - row["measured_at"], row["clock_corrected"]) for row in rows]


async def test_readings_of_a_slow_terminal_are_moved_with_their_spacing(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=20)
    slow = shelf.clock.now() + SLOW
    await shelf.status("heartbeat", slow)
    await shelf.status("heartbeat")  # without a time: clears nothing
    await shelf.measure(1, slow - MINUTE, slow)
    await shelf.measure(2, slow - 10 * HOUR, slow - 9 * HOUR)  # kept while it was away
    assert await stored(shelf) == [
        (2, 10 * HOUR, True),
        (2, 9 * HOUR, True),
        (1, MINUTE, True),
        (1, timedelta(0), True),
    ]


async def test_a_backlog_of_a_terminal_with_a_right_clock_stays(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=20)
    now = shelf.clock.now()
    await shelf.status("online", now - timedelta(seconds=1))
    await shelf.measure(1, now - 4 * HOUR, now - 3 * HOUR)
    assert await stored(shelf) == [(1, 4 * HOUR, False), (1, 3 * HOUR, False)]


async def test_the_next_status_of_a_terminal_that_was_set_right_ends_the_correction(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=20)
    now = shelf.clock.now()
    await shelf.status("heartbeat", now + SLOW)
    await shelf.measure(1, now)  # set right a moment ago
    await shelf.status("heartbeat", now)
    await shelf.measure(2, now - 6 * HOUR)
    assert await stored(shelf) == [(2, 6 * HOUR, False), (1, timedelta(0), False)]


async def test_a_repeat_is_stored_once_whatever_was_measured_in_between(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=20)
    slow = shelf.clock.now() + SLOW
    await shelf.measure(1, slow)  # before its clock was ever measured
    await shelf.status("heartbeat", slow)
    await shelf.measure(1, slow)
    await shelf.measure(2, slow, slow + MINUTE)
    once = await stored(shelf)
    assert [(seq, corrected) for seq, _, corrected in once] == [(1, False), (2, True), (2, True)]
    shelf.clock.forward(seconds=30)
    await shelf.status("heartbeat", shelf.clock.now() + SLOW - timedelta(milliseconds=250))
    await shelf.measure(2, slow, slow + MINUTE)
    await shelf.status("heartbeat", shelf.clock.now())
    await shelf.measure(2, slow, slow + MINUTE)
    assert [(seq, age - timedelta(seconds=30), corrected) for seq, age, corrected in await stored(shelf)] == once


async def test_another_process_knows_the_offset_from_the_database(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=20)
    await shelf.status("heartbeat", shelf.clock.now() + SLOW)
    await shelf.registry.reload()
    shelf.restart()
    await shelf.measure(1, shelf.clock.now() + SLOW)
    assert await stored(shelf) == [(1, timedelta(0), True)]


async def test_rules_look_at_a_live_reading_of_a_terminal_two_days_slow(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=1)
    slow = shelf.clock.now() - timedelta(days=2)
    await shelf.status("online", slow)
    for seq in range(3):
        await shelf.measure(seq, slow + seq * MINUTE, kind="glucose", value=1.7)
        shelf.clock.forward(minutes=1)
    alerts = await shelf.alerts()
    assert alerts[shelf.resident(0)]["kind"] == "glucose"


async def test_a_press_on_a_slow_terminal_is_dated_right_at_once(shelf: Shelf) -> None:
    """The copy of the alarms' process knows nothing of the greeting yet."""
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(days=3)
    now = shelf.clock.now()
    slow = now - timedelta(days=2)
    await shelf.status("online", slow)
    await shelf.press("p1", slow)
    await shelf.press("p1", slow)
    alert = (await shelf.alerts())[shelf.resident(0)]
    assert (alert["pressed_at"], alert["occurrences"]) == (now, 1)
    assert alert["detail"]["reported_at"] == slow.isoformat()
    assert alert["detail"]["marks"] == ["clock_corrected"]


async def test_a_slow_terminal_in_new_hands_speaks_for_who_wears_it(shelf: Shelf) -> None:
    one, two = shelf.resident(0), shelf.resident(1)
    await shelf.bind(one)
    shelf.clock.forward(hours=10)
    await shelf.status("heartbeat", shelf.clock.now() + SLOW)
    await shelf.unbind()
    async with shelf.database.unit_of_work(SYSTEM) as work:
        await lifecycle.bind(work, shelf.terminal_id, BindRequest(resident_id=two))
    rebound: datetime = shelf.clock.now()
    shelf.clock.forward(minutes=1)
    now = shelf.clock.now()
    await shelf.measure(1, now + SLOW - 2 * MINUTE)  # taken a minute before the change of hands
    await shelf.measure(2, now + SLOW)
    await shelf.press("p1", now + SLOW)
    worn: dict[datetime, UUID | None] = await shelf.wearers()
    assert worn == {rebound - MINUTE: one, now: two}
    assert set(await shelf.alerts()) == {two}
