"""Structured logs. Call sites log ids, kinds and counts; never names, numbers, readings or payloads."""

import contextlib
import io
import logging
import sys
from typing import TextIO, cast

import structlog

from services.core.settings import Settings


class _StandardError(io.TextIOBase):
    """Whatever standard error is at the moment of writing; a log that cannot be written must not stop the work."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def configure_logging(settings: Settings, process: str) -> None:
    """One line an event on standard error: JSON in production, readable otherwise."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    renderer: structlog.typing.Processor
    if settings.log_json or settings.mode == "production":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(name)s %(message)s")
