"""What is wrong with a terminal, by tables: own rhythm, hints, interruptions of ours, flapping, hysteresis."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.supervision.faults import OFFLINE, Facts, FaultKey, Findings, Memory, Stream, examine, late_at
from services.supervision.figures import FIGURES
from services.supervision.models import FaultKind

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
BATTERY, SIGNAL, TAMPER = (
    FaultKey(FaultKind.LOW_BATTERY),
    FaultKey(FaultKind.WEAK_SIGNAL),
    FaultKey(FaultKind.TAMPER),
)
HEART = FaultKey(FaultKind.SENSOR_OFF, "heart_rate")


def ago(**duration: float) -> datetime:
    return NOW - timedelta(**duration)


def facts(**known: object) -> Facts:
    """A home terminal in good order: heartbeat 5 min, silent at 30 min, listened to since a day."""
    ordinary: dict[str, object] = {
        "bound_at": ago(days=30),
        "listening_since": ago(days=1),
        "heartbeat": timedelta(minutes=5),
        "inactivity": timedelta(minutes=30),
        "battery_low": 20,
        "signal_weak": -100,
        "is_online": True,
        "state_at": ago(minutes=1),
    }
    return Facts(**(ordinary | known))  # type: ignore[arg-type]


def look(
    seen: Facts, live: set[FaultKey] | None = None, memory: Memory | None = None, now: datetime = NOW
) -> Findings:
    return examine(seen, memory or Memory(), frozenset(live or ()), now, FIGURES)


@pytest.mark.parametrize(
    ("seen", "rhythms", "late"),
    [
        # Without a rhythm the profile's time-out.
        (facts(), {}, ago(minutes=1) + timedelta(minutes=30)),
        # One of ten seconds without heartbeats: three minutes, although the profile gives it thirty.
        (
            facts(is_online=None, state_at=None, streams={"spo2": Stream(ago(seconds=5), None)}),
            {"spo2": 10},
            ago(seconds=5) + timedelta(minutes=3),
        ),
        # The same with heartbeats: it may be alive and not worn, so the heartbeat must be late as well.
        (
            facts(state_at=ago(minutes=2), streams={"spo2": Stream(ago(seconds=5), None)}),
            {"spo2": 10},
            ago(minutes=2) + timedelta(minutes=7.5),
        ),
        # One of fifteen minutes without heartbeats, under a profile of five: its own time, six intervals.
        (
            facts(
                inactivity=timedelta(minutes=5),
                is_online=None,
                state_at=None,
                streams={"steps": Stream(ago(minutes=4), None)},
            ),
            {"steps": 900},
            ago(minutes=4) + timedelta(minutes=90),
        ),
        # Slow readings do not make a terminal with heartbeats slower.
        (facts(streams={"steps": Stream(ago(minutes=40), None)}), {"steps": 3600}, ago(minutes=1, seconds=-1800)),
        # Silence never counts from before ingest listened, nor from before the terminal was bound.
        (facts(state_at=ago(hours=5), listening_since=ago(minutes=2)), {}, ago(minutes=2, seconds=-1800)),
        (facts(state_at=None, is_online=None, bound_at=ago(minutes=3)), {}, ago(minutes=3, seconds=-1800)),
        # A last will brings it forward; an alarm or a reading afterwards takes that back.
        (facts(is_online=False, state_at=ago(seconds=10)), {}, ago(seconds=10) + timedelta(seconds=90)),
        (
            facts(is_online=False, state_at=ago(seconds=10), alarm_at=ago(seconds=5)),
            {},
            ago(seconds=5) + timedelta(minutes=30),
        ),
        # Last wills that came out of a restart of ours do not.
        (
            facts(is_online=False, state_at=ago(seconds=10), listening_since=ago(seconds=20)),
            {},
            ago(seconds=20) + timedelta(minutes=30),
        ),
        # One that has been heard since then has really left: by a status, or by whatever else it said.
        (
            facts(
                is_online=False,
                state_at=ago(seconds=10),
                greeted_at=ago(seconds=15),
                listening_since=ago(seconds=20),
            ),
            {},
            ago(seconds=10) + timedelta(seconds=90),
        ),
        (
            facts(
                is_online=False,
                state_at=ago(seconds=10),
                alarm_at=ago(seconds=15),
                listening_since=ago(seconds=20),
            ),
            {},
            ago(seconds=10) + timedelta(seconds=90),
        ),
        (
            facts(
                is_online=False,
                state_at=ago(seconds=10),
                greeted_at=ago(seconds=25),
                listening_since=ago(seconds=20),
            ),
            {},
            ago(seconds=20) + timedelta(minutes=30),
        ),
        # A meter that speaks when it is used has no silence.
        (facts(inactivity=None, state_at=ago(days=9)), {}, None),
    ],
)
def test_when_a_terminal_is_late(seen: Facts, rhythms: dict[str, float], late: datetime | None) -> None:
    assert late_at(seen, Memory(rhythms=rhythms), FIGURES) == late


def test_a_silent_terminal_is_one_fault_and_is_looked_at_when_it_would_be_late() -> None:
    on_time = look(facts(state_at=ago(minutes=29)))
    assert (on_time.opened, on_time.next_check_at) == ([], NOW + timedelta(minutes=1))
    late = look(facts(state_at=ago(minutes=30)))
    assert late.opened == [OFFLINE]
    assert look(facts(state_at=ago(minutes=31)), {OFFLINE}).opened == []


def test_one_that_was_never_heard_since_it_was_bound_is_late_too() -> None:
    assert look(facts(is_online=None, state_at=None, bound_at=ago(minutes=31))).opened == [OFFLINE]


def test_it_ends_only_after_a_steady_while_with_a_second_message() -> None:
    memory = Memory()
    heard = facts(state_at=NOW, is_online=True)
    assert look(heard, {OFFLINE}, memory).cleared == []
    later = NOW + timedelta(minutes=10)
    assert look(heard, {OFFLINE}, memory, later).cleared == [], "one message only"
    again = replace(heard, state_at=NOW + timedelta(minutes=5))
    assert look(again, {OFFLINE}, memory, later).cleared == [OFFLINE]


def test_coming_and_going_does_not_end_it() -> None:
    memory, now, cleared = Memory(), NOW, []
    for _ in range(30):
        now += timedelta(minutes=4)
        seen = facts(state_at=now, is_online=True, went_away_at=now - timedelta(minutes=2))
        cleared += look(seen, {OFFLINE}, memory, now).cleared
        away = replace(seen, is_online=False, state_at=now + timedelta(minutes=2))
        cleared += look(away, {OFFLINE}, memory, now + timedelta(minutes=2)).cleared
    assert cleared == []
    seen = replace(seen, state_at=now + timedelta(minutes=11))
    look(seen, {OFFLINE}, memory, now + timedelta(minutes=11))
    settled = replace(seen, state_at=now + timedelta(minutes=16))
    assert look(settled, {OFFLINE}, memory, now + timedelta(minutes=22)).cleared == [OFFLINE]


def test_a_goodbye_between_two_looks_begins_the_steady_while_anew() -> None:
    memory = Memory()
    look(facts(state_at=NOW), {OFFLINE}, memory)
    left = NOW + timedelta(minutes=4)
    seen = facts(state_at=NOW + timedelta(minutes=9), went_away_at=left)
    assert look(seen, {OFFLINE}, memory, NOW + timedelta(minutes=10)).cleared == []
    steady = replace(seen, state_at=NOW + timedelta(minutes=19))
    assert look(steady, {OFFLINE}, memory, NOW + timedelta(minutes=20)).cleared == [OFFLINE]


def test_a_sensor_that_stays_away_while_its_terminal_speaks() -> None:
    memory = Memory(rhythms={"heart_rate": 10})
    silent = Stream(ago(minutes=4), ago(minutes=4))
    assert look(facts(streams={"heart_rate": silent}), memory=memory).opened == [HEART]
    no_data = Stream(ago(seconds=5), ago(minutes=4))
    assert look(facts(streams={"heart_rate": no_data}), memory=memory).opened == [HEART]
    good = Stream(ago(seconds=5), ago(seconds=5))
    assert look(facts(streams={"heart_rate": good}), memory=memory).opened == []


def test_a_sensor_is_not_blamed_for_a_silent_terminal() -> None:
    memory = Memory(rhythms={"heart_rate": 10})
    silent = {"heart_rate": Stream(ago(minutes=4), ago(minutes=4))}
    found = look(facts(state_at=ago(minutes=3), streams=silent), memory=memory)
    assert found.opened == [], "nothing was heard after it was late: it may be the terminal"
    gone = look(facts(state_at=ago(hours=1), streams={"heart_rate": Stream(ago(hours=1), None)}), memory=memory)
    assert gone.opened == [OFFLINE]


def test_a_slow_sensor_has_its_own_time() -> None:
    memory = Memory(rhythms={"temperature": 900})
    seen = facts(streams={"temperature": Stream(ago(minutes=20), ago(minutes=20))})
    assert look(seen, memory=memory).opened == []


def test_a_kind_without_rhythm_is_not_missed() -> None:
    assert look(facts(streams={"systolic_bp": Stream(ago(days=2), ago(days=2))})).opened == []


def test_a_sensor_switched_off_counts_when_it_lasts() -> None:
    memory = Memory()
    off = facts(sensors={"heart_rate": "off"})
    first = look(off, memory=memory)
    assert (first.opened, first.next_check_at) == ([], NOW + timedelta(minutes=2))
    assert look(off, memory=memory, now=NOW + timedelta(minutes=2)).opened == [HEART]
    on = facts(sensors={"heart_rate": "on"})
    brief = Memory()
    look(off, memory=brief)
    look(on, memory=brief, now=NOW + timedelta(minutes=1))
    assert look(off, memory=brief, now=NOW + timedelta(minutes=3)).opened == []


@pytest.mark.parametrize(
    ("battery", "live", "opened", "may_clear"),
    [
        (21, False, False, False),
        (20, False, True, False),
        (5, False, True, False),
        (29, True, False, False),
        (30, True, False, True),
        (100, True, False, True),
        (None, True, False, False),
    ],
)
def test_battery_with_hysteresis(battery: int | None, live: bool, opened: bool, may_clear: bool) -> None:
    memory = Memory()
    found = look(facts(battery=battery, state_at=NOW), {BATTERY} if live else set(), memory)
    assert (BATTERY in found.opened) is opened
    assert (BATTERY.name in memory.steady) is may_clear


def test_a_weak_signal_must_last_and_a_moment_of_it_is_nothing() -> None:
    memory = Memory()
    assert look(facts(signal=-105), memory=memory).opened == []
    assert look(facts(signal=-105), memory=memory, now=NOW + timedelta(minutes=15)).opened == [SIGNAL]
    memory = Memory()
    look(facts(signal=-105), memory=memory)
    look(facts(signal=-80), memory=memory, now=NOW + timedelta(minutes=5))
    assert look(facts(signal=-105), memory=memory, now=NOW + timedelta(minutes=15)).opened == []


def test_tamper_is_a_fault_at_once() -> None:
    assert look(facts(tamper=True)).opened == [TAMPER]
    assert look(facts(tamper=False)).opened == []


def test_what_a_person_cleared_is_not_opened_again_before_it_was_right_or_for_days() -> None:
    memory = Memory(excused={OFFLINE.name: NOW})
    gone = facts(state_at=ago(hours=3))
    assert look(gone, memory=memory).opened == []
    assert look(gone, memory=memory, now=NOW + FIGURES.excused).opened == [OFFLINE]
    memory = Memory(excused={OFFLINE.name: NOW})
    look(facts(state_at=NOW), memory=memory)
    assert look(facts(state_at=NOW), memory=memory, now=NOW + timedelta(hours=1)).opened == [OFFLINE]


moments = st.integers(0, 200_000).map(lambda seconds: ago(seconds=seconds))


@given(
    state_at=st.none() | moments,
    is_online=st.none() | st.booleans(),
    alarm_at=st.none() | moments,
    since=moments,
    stream=st.none() | moments,
    rhythm=st.none() | st.floats(0.1, 3600),
    battery=st.none() | st.integers(0, 100),
    live=st.sets(st.sampled_from([OFFLINE, BATTERY, HEART, TAMPER])),
)
def test_whatever_the_facts(
    state_at: datetime | None,
    is_online: bool | None,
    alarm_at: datetime | None,
    since: datetime,
    stream: datetime | None,
    rhythm: float | None,
    battery: int | None,
    live: set[FaultKey],
) -> None:
    """It is looked at again later, nothing live opens twice, and the memory survives being stored."""
    memory = Memory(rhythms={} if rhythm is None else {"heart_rate": rhythm})
    seen = facts(
        state_at=state_at,
        is_online=is_online,
        alarm_at=alarm_at,
        listening_since=since,
        battery=battery,
        streams={} if stream is None else {"heart_rate": Stream(stream, None)},
    )
    found = look(seen, live, memory)
    assert NOW < found.next_check_at <= NOW + FIGURES.check_at_most
    assert not live & set(found.opened)
    assert set(found.cleared) <= live
    stored = msgspec.convert(msgspec.json.decode(msgspec.json.encode(found.memory)), Memory)
    assert stored == found.memory
