"""Messages that a terminal of each kind could send now, ready to publish. See ``docs/mqtt.md``."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.core.clock import BUSINESS_ZONE
from services.terminals.models import TerminalKind

_ALARMS = {
    TerminalKind.WRISTBAND: "fall",
    TerminalKind.SMOKE_DETECTOR: "smoke",
    TerminalKind.GAS_DETECTOR: "gas",
    TerminalKind.HELP_CORD: "help_cord",
}
"""What else than ``sos`` a terminal of this kind calls for."""


def alarm_sample(kind: TerminalKind, alarm_id: UUID, now: datetime) -> dict[str, Any]:
    """A press or detection at this moment. The same ``id`` again is the same occurrence."""
    return {"id": str(alarm_id), "kind": _ALARMS.get(kind, "sos"), "at": _wire(now), "battery": 86}


def vitals_sample(kind: TerminalKind, now: datetime) -> dict[str, Any]:
    """Unremarkable readings of this moment, under a sequence number from the clock."""
    at = _wire(now)
    pressure = {"kind": "blood_pressure", "systolic": 128, "diastolic": 76, "at": at}
    heart = {"kind": "heart_rate", "value": 72, "at": at}
    saturation = {"kind": "spo2", "value": 97, "at": at}
    readings = {
        TerminalKind.WRISTBAND: [heart, saturation, {"kind": "steps", "value": 3120, "at": at}],
        TerminalKind.BEDSIDE_MONITOR: [
            heart,
            saturation,
            {"kind": "respiratory_rate", "value": 16, "at": at},
            {"kind": "temperature", "value": 36.5, "at": at},
        ],
        TerminalKind.BLOOD_PRESSURE_METER: [pressure],
        TerminalKind.GLUCOMETER: [{"kind": "glucose", "value": 6.1, "at": at}],
    }
    return {"seq": int(now.timestamp() * 1000), "readings": readings.get(kind, [heart])}


def _wire(moment: datetime) -> str:
    return moment.astimezone(BUSINESS_ZONE).isoformat(timespec="seconds")
