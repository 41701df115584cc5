"""What the API takes and gives of recurring plans."""

import itertools
from datetime import date, datetime, time
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.care_plans.models import HolidayPolicy
from services.care_plans.states import PlanStatus
from services.core.calendar import Day
from services.core.refused import refused
from services.orders.models import Channel, WindowPublic
from services.orders.states import OrderStatus
from services.orders.wishes import MOST_ITEMS, AskedItem, Caller, Wishes

MOST_TIMES = 4
MOST_DAYS = 200

Minute = Annotated[time, Field(description="Local time, whole minutes.", examples=["09:00"])]


class Times(BaseModel):
    """A time of the day in which the visit may lie as a whole; local time of the business calendar."""

    model_config = ConfigDict(extra="forbid")

    start: Minute
    end: Minute

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start.tzinfo is not None or self.end.tzinfo is not None or self.end <= self.start:
            raise refused("ends_before_start", "start", "end")
        return self

    def pair(self) -> list[str]:
        """As a plan keeps it."""
        return [self.start.strftime("%H:%M"), self.end.strftime("%H:%M")]


def _apart(times: list[Times]) -> None:
    ordered = sorted(times, key=lambda one: one.start)
    if any(later.start < earlier.end for earlier, later in itertools.pairwise(ordered)):
        raise refused("windows_overlap", "times")


class PlanContent(BaseModel):
    """What is done again and again, and when. ``rrule`` is an RFC 5545 rule of days; the hours are ``times``."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "每周两次助浴",
                    "items": [{"item_code": "bathing", "quantity": 1}],
                    "rrule": "FREQ=WEEKLY;BYDAY=TU,TH",
                    "starts_on": "2026-12-01",
                    "ends_on": "2027-05-31",
                    "times": [{"start": "09:00", "end": "11:30"}],
                    "holiday_policy": "move",
                }
            ]
        },
    )

    title: str = Field("", max_length=60)
    items: list[AskedItem] = Field(min_length=1, max_length=MOST_ITEMS)
    rrule: str = Field(
        min_length=6,
        max_length=300,
        description="FREQ=DAILY, WEEKLY, MONTHLY or YEARLY with INTERVAL, COUNT or UNTIL, BYDAY, BYMONTHDAY, "
        "BYMONTH, BYSETPOS, WKST. A month that lacks a day is left out.",
    )
    starts_on: Day = Field(description="The first day; days before it are never served.")
    ends_on: Day | None = Field(None, description="The last day, included.")
    times: list[Times] = Field(min_length=1, max_length=MOST_TIMES, description="Alternatives of each day.")
    exdates: list[Day] = Field([], max_length=MOST_DAYS, description="Days taken out (EXDATE).")
    rdates: list[Day] = Field(
        [], max_length=MOST_DAYS, description="Days put in (RDATE); holidays do not move them."
    )
    holiday_policy: HolidayPolicy = HolidayPolicy.KEEP
    wishes: Wishes = Wishes()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise refused("last_day_before_first", "starts_on", "ends_on")
        codes = [item.item_code for item in self.items]
        if len(set(codes)) < len(codes):
            raise refused("same_item_twice", "items")
        _apart(self.times)
        return self

    def pairs(self) -> list[list[str]]:
        """The times as a plan keeps them."""
        return sorted(one.pair() for one in self.times)


class PlanCreate(PlanContent):
    """A recurring plan for a resident."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "resident_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "title": "每周两次助浴",
                    "items": [{"item_code": "bathing", "quantity": 1}],
                    "rrule": "FREQ=WEEKLY;BYDAY=TU,TH",
                    "starts_on": "2026-12-01",
                    "times": [{"start": "09:00", "end": "11:30"}],
                    "holiday_policy": "skip",
                    "wishes": {"preferred_gender": "female", "access": {"floor": 3, "has_lift": False}},
                }
            ]
        },
    )

    resident_id: UUID
    caller: Caller | None = Field(None, description="Who called, where the desk plans on the phone.")


class PauseCreate(BaseModel):
    """No visits on these days, both included; for example while she is in hospital."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"from_day": "2026-12-03", "reason": "住院"}]}
    )

    from_day: Day = Field(description="Today or later.")
    until_day: Day | None = Field(None, description="Open until somebody knows; then resume.")
    reason: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until_day is not None and self.until_day < self.from_day:
            raise refused("last_day_before_first", "from_day", "until_day")
        return self


class ResumeRequest(BaseModel):
    """The first day on which somebody comes again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"on_day": "2026-12-10"}]})

    on_day: Day


class EndRequest(BaseModel):
    """The last day of a plan, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"last_day": "2026-12-31", "reason": "转入养老院"}]}
    )

    last_day: Day = Field(description="Included; yesterday or before ends the plan at once.")
    reason: str = Field(min_length=1, max_length=200)


class OccurrenceChange(BaseModel):
    """What is different on this day alone; what is left out is as the plan says."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"times": [{"start": "14:00", "end": "16:30"}], "reason": "上午去县医院复查"}]
        },
    )

    service_day: Day | None = Field(None, description="Another day instead of this one.")
    times: list[Times] | None = Field(None, min_length=1, max_length=MOST_TIMES)
    items: list[AskedItem] | None = Field(None, min_length=1, max_length=MOST_ITEMS)
    note: str | None = Field(None, max_length=500)
    reason: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set - {"reason"}:
            raise refused("nothing_changed", "service_day", "times", "items", "note")
        if self.times is not None:
            _apart(self.times)
        codes = [item.item_code for item in self.items or []]
        if len(set(codes)) < len(codes):
            raise refused("same_item_twice", "items")
        return self


class OccurrenceCancel(BaseModel):
    """Why nobody comes on this day."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "女儿当天在家"}]})

    reason: str = Field(min_length=1, max_length=200)


class OccurrencePublic(BaseModel):
    """One day of a plan. ``day`` is the rule's own day and names it, ``service_day`` when somebody comes.

    ``state``: planned, ordered, changed, problem, cancelled, missed, paused, skipped (a holiday),
    merged (a holiday, and the next working day is taken), passed (before the plan was made).
    """

    day: date
    service_day: date
    state: str
    zh: str
    en: str
    windows: list[WindowPublic]
    items: list[AskedItem]
    holiday: dict[str, str] | None = Field(description="The public holiday on which `day` falls.")
    holidays_published: bool = Field(description="False: the year's holidays are not published; an ordinary day.")
    order_id: UUID | None
    order_status: OrderStatus | None
    problem: dict[str, Any] | None = Field(
        description="Why its order could not be made; tried again until the day."
    )
    reason: str | None


class PausePublic(BaseModel):
    """Days without visits."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    from_day: date
    until_day: date | None
    reason: str
    paused_at: datetime
    resumed_at: datetime | None


class PlanPublic(BaseModel):
    """A recurring plan. ``problems`` are the days ahead whose orders could not be made."""

    id: UUID
    resident_id: UUID
    resident_name: str
    centre_id: UUID
    area_code: str
    title: str
    zh: str
    en: str
    items: list[AskedItem]
    rrule: str
    starts_on: date
    ends_on: date | None
    times: list[Times]
    exdates: list[date]
    rdates: list[date]
    holiday_policy: HolidayPolicy
    holidays_published_until: date = Field(description="Later days are treated as ordinary ones until then.")
    wishes: Wishes
    status: PlanStatus
    channel: Channel
    planned_at: datetime
    end_reason: str | None
    orders_made_until: date | None
    is_paused: bool
    pauses: list[PausePublic]
    problems: list[OccurrencePublic]
    failure: str | None = Field(description="What kept the platform from looking at the plan last time.")
    version: int


class PlanPreview(BaseModel):
    """What a plan would do, before it is made."""

    zh: str
    en: str
    rrule: str
    occurrences: list[OccurrencePublic]
