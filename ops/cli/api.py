"""``guoyuan api``: the HTTP interface as a process of its own."""

import typer
import uvicorn

from api.app import create_app
from ops.cli.signals import keep_what_is_imported
from ops.stack.ports import PortTakenError, is_free
from ops.stack.runtime import load_settings

GRACE_SECONDS = 10  # for open requests


def api() -> None:
    """运行接口。 Run the HTTP interface until SIGTERM."""
    settings = load_settings()
    if settings.database_url is None:
        raise typer.BadParameter("set GUOYUAN_DATABASE_URL, or start the stack with `guoyuan up`")
    if settings.api_port and not is_free(settings.api_port, settings.api_host):
        typer.echo(str(PortTakenError(settings.api_port, "GUOYUAN_API_PORT")), err=True)
        raise typer.Exit(1)
    application = create_app(settings)
    keep_what_is_imported()
    uvicorn.run(
        application,
        host=settings.api_host,
        port=settings.api_port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
