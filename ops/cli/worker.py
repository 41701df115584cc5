"""``guoyuan worker``: relays the outbox and runs what is due."""

from enum import StrEnum
from typing import Annotated

import typer

from ops.cli.signals import run_until_signal
from ops.stack.runtime import load_settings
from services.core.logs import configure_logging
from services.worker import run


class Part(StrEnum):
    """What an alarm waits for has a process of its own; everything else may wait."""

    ALARMS = "alarms"
    CHORES = "chores"
    ALL = "all"


def worker(
    part: Annotated[
        Part,
        typer.Option(
            help="alarms：事件、升级与通知；chores：其余定时任务 events, ladders and notifications, or the rest"
        ),
    ] = Part.ALL,
) -> None:
    """运行后台任务。 Relay events and run what is due until SIGTERM."""
    settings = load_settings()
    configure_logging(settings, "chores" if part is Part.CHORES else "worker")
    run_until_signal(run(settings, part.value))
