"""Recordings: both forms, and what is wrong with real ones."""

from datetime import UTC, datetime

import pytest

from devices.recording import RecordingError, read_recording


def test_a_monitor_table() -> None:
    recording = read_recording(
        [
            "minute,HR,ABPSys,ABPDias,ABPMean,PULSE,RESP,SpO2,NBPSys,NBPDias,NBPMean\n",
            "2,0.0,0.0,0.0,0.0,,,,,,\n",
            "0,62.8,0.0,0.0,0.0,12.7,14.6,96.0,120.0,72.0,89.0\n",
            "1,,,,,55,,x,,,\n",
            "3,,,,,,,,,,\n",
        ]
    )
    assert [moment.seconds for moment in recording.moments] == [0, 60, 120]
    assert recording.moments[0].readings == (
        {"kind": "heart_rate", "value": 62.8},
        {"kind": "spo2", "value": 96.0},
        {"kind": "respiratory_rate", "value": 14.6},
        {"kind": "blood_pressure", "systolic": 120.0, "diastolic": 72.0},  # the cuff, not the line
    )
    assert recording.moments[1].readings == ({"kind": "heart_rate", "value": 55.0},)
    assert recording.moments[2].readings == (
        {"kind": "heart_rate", "value": 0.0},
        {"kind": "blood_pressure", "systolic": 0.0, "diastolic": 0.0},
    )
    assert recording.columns_left_out == ("ABPMean", "NBPMean")
    assert (recording.unreadable_cells, recording.readings, recording.seconds) == (1, 7, 120)


def test_a_plain_table() -> None:
    recording = read_recording(
        [
            "at,kind,value,unit\n",
            "2026-11-22T16:05:00+08:00,glucose,101,mg/dL\n",
            "2026-11-22T08:00:00Z,spo2,97,\n",
            "2026-11-22T08:00:00Z,blood_pressure,138/72,\n",
            "2026-11-22T08:00:00Z,temperature,,\n",
            "2026-11-22T08:00:00Z,blood_pressure,138,\n",
        ]
    )
    assert recording.started_at == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert [(m.seconds, m.readings) for m in recording.moments] == [
        (
            0,
            (
                {"kind": "spo2", "value": 97.0},
                {"kind": "blood_pressure", "systolic": 138.0, "diastolic": 72.0},
            ),
        ),
        (300, ({"kind": "glucose", "value": 101.0, "unit": "mg/dL"},)),
    ]
    assert recording.unreadable_cells == 1


def test_more_readings_at_one_time_than_a_message_holds() -> None:
    rows = ["2026-11-22T08:00:00Z,steps,1\n"] * 1_100
    recording = read_recording(["at,kind,value\n", *rows])
    assert [len(moment.readings) for moment in recording.moments] == [500, 500, 100]


@pytest.mark.parametrize(
    ("header", "rows", "seconds"),
    [
        ("Time (s),HR (bpm),%SpO2", ["0,62,97", "1,63,98", "2,64,97"], [0, 1, 2]),
        ("Elapsed_min;dropped,Heart Rate,SpO2", ["0,62,97"], None),
        ("timestamp,hr,spo2", ["2026-11-22T08:00:00Z,62,97", "2026-11-22T08:00:07Z,63,98"], [0, 7]),
        ("datetime,PR,SaO2", ["2026-11-22 08:00:00,62,97", "2026-11-22 09:00:00,63,98"], [0, 3600]),
        ("time,pulse,O2Sat", ["00:00:05,62,97", "00:01:30.5,63,98"], [5, 90.5]),
        ("hour,HR,SpO2", ["0.5,62,97"], [1800]),
        ("time_ms,HR,SpO2", ["500,62,97"], [0.5]),
        ("minute,hr,spo2", ["7,62,97", "3,63,98", "5.5,61,97"], [180, 330, 420]),
    ],
)
def test_other_columns_and_other_rates(header: str, rows: list[str], seconds: list[float] | None) -> None:
    lines = [f"{line}\n" for line in (header, *rows)]
    if seconds is None:
        with pytest.raises(RecordingError, match="header"):
            read_recording(lines)
        return
    recording = read_recording(lines)
    assert [moment.seconds for moment in recording.moments] == seconds
    kinds = {reading["kind"] for moment in recording.moments for reading in moment.readings}
    assert kinds == {"heart_rate", "spo2"}


def test_pressures_by_other_names() -> None:
    recording = read_recording(["second,SBP,DBP,Temp (C),Glucose\n", "0,128,72,36.6,5.6\n"])
    assert recording.moments[0].readings == (
        {"kind": "temperature", "value": 36.6},
        {"kind": "glucose", "value": 5.6},
        {"kind": "blood_pressure", "systolic": 128.0, "diastolic": 72.0},
    )


def test_times_written_in_two_ways_are_refused() -> None:
    with pytest.raises(RecordingError, match="different ways"):
        read_recording(["time,HR\n", "5,62\n", "2026-11-22T08:00:00Z,63\n"])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "header"),
        (["a,b\n", "1,2\n"], "header"),
        (["minute,HR\n"], "not a single reading"),
        (["minute,HR\n", "one,60\n"], "line 2"),
        (["at,kind,value\n", "noon,spo2,97\n"], "line 2: at is not a time"),
        (["at,kind,value\n", "2026-11-22T08:00:00,spo2,97\n"], "offset"),
    ],
)
def test_what_is_no_recording(lines: list[str], message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        read_recording(lines)
