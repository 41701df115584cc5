"""A log that cannot be written stops nothing; one that can is written where standard error is now."""

import io
import sys

import pytest
import structlog

from services.core.logs import configure_logging
from services.core.settings import Settings


def test_a_closed_standard_error_stops_nothing(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    kept = structlog.get_config()
    try:
        closed, after = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stderr", closed)
        configure_logging(settings, "test")
        log = structlog.get_logger("test")
        closed.close()
        log.warning("nobody_reads_this")
        monkeypatch.setattr(sys, "stderr", after)
        log.warning("somebody_reads_this")
        assert "somebody_reads_this" in after.getvalue()
    finally:
        structlog.configure(**kept)
