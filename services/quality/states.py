"""A call back's life: due → done, or given up after the last attempt."""

from enum import StrEnum

from services.core.transitions import Transitions


class CallbackStatus(StrEnum):
    DUE = "due"
    DONE = "done"
    UNREACHABLE = "unreachable"  # as often as the rules ask for, and nobody answered


CALLBACK = Transitions[CallbackStatus](
    "callback", {CallbackStatus.DUE: frozenset({CallbackStatus.DONE, CallbackStatus.UNREACHABLE})}
)
