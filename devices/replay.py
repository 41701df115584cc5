"""Plays a recording through one terminal, by the protocol, until every receipt has come."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from devices.recording import Recording
from devices.terminal import Counters, wire_time
from devices.terminal_driver import TerminalDriver

BACKLOG = 1_000
"""Messages without a receipt at most: the terminal's ring must not drop part of the recording."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """``complete``: every message was receipted or refused. Times are the first and last in the messages."""

    complete: bool
    counters: Counters
    first_at: datetime
    last_at: datetime


async def replay_recording(
    recording: Recording,
    driver: TerminalDriver,
    *,
    start: datetime | None,
    speed: float,
    patience_seconds: float,
    on_sent: Callable[[int], None] = lambda _: None,
) -> ReplayResult:
    """Send the recording through a connected driver, ``speed`` times as fast as it was recorded.

    Readings keep the recording's spacing in their times. ``start`` is the time of the first; without it
    the last one happens now, so that nothing lies in the future. A ``speed`` of 0 sends as fast as receipts
    come. Gives up when no receipt has come for ``patience_seconds``.
    """
    loop = asyncio.get_running_loop()
    base = start or datetime.now(UTC) - timedelta(seconds=recording.seconds)
    began, offset = loop.time(), recording.moments[0].seconds
    complete = True
    for count, moment in enumerate(recording.moments, start=1):
        passed = moment.seconds - offset
        if speed > 0:
            await asyncio.sleep(max(0.0, began + passed / speed - loop.time()))
        while complete and driver.protocol.pending_vitals >= BACKLOG:
            complete = await _receipt(driver, patience_seconds)
        if not complete:
            break
        at = wire_time(base + timedelta(seconds=passed))
        driver.measure([{**reading, "at": at} for reading in moment.readings])
        on_sent(count)
    while complete and not driver.settled:
        complete = await _receipt(driver, patience_seconds)
    return ReplayResult(complete, driver.protocol.counters, base, base + timedelta(seconds=recording.seconds))


async def _receipt(driver: TerminalDriver, patience_seconds: float) -> bool:
    """Wait for any receipt; whether one came in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_seconds):
            await driver.wait_receipt()
        return True
    return False
