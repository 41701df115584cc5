"""Callbacks of vendors' clouds: unwrapped, and given to the same lanes as what comes over MQTT.

A callback is ``{"messages": [{"device": serial, "channel": "alarm", "payload": …}, …]}``. Every message is taken
or refused by itself. Alarms first, each in a transaction of its own, as from the broker; then all the rest in one.
"""

import base64
import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from devices.alarm_lane import AlarmLane
from devices.codecs.registry import CODECS, decode
from devices.lane import DATABASE_ERRORS, is_away
from devices.messages import AlarmReceipt, MalformedMessage, RefusedReceipt
from devices.registry import REFRESH_SECONDS
from devices.topics import UpChannel, up_topic
from devices.transport import Published
from devices.vitals_lane import VitalsLane
from services.core.actor import SYSTEM
from services.core.database import Database
from services.core.settings import Settings
from services.rules.service import Judge
from services.terminals.repository import Bound, one_bound
from services.vendors.errors import CallbackUnreadable
from services.vendors.models import VendorKey
from services.vendors.repository import terminals_of
from services.vitals.repository import save_dead_letter

log = structlog.get_logger("callbacks")

MAX_MESSAGES: Final = 500


class _Envelope(msgspec.Struct, frozen=True):
    messages: list[msgspec.Raw]


class _Wrapped(msgspec.Struct, frozen=True):
    device: str
    payload: msgspec.Raw
    channel: str | None = None


class Item(msgspec.Struct):
    """One message of a callback on its way; ``result`` is what the vendor is told of it."""

    device: str = ""
    channel: UpChannel | None = None
    payload: bytes = b""
    terminal_id: UUID | None = None
    state: str = "stored"
    code: str | None = None
    alert_ids: list[str] = msgspec.field(default_factory=list)

    def refuse(self, code: str, state: str = "refused") -> None:
        """Not taken, and why."""
        self.state, self.code = state, code

    @property
    def result(self) -> dict[str, Any]:
        """For the answer."""
        return {"device": self.device, "state": self.state, "code": self.code, "alert_ids": self.alert_ids}


class _Nowhere:
    """There is no broker behind a callback: its answer is the HTTP answer."""

    def publish_soon(self, topic: str, payload: bytes) -> None:
        """Nobody listens."""

    def try_publish(self, topic: str, payload: bytes) -> bool:  # noqa: ARG002  as above
        """Nobody listens."""
        return False


class _OfVendor:
    """The terminals of one callback, speaking the vendor's codec."""

    def __init__(self) -> None:
        self.bound: dict[UUID, Bound] = {}

    def known(self, terminal_id: UUID) -> Bound | None:
        """As the lanes ask."""
        return self.bound.get(terminal_id)

    async def find(self, terminal_id: UUID) -> Bound | None:
        """As the lanes ask."""
        return self.bound.get(terminal_id)


class CallbackIntake:
    """Takes admitted callbacks; one for each process that serves them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._judge = Judge()
        self._judge_until = 0.0

    async def take(self, key: VendorKey, body: bytes) -> list[dict[str, Any]]:
        """Store every message of a callback and say what became of each, in order.

        What is "stored" has been committed. Raises ``CallbackUnreadable`` when there is no envelope (kept as a
        dead letter). A database that is away raises its own error: nothing is promised, the vendor sends again.
        """
        items = [_unwrap(raw, key.codec) for raw in await self._envelope(key, body)]
        terminals = _OfVendor()
        await self._find_terminals(key, items, terminals)
        alarms = [item for item in items if item.code is None and item.channel is UpChannel.ALARM]
        others = [item for item in items if item.code is None and item.channel is not UpChannel.ALARM]
        await self._take_alarms(alarms, terminals)
        if others:
            await self._take_others(others, terminals)
        await self._keep_refused(key, [item for item in items if item.terminal_id is None])
        return [item.result for item in items]

    async def _envelope(self, key: VendorKey, body: bytes) -> Sequence[msgspec.Raw]:
        try:
            messages = msgspec.json.decode(body, type=_Envelope).messages
        except (ValueError, RecursionError):
            code = "not_an_envelope"
        else:
            if len(messages) <= MAX_MESSAGES:
                return messages
            code = "too_many_messages"
        async with self._database.unit_of_work(SYSTEM) as work:
            await save_dead_letter(work, f"callbacks/{key.id}", None, key.area_code, code, "", body)
        raise CallbackUnreadable(reason=code)

    async def _find_terminals(self, key: VendorKey, items: Sequence[Item], terminals: _OfVendor) -> None:
        """Which terminal each device is: by its serial number, within the key's area."""
        serials = {item.device for item in items if item.code is None}
        async with self._database.unit_of_work(SYSTEM) as work:
            found = await terminals_of(work, key.area_code, serials)
            connection = await work.session.connection()
            for found_id in found.values():
                bound = await one_bound(connection, found_id)
                if bound is not None:
                    terminals.bound[found_id] = bound._replace(codec=key.codec)
            now = work.now
        for item in items:
            if item.code is not None:
                continue
            terminal_id = found.get(item.device)
            if terminal_id not in terminals.bound:
                item.refuse("unknown_terminal")
                continue
            item.terminal_id = terminal_id
            if item.channel is None:
                item.channel = _guess(key.codec, item.payload, now, self._settings)

    async def _take_alarms(self, items: Sequence[Item], terminals: _OfVendor) -> None:
        lane = AlarmLane(self._database, _Nowhere(), terminals, self._settings.alarm_payload_limit)
        for item in items:
            message = _published(item)
            try:
                await lane.store([message])
            except DATABASE_ERRORS as error:
                if is_away(error):
                    raise
                log.error("alarm_not_storable", error=type(error).__name__, exc_info=error)
                await lane.set_aside(message)
                item.refuse("not_storable")
            for _, answer in lane.answers():
                if isinstance(answer, RefusedReceipt):
                    item.refuse(answer.code)
                elif isinstance(answer, AlarmReceipt) and answer.alert_id not in (None, *item.alert_ids):
                    item.alert_ids.append(str(answer.alert_id))

    async def _take_others(self, items: Sequence[Item], terminals: _OfVendor) -> None:
        lane = VitalsLane(
            self._database,
            _Nowhere(),
            terminals,
            await self._fresh_judge(),
            batch_size=MAX_MESSAGES,
            payload_limit=self._settings.vitals_payload_limit,
        )
        messages = [_published(item) for item in items]
        try:
            await _store(lane, messages, items)
        except DATABASE_ERRORS as error:
            if is_away(error):
                raise
            log.error("batch_refused", lane="callbacks", messages=len(items), error=type(error).__name__)
            for message, item in zip(messages, items, strict=True):
                await self._store_alone(lane, message, item)

    async def _store_alone(self, lane: VitalsLane, message: Published, item: Item) -> None:
        """So that only the message that cannot be stored is set aside."""
        try:
            await _store(lane, [message], [item])
        except DATABASE_ERRORS as error:
            if is_away(error):
                raise
            await lane.store_alone(message)
            item.refuse("not_storable")

    async def _fresh_judge(self) -> Judge:
        if time.monotonic() >= self._judge_until:
            await self._judge.reload(self._database)
            self._judge_until = time.monotonic() + REFRESH_SECONDS
        return self._judge

    async def _keep_refused(self, key: VendorKey, items: Sequence[Item]) -> None:
        """Dead letters of what belongs to no terminal."""
        if not items:
            return
        async with self._database.unit_of_work(SYSTEM) as work:
            for item in items:
                topic = f"callbacks/{key.id}/{item.channel or ''}"
                await save_dead_letter(work, topic, None, key.area_code, item.code or "", "", item.payload)


async def _store(lane: VitalsLane, messages: Sequence[Published], items: Sequence[Item]) -> None:
    found = await lane.read(messages)
    await lane.store(found)
    refused = {message.mid: refusal for message, _, _, refusal in found.refused}
    for message, item in zip(messages, items, strict=True):
        if message.mid in refused:
            item.refuse(refused[message.mid].code)


_mids = iter(range(2**63))


def _published(item: Item) -> Published:
    """As if its terminal had sent it; ``mid`` tells equal ones apart."""
    assert item.terminal_id is not None  # noqa: S101  only items with a terminal are stored
    topic = up_topic(item.terminal_id, item.channel or UpChannel.VITALS)
    return Published(topic, item.payload, next(_mids), 1, False, False, 0)


def _unwrap(raw: msgspec.Raw, codec: str) -> Item:
    try:
        wrapped = msgspec.json.decode(raw, type=_Wrapped)
    except (ValueError, RecursionError):
        return Item(payload=bytes(raw), state="refused", code="wrong_type")
    item = Item(device=wrapped.device)
    if "\x00" in wrapped.device or len(wrapped.device) > 200:
        item.device = ""
        item.refuse("wrong_type")
    if wrapped.channel is not None:
        try:
            item.channel = UpChannel(wrapped.channel)
        except ValueError:
            item.channel = None
    item.payload, code = _payload(wrapped.payload, codec)
    if code is not None:
        item.refuse(code)
    return item


def _payload(raw: msgspec.Raw, codec: str) -> tuple[bytes, str | None]:
    """The bytes that the terminal would have sent, or why there are none."""
    carried = CODECS[codec].in_json if codec in CODECS else "value"
    if carried == "value":
        return bytes(raw), None
    try:
        text = msgspec.json.decode(raw, type=str)
        return (text.encode() if carried == "text" else base64.b64decode(text, validate=True)), None
    except ValueError:
        return bytes(raw), "wrong_type"


def _guess(codec: str, payload: bytes, now: Any, settings: Settings) -> UpChannel:
    """Without a channel that is known: whatever can be read as an alarm is one."""
    try:
        read = decode(codec, UpChannel.ALARM, payload, now, settings.alarm_payload_limit)
    except MalformedMessage:
        return UpChannel.VITALS
    return UpChannel.ALARM if read.alarms else UpChannel.VITALS
