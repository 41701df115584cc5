"""The connection under the MQTT client: made, watched, lost and made again.

paho keeps the protocol's state and never touches the network: its socket is opened here, its reads and
writes are collected in ``PacketSocket``, and the keep-alive is ours too, because paho's would give up a
connection whose reading is paused on purpose.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, TypeVar

import structlog
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from devices.address import ConnectionRefused, ConnectionState, LastWill, MqttAddress
from devices.transport import (
    DISCONNECT,
    PINGREQ,
    PacketSocket,
    PacketSplitter,
    ProtocolError,
    Published,
    open_socket,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")

CONNECT_SECONDS: Final = 10.0
GOODBYE_SECONDS: Final = 2.0
BACKOFF_SECONDS: Final = (0.2, 15.0)
STEADY_SECONDS: Final = 5.0
"""A connection that lasted this long starts the back-off anew; two clients with one id must not spin."""
_UNAVAILABLE: Final = 136  # how paho writes CONNACK's return code 3: no judgement on the credential


@cache
def _tls_context() -> ssl.SSLContext:
    """One for all connections: reading the certificates takes longer than connecting."""
    return ssl.create_default_context()


class _Protocol(Client):
    """paho, given a socket that is already open instead of opening (and blocking on) one."""

    prepared: PacketSocket | None = None

    def _create_socket(self) -> PacketSocket:
        if self.prepared is None:
            raise OSError("no socket was prepared")
        return self.prepared


class Link:
    """One connection that comes back. ``on_message`` is called for each PUBLISH, on the event loop."""

    def __init__(
        self,
        address: MqttAddress,
        client_id: str,
        *,
        clean: bool,
        keepalive: int,
        max_inflight: int,
        max_payload: int,
        will: LastWill | None,
        on_message: Callable[[Published], None],
        on_state: Callable[[ConnectionState, str], None] | None,
    ) -> None:
        self.client_id = client_id
        self.address = address
        self.state = ConnectionState.DISCONNECTED
        self.reason = ""
        self.connections = 0
        self.subscriptions: dict[str, int] = {}
        self.changed = asyncio.Event()
        self.closing = False
        self._keepalive = keepalive
        self._max_payload = max_payload
        self._on_message = on_message
        self._on_state = on_state
        self._socket: PacketSocket | None = None
        self._splitter = PacketSplitter(0, max_payload)
        self._reading = False
        self._paused = False
        self._writing = False
        self._flush_planned = False
        self._received_at = 0.0
        self._connack: asyncio.Future[ReasonCode] | None = None
        self._lost: asyncio.Future[None] | None = None
        self._subacks: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._pubacks: dict[int, asyncio.Future[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._tls = _tls_context() if address.tls else None
        self._paho = self._make_paho(clean, max_inflight, will)

    def _make_paho(self, clean: bool, max_inflight: int, will: LastWill | None) -> _Protocol:
        paho = _Protocol(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            clean_session=clean,
            reconnect_on_failure=False,  # or paho would connect again inside a callback
            manual_ack=True,
        )
        paho.username_pw_set(self.address.username, self.address.password)
        paho.max_inflight_messages_set(max_inflight)
        if will is not None:
            paho.will_set(will.topic, will.payload, qos=1)
        paho.on_connect = lambda _c, _u, _flags, reason, _p: self._on_connect(reason)
        paho.on_disconnect = lambda *_: self._on_disconnect()
        paho.on_subscribe = lambda _c, _u, mid, reasons, _p: self._on_subscribe(mid, reasons)
        paho.on_publish = lambda _c, _u, mid, _reason, _p: self._on_publish(mid)
        paho.on_socket_register_write = lambda *_: self._plan_flush()
        paho.on_socket_close = lambda *_: self._on_socket_close()
        paho.connect_async(self.address.host, self.address.port, self._keepalive)
        return paho

    # Life

    def start(self) -> None:
        """Begin to connect, on the running loop."""
        self._task = asyncio.create_task(self._stay_connected(), name=f"mqtt {self.client_id}")

    async def close(self) -> None:
        """Say goodbye, so that the broker sends no last will, and end every wait. Safe to repeat."""
        self.closing = True
        if self._socket is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._say_goodbye(self._socket)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for puback in self._pubacks.values():
            puback.cancel()
        for suback in self._subacks.values():
            suback.cancel()
        self._pubacks.clear()
        self._subacks.clear()
        self._set_state(ConnectionState.CLOSED, "")

    async def _say_goodbye(self, sock: PacketSocket) -> None:
        self._stop_reading()
        if self._paho.want_write():
            self._paho.loop_write()
        sock.send(DISCONNECT)
        await sock.finish()

    def _set_state(self, state: ConnectionState, reason: str) -> None:
        if state is self.state and reason == self.reason:
            return
        self.state, self.reason = state, reason
        self.changed.set()
        if self._on_state is not None:
            try:
                self._on_state(state, reason)
            except Exception:  # a listener's fault must not end the connection
                log.exception("mqtt state listener failed", client_id=self.client_id)

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            self._set_state(ConnectionState.CONNECTING, "")
            began = loop.time()
            try:
                await self._connect_once()
            except ConnectionRefused as error:
                self._set_state(ConnectionState.REFUSED, error.reason)
                log.warning("mqtt refused", client_id=self.client_id, reason=error.reason)
            except (OSError, ProtocolError) as error:  # TimeoutError is an OSError
                if self.closing:
                    return
                self._set_state(ConnectionState.DISCONNECTED, type(error).__name__)
                log.info("mqtt disconnected", client_id=self.client_id, error=type(error).__name__)
            except Exception:  # whatever ended a connection, another one must follow
                self._set_state(ConnectionState.DISCONNECTED, "unexpected")
                log.exception("mqtt connection failed", client_id=self.client_id)
            finally:
                self._drop()
            attempt = 0 if loop.time() - began > STEADY_SECONDS else attempt + 1
            first, longest = BACKOFF_SECONDS
            pause = min(longest, first * 2 ** min(attempt, 10))
            # Jitter, so that a thousand terminals do not come back in the same instant.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - guards nothing

    async def _connect_once(self) -> None:
        """Connect, subscribe, and return by an exception when the connection ends."""
        loop = asyncio.get_running_loop()
        self._connack, self._lost = loop.create_future(), loop.create_future()
        async with asyncio.timeout(CONNECT_SECONDS):
            raw = await open_socket(self.address.host, self.address.port, self._tls)
            self._socket = self._paho.prepared = PacketSocket(raw)
            self.connections += 1
            self._splitter = PacketSplitter(self.connections, self._max_payload)
            self._received_at = loop.time()
            self._paused = False
            self._paho.reconnect()  # sends CONNECT through the socket above; blocks on nothing
            self._start_reading()
            reason = await self._or_lost(self._connack)
            if reason.value == _UNAVAILABLE:
                raise ConnectionError("the broker is not available")
            if reason.is_failure:
                raise ConnectionRefused(str(reason))
            if self.subscriptions:
                await self.send_subscriptions(self.subscriptions)
        self._set_state(ConnectionState.CONNECTED, "")
        await self._keep_alive(self._lost)

    async def _or_lost(self, wanted: asyncio.Future[T]) -> T:
        if self._lost is None:
            raise ConnectionError("no connection")
        await asyncio.wait((wanted, self._lost), return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            return wanted.result()
        wanted.cancel()
        raise ConnectionError("lost while waiting for the broker")

    async def _keep_alive(self, lost: asyncio.Future[None]) -> None:
        """Ping in every half keep-alive; give up on a broker that has been silent for one and a half.

        While reading is paused nothing can be heard, so only the pings go on.
        """
        loop = asyncio.get_running_loop()
        while not lost.done():
            await asyncio.wait((lost,), timeout=self._keepalive / 2)
            if self._socket is not None and not lost.done():
                if not self._paused and loop.time() - self._received_at > 1.5 * self._keepalive:
                    raise ConnectionError("the broker is silent")
                self.send(PINGREQ)
        raise ConnectionError("lost")

    def _drop(self) -> None:
        """Leave nothing of a connection that has ended."""
        if self._socket is not None:
            self._socket.broken = True
            self._paho.loop_read()  # sees the end of the stream, closes, calls _on_socket_close
        self._socket = self._paho.prepared = None

    # Traffic

    @property
    def connected(self) -> bool:
        """Accepted, and every subscription granted."""
        return self.state is ConnectionState.CONNECTED and self._socket is not None

    @property
    def unsent(self) -> int:
        """Bytes that the network has not taken yet."""
        return 0 if self._socket is None else self._socket.unsent

    def send(self, packets: bytes) -> bool:
        """Send whole packets past paho: acknowledgements, pings, QoS 0. ``False`` without a connection."""
        if self._socket is None:
            return False
        self._socket.send(packets)
        self._plan_flush()
        return True

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> asyncio.Future[None]:
        """Send at QoS 1; the future is done with the broker's PUBACK, on this connection or a later one.

        Raises ``OSError`` when all 65 535 packet ids are in use.
        """
        info = self._paho.publish(topic, payload, 1, retain)
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise OSError(f"cannot publish: {info.rc.name}")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pubacks[info.mid] = done
        return done

    async def send_subscriptions(self, filters: Iterable[str]) -> None:
        """Subscribe on the present connection. Raises ``ConnectionRefused`` or ``ConnectionError``."""
        wanted = [(name, self.subscriptions[name]) for name in filters]
        code, mid = self._paho.subscribe(wanted)
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            raise ConnectionError("cannot subscribe")
        granted: asyncio.Future[list[ReasonCode]] = asyncio.get_running_loop().create_future()
        self._subacks[mid] = granted
        reasons = await self._or_lost(granted)
        refused = [name for (name, _), r in zip(wanted, reasons, strict=False) if r.is_failure]
        if refused:
            raise ConnectionRefused(f"subscription refused: {', '.join(refused)}")

    def pause(self) -> None:
        """Stop reading the socket: the broker has to wait."""
        self._paused = True
        self._stop_reading()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        self._received_at = asyncio.get_running_loop().time()
        self._start_reading()

    def _start_reading(self) -> None:
        if self._socket is not None and not self._reading and not self._paused:
            self._reading = True
            loop = asyncio.get_running_loop()
            loop.add_reader(self._socket.fileno(), self._on_readable)
            loop.call_soon(self._on_readable)  # TLS may already hold bytes that the loop cannot see

    def _stop_reading(self) -> None:
        if self._socket is not None and self._reading:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._reading = False

    def _on_readable(self) -> None:
        sock = self._socket
        if sock is None or not self._reading:
            return
        data = sock.receive()
        if data:
            self._received_at = asyncio.get_running_loop().time()
            try:
                self._splitter.feed(data, self._on_message, sock.hand_on)
            except ProtocolError as error:
                log.warning("mqtt protocol error", client_id=self.client_id, error=str(error))
                sock.broken = True
        if sock.has_incoming or sock.broken:
            self._run_paho(sock)
        if sock.has_decrypted and not sock.broken:
            asyncio.get_running_loop().call_soon(self._on_readable)

    def _run_paho(self, sock: PacketSocket) -> None:
        while sock.has_incoming or sock.broken:
            if self._paho.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                break

    def _plan_flush(self) -> None:
        if not self._flush_planned:
            self._flush_planned = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        if self._paho.want_write():
            self._paho.loop_write()
        sock = self._socket
        if sock is None:
            return
        done = sock.flush()
        if sock.broken:
            self._run_paho(sock)
        elif done is self._writing:
            loop = asyncio.get_running_loop()
            self._writing = not done
            if done:
                loop.remove_writer(sock.fileno())
            else:
                loop.add_writer(sock.fileno(), self._flush)

    # What paho tells

    def _on_connect(self, reason: ReasonCode) -> None:
        if self._connack is not None and not self._connack.done():
            self._connack.set_result(reason)

    def _on_disconnect(self) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    def _on_subscribe(self, mid: int, reasons: list[ReasonCode]) -> None:
        granted = self._subacks.pop(mid, None)
        if granted is not None and not granted.done():
            granted.set_result(reasons)

    def _on_publish(self, mid: int) -> None:
        done = self._pubacks.pop(mid, None)
        if done is not None and not done.done():
            done.set_result(None)

    def _on_socket_close(self) -> None:
        self._stop_reading()
        if self._socket is not None and self._writing:
            asyncio.get_running_loop().remove_writer(self._socket.fileno())
        self._writing = False
        self._socket = None
