"""``guoyuan ingest``: takes the terminals' messages from the broker into the database."""

from enum import StrEnum
from typing import Annotated

import typer

from devices.ingest import ShareRefused, run
from ops.cli.signals import run_until_signal
from ops.stack.runtime import load_settings
from services.core.logs import configure_logging


class Lane(StrEnum):
    """Which topics. Alarms have a process and a connection of their own, so that none waits behind vitals."""

    ALARMS = "alarms"
    VITALS = "vitals"
    ALL = "all"


def ingest(
    lane: Annotated[
        Lane, typer.Option(help="alarms：报警与状态；vitals：体征 alarms and status, or vitals")
    ] = Lane.ALL,
) -> None:
    """接收终端消息。 Take the terminals' messages until SIGTERM."""
    settings = load_settings()
    configure_logging(settings, f"ingest-{lane}")
    try:
        run_until_signal(run(settings, lane.value))
    except* ShareRefused as refused:
        typer.echo(str(first_of(refused)), err=True)
        raise typer.Exit(1) from None


def first_of(group: BaseExceptionGroup[ShareRefused]) -> BaseException:
    """The first exception inside nested groups."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
