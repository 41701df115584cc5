"""Waiting for what can be observed, with an end and a reason."""

import asyncio
from collections.abc import Callable

LOOK_SECONDS = 0.05


async def until(holds: Callable[[], object], seconds: float, reason: Callable[[], str]) -> None:
    """Until the condition holds; fails the test with the reason when it does not in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"after {seconds:.0f} s: {reason()}"
        await asyncio.sleep(LOOK_SECONDS)
