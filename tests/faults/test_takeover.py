"""Two processes a lane on Mosquitto: one stands by for the alarms, both share the vitals, and members die or hang.

A broker keeps on sending to the session of a member that is gone. Nothing may be lost by that, and no alarm may
wait for anybody to be repaired.
"""

from pathlib import Path

import pytest

from ops.stack import mosquitto
from tests.faults.load import Load
from tests.faults.platform import LivingPlatform
from tests.faults.test_kills import compare
from tests.faults.waiting import until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(mosquitto.find() is None, reason="mosquitto is not installed"),
]

ALARMS = ("ingest-alarms", "ingest-alarms-2")
VITALS = ("ingest-vitals", "ingest-vitals-2")
TAKEN = "seat_taken"
TAKEOVER_SECONDS = 30.0


def seats_taken(platform: LivingPlatform, name: str) -> int:
    """How often a process has taken a seat so far, by its log."""
    return platform.parts[name].log_tail(10_000).count(TAKEN)


async def test_members_die_and_hang_and_nothing_is_lost(fault_directory: Path) -> None:
    async with LivingPlatform(fault_directory, "mosquitto", in_pairs=True) as platform, Load(platform) as load:
        await load.flows("before anything happens")
        [active] = [name for name in ALARMS if seats_taken(platform, name)]
        [standby] = set(ALARMS) - {active}

        platform.suspend(active)
        await until(
            lambda: seats_taken(platform, standby), TAKEOVER_SECONDS, lambda: f"no takeover\n{platform.logs()}"
        )
        await load.flows(f"while {active} hangs")
        platform.wake(active)
        await load.next_press()

        await platform.kill(standby)
        await load.flows(f"after the kill of {standby}")

        before = {name: seats_taken(platform, name) for name in VITALS}
        platform.suspend(VITALS[1])
        await until(
            lambda: seats_taken(platform, VITALS[0]) > before[VITALS[0]],
            TAKEOVER_SECONDS,
            lambda: f"nobody took over half of the vitals\n{platform.logs()}",
        )
        await load.flows(f"while {VITALS[1]} hangs")
        await platform.kill(VITALS[0])
        platform.wake(VITALS[1])
        await load.flows("after the kill of the other one")
        await compare(load)
