"""Recorded vital signs read from CSV: what a terminal would have sent, with its holes and its nonsense.

Two forms. A *monitor* table has a column of time (``minute``, ``Time (s)``, ``timestamp`` …) and one column a
quantity, as bedside monitors export them, at whatever rate. A *plain* table has ``at,kind,value`` and optionally
``unit``, one reading a row. In both a blank cell is no reading, and 0 is sent as 0: judging it is the platform's
work, which is what a replay is to show.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from devices.messages import MAX_READINGS
from devices.recording_columns import MonitorColumns, monitor_columns

_PLAIN: Final = frozenset({"at", "kind", "value"})


class RecordingError(Exception):
    """The file is no recording; the message says what is missing, and in which line."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The readings of one message, without their time: ``seconds`` after the start of the recording."""

    seconds: float
    readings: tuple[Mapping[str, Any], ...]


@dataclass(slots=True)
class Recording:
    """Moments in order of time. ``started_at`` is known where rows tell a moment with its offset."""

    moments: list[Moment] = field(default_factory=list)
    started_at: datetime | None = None
    columns_left_out: tuple[str, ...] = ()
    unreadable_cells: int = 0

    @property
    def seconds(self) -> float:
        """From the first moment to the last."""
        return self.moments[-1].seconds - self.moments[0].seconds if self.moments else 0.0

    @property
    def readings(self) -> int:
        """How many readings there are in all; a blood pressure is one."""
        return sum(len(moment.readings) for moment in self.moments)


def read_recording(lines: Iterable[str]) -> Recording:
    """Read either form, told apart by its header. Raises ``RecordingError``."""
    rows = csv.DictReader(lines)
    columns = set(rows.fieldnames or ())
    if columns >= _PLAIN:
        recording = _read_plain(rows)
    elif (known := monitor_columns(rows.fieldnames or ())) is not None:
        recording = _read_monitor(rows, columns, known)
    else:
        raise RecordingError("the header needs a column of time, such as `minute`, or `at`, `kind` and `value`")
    if not recording.moments:
        raise RecordingError("there is not a single reading in it")
    return recording


def _read_monitor(rows: Iterable[Mapping[str, Any]], columns: set[str], known: MonitorColumns) -> Recording:
    recording = Recording(columns_left_out=tuple(sorted(columns - known.used)))
    timed: list[tuple[float | datetime, tuple[Mapping[str, Any], ...]]] = []
    for line, row in enumerate(rows, start=2):
        try:
            at = known.time.read(row.get(known.time.name) or "")
        except ValueError:
            raise RecordingError(f"line {line}: {known.time.name} is neither a number nor a time") from None
        readings = tuple(_monitor_readings(row, known, recording))
        if readings:
            timed.append((at, readings))
    for seconds, readings in _from_start(timed, recording):
        recording.moments.append(Moment(seconds, readings))
    recording.moments.sort(key=lambda moment: moment.seconds)
    return recording


def _from_start(
    timed: list[tuple[float | datetime, tuple[Mapping[str, Any], ...]]], recording: Recording
) -> Iterator[tuple[float, tuple[Mapping[str, Any], ...]]]:
    """Seconds of each row: as they are, or since the first moment where the rows carry moments."""
    moments = [at for at, _ in timed if isinstance(at, datetime)]
    if moments and (len(moments) < len(timed) or len({at.tzinfo is None for at in moments}) == 2):
        raise RecordingError("the times are written in different ways")
    start = min(moments, default=None)
    if start is not None and start.tzinfo is not None:
        recording.started_at = start
    for at, readings in timed:
        if isinstance(at, datetime):
            assert start is not None  # noqa: S101  there is a moment, so there is an earliest
            yield (at - start).total_seconds(), readings
        else:
            yield at, readings


def _monitor_readings(
    row: Mapping[str, Any], known: MonitorColumns, recording: Recording
) -> Iterator[Mapping[str, Any]]:
    cells = [row.get(name) for name in known.used if name != known.time.name]
    recording.unreadable_cells += sum(bool(cell and cell.strip()) and _number(cell) is None for cell in cells)
    for kind, names in known.quantities.items():
        value = next((v for name in names if (v := _number(row.get(name))) is not None), None)
        if value is not None:
            yield {"kind": kind, "value": value}
    for high, low in known.pressures:
        systolic, diastolic = _number(row.get(high)), _number(row.get(low))
        if systolic is not None and diastolic is not None:
            yield {"kind": "blood_pressure", "systolic": systolic, "diastolic": diastolic}
            return


def _read_plain(rows: Iterable[Mapping[str, Any]]) -> Recording:
    recording = Recording()
    by_time: dict[datetime, list[Mapping[str, Any]]] = {}
    for line, row in enumerate(rows, start=2):
        at = _time(row["at"], line)
        reading = _plain_reading(row)
        if reading is not None:
            by_time.setdefault(at, []).append(reading)
        elif (row["value"] or "").strip():
            recording.unreadable_cells += 1
    if by_time:
        recording.started_at = start = min(by_time)
        for at in sorted(by_time):
            readings, seconds = by_time[at], (at - start).total_seconds()
            for first in range(0, len(readings), MAX_READINGS):
                recording.moments.append(Moment(seconds, tuple(readings[first : first + MAX_READINGS])))
    return recording


def _plain_reading(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """One row; a blood pressure is written ``138/72``."""
    kind, text = row["kind"].strip(), row["value"] or ""
    unit = (row.get("unit") or "").strip()
    extra = {"unit": unit} if unit else {}
    if kind == "blood_pressure":
        high, _, low = text.partition("/")
        systolic, diastolic = _number(high), _number(low)
        if systolic is None or diastolic is None:
            return None
        return {"kind": kind, "systolic": systolic, "diastolic": diastolic, **extra}
    value = _number(text)
    return None if value is None else {"kind": kind, "value": value, **extra}


def _time(text: str | None, line: int) -> datetime:
    try:
        at = datetime.fromisoformat((text or "").strip())
    except ValueError:
        raise RecordingError(f"line {line}: at is not a time") from None
    if at.tzinfo is None:
        raise RecordingError(f"line {line}: at has no offset from UTC")
    return at


def _number(text: str | None) -> float | None:
    try:
        value = float((text or "").strip())
    except ValueError:
        return None
    return value if math.isfinite(value) else None
