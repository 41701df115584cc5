"""What the family sees of a resident's visits."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel
from pydantic import Field as Described


class FeedStep(StrEnum):
    PLANNED = "planned"
    ON_THE_WAY = "on_the_way"
    ARRIVED = "arrived"
    DONE = "done"
    NOBODY_HOME = "nobody_home"
    CANCELLED = "cancelled"


class FeedVisit(BaseModel):
    """One visit: who comes, and how far it has come. Nothing of what was found or measured."""

    visit_id: UUID
    order_id: UUID
    step: FeedStep
    caregiver_name: str
    profession: str
    service_zh: str = Described(description="The service by name only for those who may see health.")
    service_en: str
    starts_at: datetime = Described(description="Planned.")
    ends_at: datetime
    on_the_way_at: datetime | None
    arrived_at: datetime | None
    done_at: datetime | None
    is_late: bool
    tasks_done: int | None = Described(description="Of `tasks`; `null` for those who may not see health.")
    tasks: int | None
    confirmed_at: datetime | None = Described(description="When the resident signed for it.")


class VisitFeed(BaseModel):
    """The visits of a resident, newest first."""

    resident_id: UUID
    sharing: Literal["own", "full", "steps", "none"] = Described(
        description="`none`: the resident has not agreed that this account follows her visits; nothing is shown."
    )
    items: list[FeedVisit]
    next_cursor: str | None = None
