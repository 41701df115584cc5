"""``guoyuan worker``: relays the outbox and runs what is due."""

from ops.cli.signals import run_until_signal
from ops.stack.runtime import load_settings
from services.core.logs import configure_logging
from services.worker import run


def worker() -> None:
    """运行后台任务。 Relay events and run what is due until SIGTERM."""
    settings = load_settings()
    configure_logging(settings, "worker")
    run_until_signal(run(settings))
