"""``python -m services.planning.solver``: one job on standard input, one plan on standard output, then the end.

A line ``ready`` comes first, when everything is loaded: what is compiled for the first time takes half a minute.
``--warm`` only compiles.
"""

import os
import sys

from services.planning.problem import EngineName
from services.planning.service import plan
from services.planning.wire import pack_plan, unpack_job

READY = b"ready\n"
NICE = 5


def main() -> None:
    """Solve one job, politely: serving people goes first."""
    os.nice(NICE)
    if "--warm" in sys.argv[1:]:
        load_kernel()
        return
    problem, options = unpack_job(sys.stdin.buffer.read())
    if options.engine in (EngineName.AUTO, EngineName.ANNEALING):
        load_kernel()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    sys.stdout.buffer.write(pack_plan(plan(problem, options)))
    sys.stdout.buffer.flush()


def load_kernel() -> None:
    """Load the compiled kernel, or compile it."""
    try:
        from services.planning.annealing import warm  # noqa: PLC0415  it loads a compiler
    except ImportError:
        return
    warm()


if __name__ == "__main__":
    main()
