"""Runs ``guoyuan up`` with small programs in place of the application's processes (a script, not a test).

``dummies.py up`` is the supervisor; ``dummies.py <name>`` is one of the small programs.
"""

import os
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import typer

from ops.cli import processes
from ops.stack import application

REAL = ("broker",)


class Alive(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        return


def serve() -> None:
    HTTPServer(("127.0.0.1", int(os.environ["GUOYUAN_API_PORT"])), Alive).serve_forever()


def stay() -> None:
    while True:
        time.sleep(3600)


def die() -> None:
    sys.exit("I cannot live")


def up() -> None:
    real: Callable[..., list[str]] = application.guoyuan

    def replaced(*arguments: str) -> list[str]:
        if arguments[0] in REAL:
            return real(*arguments)
        return [sys.executable, str(Path(__file__)), *arguments]

    application.guoyuan = replaced
    try:
        processes.up(simulate=True)
    except typer.Exit as exit_:
        sys.exit(exit_.exit_code)


if __name__ == "__main__":
    broken = os.environ.get("DUMMY_BROKEN", "").split(",")
    name = sys.argv[1]
    if name == "up":
        up()
    elif name in broken:
        die()
    elif name == "api":
        serve()
    elif name not in ("demo", "migrate"):
        stay()
