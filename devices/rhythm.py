"""Made-up vital signs that look like a person's: a baseline, a day's rhythm, slow noise, and illness.

For the simulator and for demonstrations only; nothing here is a clinical model. The same seed and the same
moments give the same readings.
"""

import math
import random
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from devices.terminal import wire_time
from services.core.clock import BUSINESS_ZONE


class Scenario(StrEnum):
    """What happens to the simulated people."""

    NORMAL = "normal"
    SOS = "sos"
    FALL = "fall"
    STORM = "storm"
    SENSOR_OFF = "sensor_off"
    FEVER = "fever"
    DETERIORATION = "deterioration"


Reading = Mapping[str, Any]

# Minutes between two readings of what is not measured all the time.
_PRESSURE_MINUTES: Final = 15.0
_TEMPERATURE_MINUTES: Final = 10.0
_STEPS_MINUTES: Final = 10.0
_GLUCOSE_MINUTES: Final = 300.0

_FEVER_MINUTES: Final = 40.0
_DECLINE_MINUTES: Final = 60.0
_SENSOR_PERIOD_MINUTES: Final = 15.0
_SENSOR_OFF_MINUTES: Final = 6.0


class VitalsRhythm:
    """One simulated person. ``sample`` is called with rising moments."""

    def __init__(self, seed: str, scenario: Scenario = Scenario.NORMAL) -> None:
        self._random = random.Random(seed)  # noqa: S311 - made-up people, repeatable
        draw = self._random.uniform
        self._scenario = scenario
        self._heart_rate = draw(60, 80)
        self._spo2 = draw(95.5, 98.5)
        self._systolic = draw(112, 142)
        self._diastolic = draw(66, 84)
        self._temperature = draw(36.2, 36.7)
        self._breaths = draw(13, 17)
        self._glucose = draw(4.8, 7.2)
        self._steps_an_hour = draw(120, 420)
        self._wander: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._fell_at: float | None = None
        self._day: date | None = None
        self._steps = 0.0

    def fall(self, minutes: float) -> None:
        """The person fell now: the heart races for a while."""
        self._fell_at = minutes

    def sample(self, at: datetime, minutes: float) -> list[Reading]:
        """What the terminal measures at ``at``, ``minutes`` into the scenario, in wire form.

        Heart rate, SpO2 and respiration each time; the others when their interval has passed.
        """
        local = at.astimezone(BUSINESS_ZONE)
        hour = local.hour + local.minute / 60
        day = math.cos((hour - 15) / 24 * math.tau)  # 1 in the afternoon, -1 at three in the morning
        fever = 2.4 * min(1.0, minutes / _FEVER_MINUTES) if self._scenario is Scenario.FEVER else 0.0
        decline = min(1.0, minutes / _DECLINE_MINUTES) if self._scenario is Scenario.DETERIORATION else 0.0
        off = self._scenario is Scenario.SENSOR_OFF and minutes % _SENSOR_PERIOD_MINUTES < _SENSOR_OFF_MINUTES
        rush = 28 * math.exp(-(minutes - self._fell_at) / 8) if self._fell_at is not None else 0.0
        when = wire_time(at)

        def reading(kind: str, value: float, digits: int = 0) -> Reading:
            shown = 0 if off else round(value, digits) if digits else round(value)
            return {"kind": kind, "value": shown, "at": when}

        heart_rate = self._heart_rate + 6 * day + 9 * fever + 38 * decline + rush + self._noise("hr", 4)
        readings = [
            reading("heart_rate", heart_rate),
            reading("spo2", min(100, self._spo2 - 11 * decline + self._noise("spo2", 0.7))),
            reading("respiratory_rate", self._breaths + 2 * fever + 13 * decline + self._noise("rr", 1)),
        ]
        if self._is_time("pressure", minutes, _PRESSURE_MINUTES):
            swing = 6 * day - 34 * decline + self._noise("bp", 5)
            pressure = (0, 0) if off else (round(self._systolic + swing), round(self._diastolic + 0.6 * swing))
            readings.append(
                {"kind": "blood_pressure", "systolic": pressure[0], "diastolic": pressure[1], "at": when}
            )
        if self._is_time("temperature", minutes, _TEMPERATURE_MINUTES):
            warmth = self._temperature + 0.25 * day + fever + self._noise("temperature", 0.1)
            readings.append(reading("temperature", warmth, 1))
        if self._is_time("steps", minutes, _STEPS_MINUTES):
            if self._day != local.date():
                self._day, self._steps = local.date(), 0.0
            if 6 <= hour < 21 and not decline:
                self._steps += self._steps_an_hour * _STEPS_MINUTES / 60 * self._random.uniform(0, 2)
            readings.append(reading("steps", self._steps))
        if self._is_time("glucose", minutes, _GLUCOSE_MINUTES):
            readings.append(reading("glucose", self._glucose + self._noise("glucose", 0.6), 1))
        return readings

    def _noise(self, name: str, size: float) -> float:
        """Noise with a memory, so that neighbouring readings resemble each other."""
        wander = 0.85 * self._wander.get(name, 0.0) + 0.5 * self._random.gauss(0, size)
        self._wander[name] = max(-2 * size, min(2 * size, wander))
        return self._wander[name]

    def _is_time(self, name: str, minutes: float, interval: float) -> bool:
        last = self._last.get(name)
        if last is not None and minutes - last < interval:
            return False
        self._last[name] = minutes
        return True
