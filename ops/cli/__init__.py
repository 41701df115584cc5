"""The command line ``guoyuan``: one line a command.

A command's module is imported when that command runs: the broker's process needs no web framework, and
``guoyuan status`` answers at once.
"""

import typer

from ops.cli.lazy import LazyCommands

app = typer.Typer(
    cls=LazyCommands,
    name="guoyuan",
    help="果园：县域居家照护平台。 Guoyuan, the open platform a county runs its home care on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # locals may hold personal data, and a log wants plain lines
)

# name → "module:function" of a command, or "module:app" of a group of commands.
LazyCommands.register("up", "ops.cli.processes:up")
LazyCommands.register("status", "ops.cli.processes:status")
LazyCommands.register("doctor", "ops.cli.doctor:doctor")
LazyCommands.register("migrate", "ops.cli.migrate:migrate_command")
LazyCommands.register("api", "ops.cli.api:api")
LazyCommands.register("ingest", "ops.cli.ingest:ingest")
LazyCommands.register("worker", "ops.cli.worker:worker")
LazyCommands.register("broker", "ops.cli.broker:app")
LazyCommands.register("demo", "ops.cli.demo:app")
LazyCommands.register("simulate", "ops.cli.simulate:simulate")
LazyCommands.register("replay", "ops.cli.replay:replay")
LazyCommands.register("watch", "ops.cli.watch:watch")
LazyCommands.register("openapi", "ops.cli.openapi:openapi")
LazyCommands.register("terminals", "ops.cli.registry:app")
LazyCommands.register("create-admin", "ops.cli.admin:create_admin")
LazyCommands.register("vendors", "ops.cli.vendors:app")
LazyCommands.register("retention", "ops.cli.retention:retention")


@app.callback()
def guoyuan() -> None:
    """果园：县域居家照护平台。 Guoyuan, the open platform a county runs its home care on."""
