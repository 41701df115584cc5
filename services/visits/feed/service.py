"""The visit feed: the resident sees her own; her family as far as she has agreed."""

from typing import Literal
from uuid import UUID

from services.audit.service import record_read
from services.consents.models import ConsentPurpose
from services.consents.service import has_consent
from services.core.actor import Role
from services.core.database import Work
from services.events import VisitEnded, VisitMoved
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify
from services.orders.rules import masked_name
from services.residents.service import may_read_health, require_resident
from services.visits.feed import repository
from services.visits.feed.models import FeedStep, FeedVisit, VisitFeed
from services.visits.feed.repository import FeedRow
from services.visits.repository import resident_of
from services.visits.states import VisitStatus
from services.visits.watch.service import followers

_STEPS = {
    VisitStatus.SCHEDULED: FeedStep.PLANNED,
    VisitStatus.EN_ROUTE: FeedStep.ON_THE_WAY,
    VisitStatus.IN_SERVICE: FeedStep.ARRIVED,
    VisitStatus.NO_SHOW: FeedStep.NOBODY_HOME,
    VisitStatus.CANCELLED: FeedStep.CANCELLED,
}
"""Every other status is done: that somebody checks the evidence is between the centre and the caregiver."""

Sharing = Literal["own", "full", "steps", "none"]


async def read_feed(work: Work, resident_id: UUID, limit: int, cursor: UUID | None) -> VisitFeed:
    """A page of the feed. Raises ``NotFound`` out of reach; without consent it says so and shows nothing."""
    await require_resident(work, resident_id)
    sharing = await _sharing(work, resident_id)
    if sharing == "none":
        return VisitFeed(resident_id=resident_id, sharing=sharing, items=[])
    rows = await repository.feed_page(work, resident_id, limit, cursor)
    await record_read(work, [resident_id], "visit_feed", ["caregiver", "times", "step"])
    return VisitFeed(
        resident_id=resident_id,
        sharing=sharing,
        items=[_shown(row, sharing) for row in rows],
        next_cursor=str(rows[-1].visit.id) if len(rows) == limit else None,
    )


async def tell_family(work: Work, event: VisitMoved | VisitEnded) -> None:
    """On the way, arrived, done: one message each, to those whom she lets follow. For the handlers."""
    step = _STEPS.get(VisitStatus(event.status), FeedStep.DONE)
    resident_id = await resident_of(work, event.visit_id)
    if resident_id is None or step in (FeedStep.PLANNED, FeedStep.CANCELLED):
        return
    people = [Recipient(account_id=account_id) for account_id in await followers(work, resident_id)]
    if not people:
        return
    notice = Notice(
        key=f"visit:{event.visit_id}:{step}",
        template="visit_step",
        area_code=event.area_code,
        centre_id=event.centre_id,
        parameters={"visit_step": str(step)},
        is_life_safety=False,
    )
    await notify(work, notice, people, [Channel.APP])


async def _sharing(work: Work, resident_id: UUID) -> Sharing:
    actor = work.actor
    if actor.role is Role.RESIDENT and actor.person_id == resident_id:
        return "own"
    if not await has_consent(work, resident_id, ConsentPurpose.FAMILY_FEED, str(actor.account_id)):
        return "none"
    return "full" if await may_read_health(work, resident_id) else "steps"


def _shown(row: FeedRow, sharing: Sharing) -> FeedVisit:
    """What is ordered tells of health as well: without that consent a visit is a visit."""
    visit, health = row.visit, sharing != "steps"
    step = _STEPS.get(visit.status, FeedStep.DONE)
    item = row.order.lines[0]["item"]
    over = step in (FeedStep.DONE, FeedStep.NOBODY_HOME)
    return FeedVisit(
        visit_id=visit.id,
        order_id=visit.order_id,
        step=step,
        caregiver_name=row.caregiver_name if health else masked_name(row.caregiver_name),
        profession=row.profession,
        service_zh=item["name_zh"] if health else "上门服务",
        service_en=item["name_en"] if health else "Home visit",
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        on_the_way_at=visit.en_route_at,
        arrived_at=visit.care_started_at,
        done_at=(visit.care_ended_at or visit.check_out_at) if over else None,
        is_late=row.is_late,
        tasks_done=sum(bool(task.get("done")) for task in visit.tasks) if health else None,
        tasks=len(visit.tasks) if health else None,
        confirmed_at=visit.confirmed_at,
    )
