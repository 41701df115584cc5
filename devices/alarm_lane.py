"""Alarms: stored as alerts in small transactions on a connection and in a process of their own.

Vitals never stand in this queue, so an SOS waits for nothing but other alarms.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from devices.client import MqttClient, Published
from devices.codecs.native_json import decode_alarm
from devices.lane import DATABASE_ERRORS, is_away
from devices.messages import (
    Alarm,
    AlarmKind,
    AlarmReceipt,
    MalformedMessage,
    Receipt,
    encode_receipt,
)
from devices.registry import TerminalRegistry
from devices.topics import DownChannel, down_topic, parse_up
from services.alerts.models import AlertKind
from services.alerts.service import AlarmFacts, RaisedAlarm, note_cancel, raise_alarm
from services.alerts.severity import kind_of
from services.alerts.states import AlertStatus
from services.core.actor import SYSTEM
from services.core.database import Database, Work
from services.terminals.repository import Bound
from services.vitals.repository import save_dead_letter

log = structlog.get_logger("ingest")

BATCH: Final = 20
"""Small, so that in a storm the first commits, and their receipts, do not wait for the last arrivals."""

_STATES: Final = {
    AlertStatus.ACKNOWLEDGED: "acknowledged",
    AlertStatus.RESPONDING: "on_the_way",
    AlertStatus.ON_SCENE: "on_the_way",
}


class AlarmLane:
    """Stores alarms and answers each terminal."""

    name = "alarms"
    batch_size = BATCH

    def __init__(
        self, database: Database, client: MqttClient, registry: TerminalRegistry, payload_limit: int
    ) -> None:
        self._database = database
        self._client = client
        self._registry = registry
        self._payload_limit = payload_limit
        self._receipts: list[tuple[UUID, Receipt]] = []

    async def read(self, batch: Sequence[Published]) -> Sequence[Published]:
        return batch

    async def store(self, batch: Sequence[Published]) -> None:
        receipts: list[tuple[UUID, Receipt]] = []
        async with self._database.unit_of_work(SYSTEM) as work:
            for message in batch:
                receipts.extend(await self._take(work, message))
        self._receipts.extend(receipts)

    async def store_alone(self, message: Published) -> None:
        try:
            await self.store([message])
        except DATABASE_ERRORS as error:
            if is_away(error):
                raise
            log.error("alarm_not_storable", error=type(error).__name__, exc_info=error)
            await self._set_aside(message)

    def answer(self) -> None:
        receipts, self._receipts = self._receipts, []
        for terminal_id, receipt in receipts:
            # At QoS 1: after the receipt an older person hears "your call has arrived".
            self._client.publish_soon(down_topic(terminal_id, DownChannel.RECEIPT), encode_receipt(receipt))

    async def _take(self, work: Work, message: Published) -> list[tuple[UUID, Receipt]]:
        topic = parse_up(message.topic)
        if topic is None:
            await save_dead_letter(work, message.topic, None, "", "bad_topic", "", message.payload)
            return []
        bound = await self._registry.find(topic.terminal_id)
        if bound is None:
            await save_dead_letter(
                work,
                message.topic,
                topic.terminal_id,
                "",
                "unknown_terminal",
                "not in service",
                message.payload,
            )
            return []
        try:
            alarm = decode_alarm(message.payload, work.now, limit=self._payload_limit)
        except MalformedMessage as refusal:
            return await self._take_unreadable(work, message, bound, refusal)
        facts = _facts(bound, alarm, work.now)
        if alarm.kind is AlarmKind.FALL_CANCEL:
            await note_cancel(work, facts, AlertKind.FALL)
            return [(bound.terminal_id, AlarmReceipt(id=alarm.id, state="received", at=work.now))]
        return _receipts(bound.terminal_id, alarm.id, await raise_alarm(work, facts), work.now)

    async def _take_unreadable(
        self, work: Work, message: Published, bound: Bound, refusal: MalformedMessage
    ) -> list[tuple[UUID, Receipt]]:
        """Somebody pressed something: it is kept as a dead letter, and a person looks."""
        await save_dead_letter(
            work,
            message.topic,
            bound.terminal_id,
            bound.area_code,
            refusal.code,
            refusal.detail,
            message.payload,
        )
        alarm = AlarmFacts(
            bound=bound,
            alarm_id=hashlib.sha256(message.payload).hexdigest(),
            kind=AlertKind.UNREADABLE_ALARM,
            pressed_at=work.now,
            received_at=work.now,
            detail={"code": refusal.code},
        )
        await raise_alarm(work, alarm)
        return [(bound.terminal_id, refusal.receipt("alarm", work.now))]

    async def _set_aside(self, message: Published) -> None:
        topic = parse_up(message.topic)
        bound = None if topic is None else self._registry.known(topic.terminal_id)
        async with self._database.unit_of_work(SYSTEM) as work:
            await save_dead_letter(
                work,
                message.topic,
                None if topic is None else topic.terminal_id,
                "" if bound is None else bound.area_code,
                "not_storable",
                "the database refused it",
                message.payload,
            )


def _facts(bound: Bound, alarm: Alarm, now: datetime) -> AlarmFacts:
    detail: dict[str, Any] = {"time_source": alarm.time_source}
    if alarm.position is not None:
        place = alarm.position
        detail["position"] = {"lat": place.lat, "lng": place.lng, "accuracy_m": place.accuracy_m}
    for name in ("reported_kind", "battery", "note"):
        value = getattr(alarm, name)
        if value is not None:
            detail[name] = value
    if alarm.reported_at is not None and alarm.reported_at != alarm.at:
        detail["reported_at"] = alarm.reported_at.isoformat()
    if alarm.marks:
        detail["marks"] = list(alarm.marks)
    return AlarmFacts(
        bound=bound,
        alarm_id=alarm.id,
        kind=kind_of(alarm.kind.value),
        pressed_at=alarm.at,
        received_at=now,
        detail=detail,
    )


def _receipts(terminal_id: UUID, alarm_id: str, raised: RaisedAlarm, now: datetime) -> list[tuple[UUID, Receipt]]:
    """ "Received" always comes, and the further state as well when the alert has come further already."""
    alert_id = str(raised.alert_id)
    receipts: list[tuple[UUID, Receipt]] = [
        (terminal_id, AlarmReceipt(id=alarm_id, state="received", at=now, alert_id=alert_id))
    ]
    state = _STATES.get(raised.status)
    if state is not None:
        receipts.append((terminal_id, AlarmReceipt(id=alarm_id, state=state, at=now, alert_id=alert_id)))  # type: ignore[arg-type]
    return receipts
