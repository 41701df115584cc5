"""The embedded MQTT broker: small, in memory, strict about who may do what.

MQTT 3.1.1 with QoS 0 and 1 towards subscribers (2 is accepted from publishers), persistent sessions, last wills
and keep-alive; no retained messages, no bridge, no cluster. It serves development, tests and a machine without
Mosquitto. What it holds is gone when it ends: the promise to a terminal is the application's receipt.

An account is checked before its client id touches any session, wills are held to the same topic rules as
messages, and a message stays in flight until the subscriber acknowledges it, over reconnects too.
"""

import asyncio
import contextlib
import time
from typing import cast

import structlog

from devices import mqtt_packets as mqtt
from devices.broker_gate import Gate
from devices.broker_sessions import Limits, Session, Subscriptions
from services.terminals.broker_policy import SERVICE_USER, may

logger = structlog.get_logger("guoyuan.broker")

PACKET_LIMIT = 262_144  # bytes; above the application's own limits, whose refusals are answered and recorded
CONNECT_SECONDS = 10.0  # to show a CONNECT
KEEP_ALIVE_FACTOR = 1.5  # MQTT 3.1.1, 3.1.2.10
SWEEP_SECONDS = 1.0
WITHDRAWN_SECONDS = 5.0  # how often connected terminals are checked against the table, if nothing is heard of it
GATHER_SECONDS = 0.1  # a thousand terminals changed at once are one check
DROPPED_REPORT_SECONDS = 10.0

# The ingest acknowledges after its commit, a whole batch at a time: its window holds several batches.
SERVICE_LIMITS = Limits(window=8_000, messages=200_000, payload_bytes=128 * 1024 * 1024)
TERMINAL_LIMITS = Limits(window=50, messages=1_000, payload_bytes=1024 * 1024)


class Broker:
    """Sessions, subscriptions and the listening socket."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self._subscriptions = Subscriptions()
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, host: str, port: int) -> None:
        """Listen and begin. Raises OSError when the port is in use."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port)
        self._tasks = [loop.create_task(self._sweep()), loop.create_task(self._check_accounts())]
        logger.info("broker_listening", host=host, port=port)

    async def stop(self) -> None:
        """Close all connections. No wills: it is not the terminals that went away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.close(will=False)
        await asyncio.sleep(0)

    def attach(self, connect: mqtt.Connect, connection: "Connection") -> tuple[Session, bool]:
        """The session of an admitted client, and whether it was there before; another connection of it ends."""
        old = self.sessions.get(connect.client_id)
        for other in list(self.connections):
            if old is not None and other.session is old and other is not connection:
                other.close(reason="taken over")
        if old is not None and not connect.clean and not old.clean:
            return old, True
        if old is not None:
            self.forget(old)
        limits = SERVICE_LIMITS if connect.username == SERVICE_USER else TERMINAL_LIMITS
        session = Session(connect.client_id, connect.username, clean=connect.clean, limits=limits)
        self.sessions[connect.client_id] = session
        return session, False

    def forget(self, session: Session) -> None:
        """End a session with its subscriptions and messages."""
        for topic_filter in list(session.subscriptions):
            self._subscriptions.remove(topic_filter, session)
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]

    def publish(self, username: str, message: mqtt.Message) -> None:
        """Hand a message to its subscribers, if its sender may publish it. The payload is never logged."""
        if not may(username, "publish", message.topic):
            logger.warning("publish_refused", username=username, topic=message.topic[:200])
            return
        for session, qos in self._subscriptions.matching(message.topic):
            session.deliver(message, min(qos, message.qos))

    def subscribe(self, session: Session, topic_filter: str, qos: int) -> int:
        """The granted QoS (1 at most), or 0x80."""
        if not mqtt.is_filter(topic_filter) or not may(session.username, "subscribe", topic_filter):
            logger.warning("subscribe_refused", username=session.username, topic=topic_filter[:200])
            return mqtt.SUBSCRIPTION_REFUSED
        granted = min(qos, 1)
        self._subscriptions.add(topic_filter, session, granted)
        return granted

    def unsubscribe(self, session: Session, topic_filter: str) -> None:
        """End one subscription."""
        self._subscriptions.remove(topic_filter, session)

    async def _sweep(self) -> None:
        """End connections that fell silent; say how much had to be dropped."""
        reported = time.monotonic()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for connection in list(self.connections):
                if now > connection.deadline:
                    connection.close(reason="silent")
            if now - reported > DROPPED_REPORT_SECONDS:
                reported = now
                for session in self.sessions.values():
                    if session.dropped:
                        logger.warning("messages_dropped", client_id=session.client_id, count=session.dropped)
                        session.dropped = 0

    async def _check_accounts(self) -> None:
        """End connections of terminals that were withdrawn, or given another password, meanwhile."""
        while True:
            await self.gate.wait_for_change(WITHDRAWN_SECONDS)
            await asyncio.sleep(GATHER_SECONDS)
            names = [c.session.username for c in self.connections if c.session is not None]
            gone = await self.gate.withdrawn(names)
            for connection in list(self.connections):
                if connection.session is not None and connection.session.username in gone:
                    connection.close(reason="account withdrawn", will=False)


class Connection(asyncio.Protocol):
    """One client's socket: cuts the stream into packets and answers them."""

    def __init__(self, broker: Broker) -> None:
        self.session: Session | None = None
        self.deadline = time.monotonic() + CONNECT_SECONDS
        self._broker = broker
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._writable = True
        self._admission: asyncio.Task[None] | None = None
        self._keep_alive = 0.0
        self._will: mqtt.Message | None = None
        self._handlers = {
            mqtt.PUBLISH: self._on_publish,
            mqtt.PUBACK: self._on_puback,
            mqtt.PUBREL: self._on_pubrel,
            mqtt.SUBSCRIBE: self._on_subscribe,
            mqtt.UNSUBSCRIBE: self._on_unsubscribe,
            mqtt.PINGREQ: self._on_ping,
            mqtt.DISCONNECT: self._on_disconnect,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected; it has CONNECT_SECONDS to say who it is."""
        self._transport = cast("asyncio.Transport", transport)  # what create_server makes
        self._broker.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes in; whatever they are, only this connection can suffer."""
        self._buffer += data
        self._touch()
        self._consume()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason does not change what follows
        """The socket is gone."""
        self.close()

    def pause_writing(self) -> None:
        """The client reads too slowly; its messages wait in the session."""
        self._writable = False

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable = True
        if self.session is not None:
            self.session.pump()

    def send(self, data: bytes) -> bool:
        """Write soon (packets of one moment go out together); False asks for a pause."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(data)
        return self._writable

    def close(self, *, reason: str = "", will: bool = True) -> None:
        """End the connection; a second call does nothing. The will goes out unless the client said good-bye."""
        if self not in self._broker.connections:
            return
        self._broker.connections.discard(self)
        if self._admission is not None:
            self._admission.cancel()
        self._flush()
        if self._transport is not None:
            self._transport.close()
        session, self.session = self.session, None
        if session is None:
            return
        if reason:
            logger.info("connection_closed", client_id=session.client_id, reason=reason)
        session.send = None
        if session.clean:
            self._broker.forget(session)
        if will and self._will is not None:
            self._broker.publish(session.username, self._will)

    def _flush(self) -> None:
        if self._out and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _touch(self) -> None:
        if self.session is not None:
            self.deadline = time.monotonic() + self._keep_alive if self._keep_alive else float("inf")

    def _consume(self) -> None:
        position = 0
        try:
            while self._admission is None and self in self._broker.connections:
                if self.session is None and self._buffer and self._buffer[0] != mqtt.CONNECT << 4:
                    raise mqtt.ProtocolError("the first packet is not CONNECT")
                found = mqtt.header(self._buffer, position)
                if found is None:
                    break
                first, start, length = found
                if length > PACKET_LIMIT:
                    raise mqtt.ProtocolError(f"a packet of {length} bytes")
                if len(self._buffer) < start + length:
                    break
                position = start + length
                self._handle(first, bytes(self._buffer[start:position]))
        except mqtt.WrongProtocolError:
            self.send(mqtt.connack(mqtt.WRONG_PROTOCOL))
            self.close(reason="not MQTT 3.1.1")
        except mqtt.ProtocolError as error:
            logger.warning("protocol_error", error=str(error), client_id=self.session and self.session.client_id)
            self.close(reason="protocol error")
        finally:
            del self._buffer[:position]

    def _handle(self, first: int, body: bytes) -> None:
        kind, flags = first >> 4, first & 0x0F
        if self.session is None:
            self._admission = asyncio.get_running_loop().create_task(self._admit(mqtt.read_connect(body)))
            return
        handler = self._handlers.get(kind)
        # PUBREL, SUBSCRIBE and UNSUBSCRIBE carry the flags 0010, PUBLISH its own, all others none (2.2.2).
        wanted = 2 if kind in (mqtt.PUBREL, mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE) else 0
        if handler is None or (kind != mqtt.PUBLISH and flags != wanted):
            raise mqtt.ProtocolError(f"packet type {kind} with flags {flags}")
        handler(self.session, flags, body)

    async def _admit(self, connect: mqtt.Connect) -> None:
        if self._transport is None:
            return
        self._transport.pause_reading()
        code = await self._broker.gate.admit(connect)
        self._admission = None
        if code != mqtt.ACCEPTED:
            logger.warning("connect_refused", username=connect.username[:64], code=code)
            self.send(mqtt.connack(code))
            self.close()
            return
        session, present = self._broker.attach(connect, self)
        self.session = session
        self._will = connect.will
        self._keep_alive = connect.keep_alive * KEEP_ALIVE_FACTOR
        self._touch()
        self.send(mqtt.connack(mqtt.ACCEPTED, session_present=present))
        session.send = self.send
        session.resume()
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            self._transport.resume_reading()
        self._consume()

    def _on_publish(self, session: Session, flags: int, body: bytes) -> None:
        publish = mqtt.read_publish(flags, body)
        if publish.message.qos == 2:
            if publish.packet_id not in session.received:
                session.received.add(publish.packet_id)
                self._broker.publish(session.username, publish.message)
            self.send(mqtt.acknowledgement(mqtt.PUBREC, publish.packet_id))
            return
        self._broker.publish(session.username, publish.message)
        if publish.message.qos == 1:
            self.send(mqtt.acknowledgement(mqtt.PUBACK, publish.packet_id))

    def _on_puback(self, session: Session, _flags: int, body: bytes) -> None:
        session.acknowledge(mqtt.read_packet_id(body))

    def _on_pubrel(self, session: Session, _flags: int, body: bytes) -> None:
        packet_id = mqtt.read_packet_id(body)
        session.received.discard(packet_id)
        self.send(mqtt.acknowledgement(mqtt.PUBCOMP, packet_id))

    def _on_subscribe(self, session: Session, _flags: int, body: bytes) -> None:
        packet_id, filters = mqtt.read_subscribe(body)
        self.send(mqtt.suback(packet_id, [self._broker.subscribe(session, *wanted) for wanted in filters]))

    def _on_unsubscribe(self, session: Session, _flags: int, body: bytes) -> None:
        packet_id, filters = mqtt.read_unsubscribe(body)
        for topic_filter in filters:
            self._broker.unsubscribe(session, topic_filter)
        self.send(mqtt.acknowledgement(mqtt.UNSUBACK, packet_id))

    def _on_ping(self, _session: Session, _flags: int, _body: bytes) -> None:
        self.send(mqtt.PINGRESP_PACKET)

    def _on_disconnect(self, _session: Session, _flags: int, _body: bytes) -> None:
        self._will = None
        self.close()
