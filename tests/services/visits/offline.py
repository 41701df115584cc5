"""A phone without network: what was done at a visit, as online verbs and as acts that come in later."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.orders.models import OrderPublic
from services.visits.acts.applying import BODIES
from services.visits.acts.models import ActKind, OfflineAct, SyncAnswer, SyncRequest
from services.visits.acts.sync import sync
from services.visits.models import VisitPublic
from services.visits.repository import supplies_of_order
from services.visits.service import act, get_visit
from tests.ordering import HOME, Ordering

PLACE = {"latitude": HOME[0], "longitude": HOME[1], "accuracy_m": 20}


@dataclass(slots=True)
class Offline:
    """One assigned visit and a day's work at it, not sent yet. ``acts`` are in the order of doing."""

    ordering: Ordering
    order: OrderPublic
    visit_id: UUID
    caregiver_id: UUID
    acts: list[OfflineAct] = field(default_factory=list)

    def did(self, act_kind: ActKind, device_at: datetime, /, **said: Any) -> OfflineAct:
        """One more thing done."""
        done = OfflineAct(
            id=uuid4(),
            seq=len(self.acts) + 1,
            visit_id=self.visit_id,
            do=act_kind,
            device_at=device_at,
            said=said,
        )
        self.acts.append(done)
        return done

    async def send(self, *acts: OfflineAct, device: str = "phone-a") -> SyncAnswer:
        """Acts of one phone, in one batch."""
        batch = SyncRequest(device_id=device, sent_at=self.ordering.clock.now(), acts=list(acts))
        async with self.ordering.work(self.ordering.as_caregiver(self.caregiver_id)) as work:
            return await sync(work, batch)

    async def live(self, done: OfflineAct) -> VisitPublic:
        """The same act by its online verb, with the times of the phone."""
        kind = ActKind(done.do)
        told = {"device_at": done.device_at, "sent_at": self.ordering.clock.now(), **done.said}
        async with self.ordering.work(self.ordering.as_caregiver(self.caregiver_id)) as work:
            return await act(work, self.visit_id, kind, BODIES[kind].model_validate(told), None)

    async def state(self) -> dict[str, Any]:
        """All that the acts have made of the visit, without keys and numbers of arrival."""
        async with self.ordering.work(self.ordering.dispatcher) as work:
            detail = await self.ordering.read(self.order.id)
            supplies = await supplies_of_order(work, self.order.id)
        visit = await self.shown()
        return {
            "order": detail.status,
            "status": visit.status,
            "flags": visit.flags,
            "times": (visit.en_route_at, visit.care_started_at, visit.care_ended_at),
            "tasks": [(task["code"], task["state"], task["reason"]) for task in visit.tasks],
            "readings": [{name: one[name] for name in one if name != "id"} for one in visit.readings],
            "note": visit.note,
            "supplies": [(one.code, one.quantity) for one in supplies],
        }

    async def shown(self) -> VisitPublic:
        """The visit as the dispatcher reads it."""
        async with self.ordering.work(self.ordering.dispatcher) as work:
            return await get_visit(work, self.visit_id)

    def whole_visit(self, began: datetime) -> None:
        """A bath as it should be: measured first, one task skipped with a reason, a supply, two notes."""

        def at(minutes: int) -> datetime:
            return began + timedelta(minutes=minutes)

        self.did(ActKind.SET_OUT, at(0))
        self.did(ActKind.CHECK_IN, at(10), start_code=self.order.start_code, **PLACE)
        self.did(ActKind.TASK, at(12), code="identity")
        self.did(ActKind.READING, at(14), kind="blood_pressure", systolic=138, diastolic=82)
        self.did(ActKind.TASK, at(15), code="vital_check")
        self.did(ActKind.TASK, at(16), code="water", state="skipped", reason="热水器故障")
        self.did(ActKind.TASK, at(25), code="water")
        self.did(ActKind.SUPPLY, at(30), code="gloves", name="一次性手套", kind="consumable", quantity=2)
        self.did(ActKind.NOTE, at(35), text="水温四十度")
        self.did(ActKind.TASK, at(60), code="bathe")
        self.did(ActKind.TASK, at(62), code="skin", state="skipped", reason="长者不愿意")
        self.did(ActKind.NOTE, at(65), text="一切正常")
        self.did(ActKind.CHECK_OUT, at(80), **PLACE)


async def begin(ordering: Ordering, item: str = "bathing", whole: bool = True) -> Offline:
    """An assigned visit, two hours later, with everything done and nothing sent."""
    order, detail = await ordering.assigned(item)
    (visit,) = detail.visits
    began = ordering.clock.now() + timedelta(minutes=5)
    ordering.clock.forward(hours=2)
    offline = Offline(ordering, order, visit.id, visit.caregiver_id)
    if whole:
        offline.whole_visit(began)
    return offline
