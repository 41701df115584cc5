"""Commands that are imported when they are used."""

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class LazyCommands(TyperGroup):
    """A group whose commands are named by ``module:attribute``; the attribute is a function or a Typer app."""

    places: ClassVar[dict[str, str]] = {}

    @classmethod
    def register(cls, name: str, place: str) -> None:
        """Add a command."""
        cls.places[name] = place

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, in the order of registration."""
        return [*self.places, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the command and turn it into what Typer runs."""
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        module, attribute = self.places[cmd_name].split(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            command = typer.main.get_command(found)
        else:
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(cmd_name)(found)
            command = typer.main.get_command(single)
        command.name = cmd_name
        return command
