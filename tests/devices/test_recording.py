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
