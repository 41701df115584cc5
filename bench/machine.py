"""What the figures were measured on: nothing that tells whose machine it is."""

import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from ops.stack import mosquitto

PACKAGES = ("asyncpg", "fastapi", "uvicorn", "uvloop", "sqlalchemy", "redis", "paho-mqtt")


def describe() -> list[str]:
    """Lines for the report: processors, memory, system, versions."""
    cores = psutil.cpu_count(logical=True)
    memory = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    broker = "Mosquitto (the installed one)" if mosquitto.find() else "the built-in broker"
    return [
        f"{cores} cores ({_processor()}), {memory:.0f} GiB of memory, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}; {packages}",
        f"PostgreSQL 18 (durable: a commit waits for the disk), Redis and {broker} on the same machine",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown"
