"""What the embedded broker keeps for a client: its subscriptions and the messages on their way to it."""

from collections import OrderedDict, deque
from collections.abc import Callable

from devices.mqtt_packets import Message, publish_packet

PACKET_IDS = 65_535


class Session:
    """One client's state; it outlives the connection when the client asked for that (clean session = 0)."""

    __slots__ = ("_next_id", "_queued_bytes", "clean", "client_id", "dropped", "inflight", "limits", "queue",
                 "received", "send", "subscriptions", "username")  # fmt: skip

    def __init__(self, client_id: str, username: str, *, clean: bool, limits: "Limits") -> None:
        self.client_id = client_id
        self.username = username
        self.clean = clean
        self.limits = limits
        self.subscriptions: dict[str, int] = {}
        self.inflight: OrderedDict[int, Message] = OrderedDict()  # sent with QoS 1, not yet acknowledged
        self.queue: deque[Message] = deque()
        self.received: set[int] = set()  # QoS 2 identifiers between PUBLISH and PUBREL
        self.send: Callable[[bytes], bool] | None = None  # of the present connection; False: it wants a pause
        self.dropped = 0
        self._next_id = 0
        self._queued_bytes = 0

    def deliver(self, message: Message, qos: int) -> None:
        """Send a message now, or keep it for later when it is QoS 1 and there is room.

        What is dropped here was not promised: a terminal repeats until the application's receipt arrives.
        """
        if not qos:
            if self.send is not None:
                self.send(publish_packet(message, 0, 0))
            return
        if len(self.queue) >= self.limits.messages or self._queued_bytes >= self.limits.bytes:
            self.dropped += 1
            return
        self.queue.append(message)
        self._queued_bytes += len(message.payload)
        self.pump()

    def pump(self) -> None:
        """Send what is queued while the window is open and the connection takes it."""
        while self.send is not None and self.queue and len(self.inflight) < self.limits.window:
            message = self.queue.popleft()
            self._queued_bytes -= len(message.payload)
            packet_id = self._free_id()
            self.inflight[packet_id] = message
            if not self.send(publish_packet(message, 1, packet_id)):
                return

    def acknowledge(self, packet_id: int) -> None:
        """The client has the message; an unknown identifier is a late repetition."""
        self.inflight.pop(packet_id, None)
        self.pump()

    def resume(self) -> None:
        """After a reconnect: send again, in order, what was not acknowledged, then go on (4.4)."""
        for packet_id, message in self.inflight.items():
            if self.send is not None:
                self.send(publish_packet(message, 1, packet_id, again=True))
        self.pump()

    def _free_id(self) -> int:
        while True:
            self._next_id = self._next_id % PACKET_IDS + 1
            if self._next_id not in self.inflight:
                return self._next_id


class Limits:
    """How much the broker keeps for one client."""

    __slots__ = ("bytes", "messages", "window")

    def __init__(self, *, window: int, messages: int, payload_bytes: int) -> None:
        self.window = window  # unacknowledged messages at once
        self.messages = messages
        self.bytes = payload_bytes


class Subscriptions:
    """A tree of topic filters, one level of a topic a step."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, topic_filter: str, session: Session, qos: int) -> None:
        """Subscribe, or change the QoS of a subscription."""
        node = self._root
        for level in topic_filter.split("/"):
            node = node.children.setdefault(level, _Node())
        node.sessions[session.client_id] = (session, qos)
        session.subscriptions[topic_filter] = qos

    def remove(self, topic_filter: str, session: Session) -> None:
        """Unsubscribe, and cut branches that nobody needs any more."""
        if session.subscriptions.pop(topic_filter, None) is None:
            return
        path = [self._root]
        levels = topic_filter.split("/")
        for level in levels:
            path.append(path[-1].children[level])
        path[-1].sessions.pop(session.client_id, None)
        for parent, level, node in reversed(list(zip(path, levels, path[1:], strict=False))):
            if not node.sessions and not node.children:
                del parent.children[level]

    def matching(self, topic: str) -> list[tuple[Session, int]]:
        """Who gets a message on this topic, each once, with the highest QoS of its matching filters."""
        found: dict[str, tuple[Session, int]] = {}
        nodes = [self._root]
        levels = topic.split("/")
        for level in levels:
            following: list[_Node] = []
            for node in nodes:
                node.take("#", found)
                following.extend(node.children[key] for key in (level, "+") if key in node.children)
            nodes = following
        for node in nodes:
            node.collect(found)
            node.take("#", found)  # "a/#" also matches "a" (4.7.1.2)
        return list(found.values())


class _Node:
    __slots__ = ("children", "sessions")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.sessions: dict[str, tuple[Session, int]] = {}

    def take(self, key: str, found: dict[str, tuple[Session, int]]) -> None:
        if key in self.children:
            self.children[key].collect(found)

    def collect(self, found: dict[str, tuple[Session, int]]) -> None:
        for client_id, (session, qos) in self.sessions.items():
            if client_id not in found or found[client_id][1] < qos:
                found[client_id] = (session, qos)
