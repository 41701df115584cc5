"""Alarms: stored as alerts in small transactions on a connection and in a process of their own.

Vitals never stand in this queue, so an SOS waits for nothing but other alarms.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from devices.client import Published
from devices.codecs.native_message import trusted
from devices.codecs.registry import decode, encode_answer
from devices.heard import hear
from devices.lane import DATABASE_ERRORS, Outlet, Terminals, is_away
from devices.messages import Alarm, AlarmKind, AlarmReceipt, MalformedMessage, Receipt, StatusReceipt
from devices.topics import DownChannel, UpChannel, down_topic, parse_up
from services.alerts.models import AlertKind
from services.alerts.service import AlarmFacts, RaisedAlarm, note_cancel, raise_alarm
from services.alerts.severity import kind_of
from services.alerts.states import LIVE, AlertStatus
from services.core.actor import SYSTEM
from services.core.database import Database, Work
from services.terminals.clocks import CLOCK_TOLERANCE, ClockOffset, newer, offset_shift
from services.terminals.repository import Bound, Heard, one_bound
from services.terminals.service import note_status
from services.terminals.test_calls import note_test
from services.terminals.wearers import possible_wearers
from services.vitals.repository import save_dead_letter

log = structlog.get_logger("ingest")

BATCH: Final = 20
"""Small, so that in a storm the first commits, and their receipts, do not wait for the last arrivals."""

UNREADABLE_PERIOD: Final = timedelta(minutes=5)
"""A terminal that sends what nobody can read pages at once, and again at most this often (a project default).

Every such payload is kept as a dead letter all the same. Nothing that can be read as an alarm is ever limited.
"""

ALSO: Final = "/now"
"""Ends the id of an alarm that is raised a second time, for the present wearer (``possible_wearers``)."""

Answer = tuple[Bound, Receipt | StatusReceipt]

_STATES: Final = {
    AlertStatus.ACKNOWLEDGED: "acknowledged",
    AlertStatus.RESPONDING: "on_the_way",
    AlertStatus.ON_SCENE: "on_the_way",
}


class AlarmLane:
    """Stores alarms and answers each terminal."""

    name = "alarms"
    batch_size = BATCH

    def __init__(self, database: Database, client: Outlet, registry: Terminals, payload_limit: int) -> None:
        self._database = database
        self._client = client
        self._registry = registry
        self._payload_limit = payload_limit
        self._answers: list[Answer] = []

    async def read(self, batch: Sequence[Published]) -> Sequence[Published]:
        return batch

    async def store(self, batch: Sequence[Published]) -> None:
        answers: list[Answer] = []
        heard: dict[UUID, Heard] = {}
        async with self._database.unit_of_work(SYSTEM) as work:
            for message in batch:
                answers.extend(await self._take(work, message, heard))
            if heard:
                await note_status(work, list(heard.values()))
        self._answers.extend(answers)

    async def store_alone(self, message: Published) -> None:
        try:
            await self.store([message])
        except DATABASE_ERRORS as error:
            if is_away(error):
                raise
            log.error("alarm_not_storable", error=type(error).__name__, exc_info=error)
            await self.set_aside(message)

    def answer(self) -> None:
        for bound, answer in self.answers():
            payload = encode_answer(bound.codec, answer, bound.heartbeat_seconds)
            if payload is not None:
                # At QoS 1: after the receipt an older person hears "your call has arrived".
                self._client.publish_soon(down_topic(bound.terminal_id, DownChannel.RECEIPT), payload)

    def answers(self) -> list[Answer]:
        """What is to be said of everything stored since the last call."""
        answers, self._answers = self._answers, []
        return answers

    async def _take(self, work: Work, message: Published, heard: dict[UUID, Heard]) -> list[Answer]:
        topic = parse_up(message.topic)
        if topic is None:
            await save_dead_letter(work, message.topic, None, "", "bad_topic", "", message.payload)
            return []
        bound = await self._registry.find(topic.terminal_id)
        if bound is None or bound.resident_id is None:
            bound = await _as_stored(work, topic.terminal_id, bound)
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
            read = decode(bound.codec, UpChannel.ALARM, message.payload, work.now, self._payload_limit)
        except MalformedMessage as refusal:
            return await self._take_unreadable(work, message, bound, refusal)
        answers: list[Answer] = []
        for alarm in read.alarms:
            answers.extend(await take_alarm(work, bound, alarm))
        if read.status is not None:
            hear(heard, bound, read.status, work.now)
            if read.status.id is not None:
                answers.append((bound, StatusReceipt(read.status.id, work.now)))
        return answers

    async def _take_unreadable(
        self, work: Work, message: Published, bound: Bound, refusal: MalformedMessage
    ) -> list[Answer]:
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
        answers: list[Answer] = [(bound, refusal.receipt("alarm", work.now))]
        for alarm in refusal.alarms:
            answers.extend(await take_alarm(work, bound, alarm))
        if not refusal.alarms:
            await _raise_unreadable(work, bound, refusal.code)
        return answers

    async def set_aside(self, message: Published) -> None:
        """Keep an alarm that the database refuses as a dead letter."""
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


async def _as_stored(work: Work, terminal_id: UUID, copy: Bound | None) -> Bound | None:
    """The terminal as the database has it now, in the language that the copy says.

    Asked only where the copy may be older than what the alarm turns on: a terminal that seems to be nobody's may
    have been bound a moment ago, and a press that is stored for nobody stays so.
    """
    stored = await one_bound(await work.session.connection(), terminal_id)
    if copy is None or stored is None:
        return stored or copy
    return stored._replace(codec=copy.codec).with_clock(newer(copy.clock, stored.clock))


async def take_alarm(work: Work, bound: Bound, alarm: Alarm) -> list[Answer]:
    """Store one alarm, whichever way it came, and give what its terminal is told."""
    said = alarm.reported_at
    if said is not None and abs(said - work.now) > CLOCK_TOLERANCE:
        # Late, or by a wrong clock: a terminal greets and calls in one breath; the copy may be older than that.
        bound = await _as_stored(work, bound.terminal_id, bound) or bound
        alarm = with_right_time(alarm, bound.clock, work.now)
    if alarm.kind is AlarmKind.TEST:
        # Nobody is called: that it arrived is all that it was for.
        await note_test(work, bound.terminal_id, alarm.at, "terminal_kind")
        return [(bound, AlarmReceipt(id=alarm.id, state="received", at=work.now))]
    whose, *also = await possible_wearers(work, bound, alarm.at)
    for other in also:
        await _take_for(work, other, msgspec.structs.replace(alarm, id=f"{alarm.id}{ALSO}"))
    raised = await _take_for(work, whose, alarm)
    if raised is None:
        return [(bound, AlarmReceipt(id=alarm.id, state="received", at=work.now))]
    return _answers(bound, alarm.id, raised, work.now)


def with_right_time(alarm: Alarm, clock: ClockOffset | None, received_at: datetime) -> Alarm:
    """The alarm at the time at which it was pressed, where its terminal's clock is known to be wrong."""
    said = alarm.reported_at
    shift = None if said is None else offset_shift(clock, said, received_at)
    if said is None or shift is None or not trusted(said + shift, received_at):
        return alarm
    return msgspec.structs.replace(
        alarm,
        at=min(said + shift, received_at),  # what the message needed on its way is in the offset
        time_source="terminal",
        marks=(*alarm.marks, "clock_corrected"),
    )


async def _take_for(work: Work, bound: Bound, alarm: Alarm) -> RaisedAlarm | None:
    facts = _facts(bound, alarm, work.now)
    if alarm.kind is AlarmKind.FALL_CANCEL:
        await note_cancel(work, facts, AlertKind.FALL)
        return None
    return await raise_alarm(work, facts)


async def _raise_unreadable(work: Work, bound: Bound, code: str) -> None:
    """One press a period and wearer, whatever the payloads; once its alert is closed, the next opens another."""
    period = int(work.now.timestamp() // UNREADABLE_PERIOD.total_seconds())
    for number in count():
        alarm = AlarmFacts(
            bound=bound,
            alarm_id=f"unreadable-{bound.version}-{period}-{number}",
            kind=AlertKind.UNREADABLE_ALARM,
            pressed_at=work.now,
            received_at=work.now,
            detail={"code": code},
        )
        raised = await raise_alarm(work, alarm)
        if not raised.is_repeat or raised.status in LIVE:
            return


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
    if bound.bound_since is not None and alarm.at < bound.bound_since:
        # The desk sees that the terminal changed hands between the press and its arrival.
        detail["rebound_at"] = bound.bound_since.isoformat()
    return AlarmFacts(
        bound=bound,
        alarm_id=alarm.id,
        kind=kind_of(alarm.kind.value),
        pressed_at=alarm.at,
        received_at=now,
        detail=detail,
    )


def _answers(bound: Bound, alarm_id: str, raised: RaisedAlarm, now: datetime) -> list[Answer]:
    """ "Received" always comes, and the further state as well when the alert has come further already."""
    alert_id = str(raised.alert_id)
    answers: list[Answer] = [(bound, AlarmReceipt(id=alarm_id, state="received", at=now, alert_id=alert_id))]
    state = _STATES.get(raised.status)
    if state is not None:
        answers.append((bound, AlarmReceipt(id=alarm_id, state=state, at=now, alert_id=alert_id)))  # type: ignore[arg-type]
    return answers
