"""How long each step of an alert took, from its receipt on the server. Pure."""

from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, Field


class HasTimes(Protocol):
    """The chain of times, t0 to t6."""

    pressed_at: datetime
    received_at: datetime
    acknowledged_at: datetime | None
    classified_at: datetime | None
    responding_at: datetime | None
    on_scene_at: datetime | None
    resolved_at: datetime | None


class Durations(BaseModel):
    """Seconds from t1 (received); `null` while a step has not come, or was left out."""

    transport: float = Field(description="t1 − t0; t0 is by the terminal's clock, so it may be negative.")
    answer: float | None = Field(description="t2 − t1.")
    classify: float | None = Field(description="t3 − t1.")
    dispatch: float | None = Field(description="t4 − t1.")
    arrive: float | None = Field(description="t5 − t1.")
    close: float | None = Field(description="t6 − t1.")


def durations_of(times: HasTimes) -> Durations:
    """Every step's distance from the receipt."""

    def since(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - times.received_at).total_seconds()

    return Durations(
        transport=(times.received_at - times.pressed_at).total_seconds(),
        answer=since(times.acknowledged_at),
        classify=since(times.classified_at),
        dispatch=since(times.responding_at),
        arrive=since(times.on_scene_at),
        close=since(times.resolved_at),
    )
