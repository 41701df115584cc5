"""``guoyuan openapi``: the description of the HTTP interface, without starting it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from api.app import create_app
from services.core.settings import Settings


def openapi(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="写入文件。 Write to this file.")
    ] = None,
) -> None:
    """输出 OpenAPI 文档。 Print the OpenAPI document as JSON."""
    # The document depends on the code alone: nobody's environment can change it.
    document = create_app(Settings(_env_file=None, mode="demo")).openapi()
    text = json.dumps(document, ensure_ascii=False, indent=2)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", "utf-8")
