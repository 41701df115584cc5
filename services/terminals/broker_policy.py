"""Who may connect to the broker and touch which topic: one policy for every broker.

The embedded broker asks these functions; Mosquitto's ACL file is written from the same rules
(``ops/stack/mosquitto.py``), and a clustered broker asks them over HTTP (``services/terminals/broker_access.py``).
"""

from typing import Final, Literal
from uuid import UUID

from services.terminals.states import ACTIVE
from services.terminals.topics import PREFIX, DownChannel, UpChannel

Action = Literal["publish", "subscribe"]

SERVICE_USER: Final = "guoyuan-service"
SERVICE_CLIENT_PREFIX: Final = "guoyuan-"
ALLOWED_STATES: Final = tuple(status.value for status in ACTIVE)
"""Only terminals in these may be connected; the others were never handed out or were withdrawn."""

_UP: Final = frozenset(channel.value for channel in UpChannel)
_DOWN: Final = frozenset(channel.value for channel in DownChannel)
_ANY: Final = frozenset({"+", "#"})


def is_terminal(username: str) -> bool:
    """Whether the name is a terminal's: a UUID in its canonical form (lower case, with hyphens)."""
    try:
        return str(UUID(username)) == username
    except ValueError:
        return False


def may_connect(username: str, client_id: str) -> bool:
    """Whether an account may use a client id.

    A terminal's client id is its own id, so that it can never end or inherit another one's session. The
    platform may use a terminal's to end its connection, on a broker that it reaches in no other way
    (``devices/takeover.py``).
    """
    if username == SERVICE_USER:
        return client_id.startswith(SERVICE_CLIENT_PREFIX) or is_terminal(client_id)
    return is_terminal(username) and client_id == username


def may(username: str, action: Action, topic: str) -> bool:
    """Whether an account may publish to a topic or subscribe to a filter. Everything not named here is refused."""
    levels = topic.split("/")
    if len(levels) != 5 or "/".join(levels[:2]) != PREFIX:
        return False
    owner, branch, leaf = levels[2:]
    if username == SERVICE_USER:
        if action == "publish":
            return is_terminal(owner) and branch == "down" and leaf in _DOWN
        return (owner == "+" or is_terminal(owner)) and branch == "up" and leaf in _UP | _ANY
    if not is_terminal(username) or owner != username:
        return False
    if action == "publish":
        return branch == "up" and leaf in _UP
    return branch == "down" and leaf in _DOWN | _ANY
