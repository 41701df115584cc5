"""One visit under its locks, with how an act reached us: live, or later from a phone that had no network."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.core.crypto import Vault
from services.core.database import Work
from services.core.geo import Point, distance_m
from services.events import VisitMoved
from services.orders.lines import OrderLine, checklist_of
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.service import lines_of
from services.orders.states import ORDER, OrderStatus
from services.visits import repository
from services.visits.errors import NotInService, TeamIncomplete, UnknownTask, VisitClosed
from services.visits.models import Evidence, TaskMark, TaskState, Visit
from services.visits.states import CLOSED, VISIT, VisitStatus
from services.visits.verification import Place, Stamp, VerificationRules, care_time, verification_rules


@dataclass(slots=True)
class Scene:
    """What every act works on. ``seq`` and ``device_id`` are a phone's own; a live act has none.

    A live act asks before something is done and may be refused; one that comes later tells what was done, which is
    written down whatever happened meanwhile.
    """

    work: Work
    order: Order
    visit: Visit
    vault: Vault | None = None
    device_id: str | None = None
    seq: int = 0
    live: bool = True
    sent_at: datetime | None = None
    received_at: datetime | None = None
    rules: VerificationRules = field(default_factory=verification_rules)

    @property
    def lines(self) -> list[OrderLine]:
        """What was ordered."""
        return lines_of(self.order)

    @property
    def home(self) -> Point:
        """Where the care takes place."""
        return Point(self.order.latitude, self.order.longitude)

    @property
    def readings(self) -> list[tuple[str, datetime]]:
        """Kind and time of what was measured at this visit."""
        return [(one["kind"], datetime.fromisoformat(one["at"])) for one in self.visit.readings if "at" in one]

    @property
    def heard_at(self) -> datetime:
        """When we heard of it: now, or when an act came in that had to wait for others."""
        return self.received_at or self.work.now

    def stamp(self, device_at: datetime, sent_at: datetime | None = None) -> Stamp:
        """When it happened and when we heard of it; the batch's ``sent_at`` stands in for the act's own."""
        return Stamp(device_at=device_at, received_at=self.heard_at, sent_at=sent_at or self.sent_at)

    def moment(self, device_at: datetime, sent_at: datetime | None = None) -> datetime:
        """The time that counts, in UTC."""
        return care_time(self.stamp(device_at, sent_at), self.rules).astimezone(UTC)

    def require_writable(self) -> None:
        """``NotInService`` for a live act before the check-in or after the end, ``VisitClosed`` for a late one."""
        if self.live and self.visit.status is not VisitStatus.IN_SERVICE:
            raise NotInService(current=str(self.visit.status))
        if self.visit.status in CLOSED:
            raise VisitClosed(current=str(self.visit.status))

    def begin_order(self) -> None:
        """The order is in progress from the first act on. Raises ``TeamIncomplete``."""
        if self.order.status in (OrderStatus.PLACED, OrderStatus.OFFERED):
            raise TeamIncomplete
        if self.order.status is OrderStatus.ASSIGNED:
            ORDER.move(self.work, self.order, OrderStatus.IN_PROGRESS)

    def move(self, target: VisitStatus, reason: str | None = None) -> None:
        """Change the status and tell the screens."""
        VISIT.move(self.work, self.visit, target, reason)
        self.work.record(
            VisitMoved(
                area_code=self.visit.area_code,
                centre_id=self.visit.centre_id,
                visit_id=self.visit.id,
                order_id=self.visit.order_id,
                status=str(target),
            )
        )

    def flag(self, *flags: Any) -> None:
        """Add flags once each, in an order that does not tell how they came; a new list, so that it is noticed."""
        self.visit.flags = list(dict.fromkeys([*self.visit.flags, *(str(flag) for flag in flags)]))

    def mark(self, mark: TaskMark, at: datetime) -> None:
        """What became of one task; the latest word stands, however it came in. Raises ``UnknownTask``."""
        checklist = {task.code: task for task in checklist_of(self.lines)}
        if mark.code not in checklist:
            raise UnknownTask(field="tasks", unknown=[mark.code])
        known = {task["code"]: task for task in self.visit.tasks}
        before = known.get(mark.code)
        if before is not None and (before.get("at", ""), before.get("seq", 0)) > (at.isoformat(), self.seq):
            return
        known[mark.code] = {
            **checklist[mark.code].model_dump(),
            "done": mark.state is TaskState.DONE,
            "state": str(mark.state),
            "reason": mark.reason,
            "at": at.isoformat(),
            "seq": self.seq,
        }
        self.visit.tasks = [known[code] for code in checklist if code in known]

    def add_note(self, words: str, at: datetime) -> None:
        """Put a note in its place by time, and the visit's note together anew."""
        entry = {"at": at.isoformat(), "seq": self.seq, "text": words}
        self.visit.notes = sorted([*self.visit.notes, entry], key=lambda one: (one["at"], one["seq"]))
        self.visit.note = "\n".join(one["text"] for one in self.visit.notes)


async def open_scene(work: Work, visit_id: UUID, vault: Vault | None = None) -> Scene:
    """The order, then the visit, locked and read anew. Raises ``NotFound``."""
    order = await lock_order(work, await repository.order_of(work, visit_id))
    return Scene(work, order, await repository.lock_visit(work, visit_id), vault)


def place_of(said: Evidence) -> Place:
    """Where the phone says it is."""
    known = said.latitude is not None and said.longitude is not None
    point = Point(said.latitude or 0.0, said.longitude or 0.0) if known else None
    return Place(point=point, accuracy_m=said.accuracy_m, is_mock=said.mock_location)


def evidence_of(scene: Scene, said: Evidence) -> dict[str, Any]:
    """What is kept of the phone's word; neither the start code nor the card is."""
    place = place_of(said)
    kept = said.model_dump(
        mode="json",
        include={"device_at", "sent_at", "latitude", "longitude", "accuracy_m", "mock_location"},
    )
    kept["distance_m"] = None if place.point is None else round(distance_m(place.point, scene.home))
    return kept
