"""What the API takes and shows of day plans. Words are made when somebody reads, so that no name is stored."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from services.core.calendar import Day
from services.dispatch.day_plans.models import PlanKind, RepairCause
from services.dispatch.day_plans.states import ItemChange, ItemResult, PlanStatus
from services.planning.problem import EngineName


class PlanOptions(BaseModel):
    """How to plan a day."""

    model_config = ConfigDict(extra="forbid")

    seconds: float | None = Described(None, ge=0.2, le=60, description="Time to think; the default is data.")
    engine: EngineName = EngineName.AUTO
    seed: int = Described(1, ge=0, le=2**31 - 1, description="Equal seeds and equal days give equal plans.")
    keep_assigned: bool = Described(
        False, description="Visits that somebody has stay as they are; only what is open is planned."
    )


class DayPlanCreate(BaseModel):
    """Which day of which centre."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "centre_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "day": "2026-11-24",
                    "options": {"seconds": 10, "keep_assigned": False},
                }
            ]
        },
    )

    centre_id: UUID
    day: Day
    options: PlanOptions = PlanOptions()


class PlanCommit(BaseModel):
    """What of a plan is to be done; without a selection, all of it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"strict": False}]})

    caregiver_ids: list[UUID] = Described(
        [], max_length=500, description="Only changes that give these caregivers a visit or take one from them."
    )
    order_ids: list[UUID] = Described([], max_length=2000, description="Only these orders.")
    strict: bool = Described(False, description="Refuse the whole when a part no longer holds (`plan_stale`).")


class PlanDismiss(BaseModel):
    """Why a plan is not wanted."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=1, max_length=200, examples=["改由电话协调"])


class PinRequest(BaseModel):
    """Why a visit is fixed, or no longer."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=1, max_length=200, examples=["家属已与护理员约好时间"])


class PinPublic(BaseModel):
    """Whether plans leave a visit where it is."""

    visit_id: UUID
    is_pinned: bool
    reason: str | None
    pinned_at: datetime | None


class PlanningPolicyChange(BaseModel):
    """What the planner may do by itself."""

    model_config = ConfigDict(extra="forbid")

    repairs_commit_themselves: bool = Described(
        description="Repairs are carried out as soon as they are found, without a dispatcher.", examples=[False]
    )


class PlanningPolicyPublic(PlanningPolicyChange):
    """The same, as it stands; ``version`` 0 while nothing was set."""

    centre_id: UUID
    version: int


class Words(BaseModel):
    """A sentence in both languages."""

    zh: str
    en: str


class LeftOutReason(Words):
    """Why nobody was found, and how many caregivers this rules out."""

    code: str
    caregivers: int


class CaregiverLoad(BaseModel):
    """One caregiver's day, now and by the plan."""

    caregiver_id: UUID
    visits_before: int
    visits_after: int
    service_minutes_before: int
    service_minutes_after: int


class Figures(BaseModel):
    """A schedule in figures. ``waiting``: idle minutes between visits."""

    places: int
    assigned: int
    unassigned: int
    travel_minutes: int
    waiting_minutes: int


class PlanSummary(BaseModel):
    """What the plan would change."""

    before: Figures
    after: Figures
    added: int
    moved: int
    retimed: int
    dropped: int
    unassigned_by_reason: dict[str, int]
    loads: list[CaregiverLoad]
    rules_version: str


class DayPlanBrief(BaseModel):
    """A plan in a list."""

    id: UUID
    centre_id: UUID
    kind: PlanKind
    cause: RepairCause | None
    day: date
    status: PlanStatus
    order_id: UUID | None
    caregiver_id: UUID | None
    requested_at: datetime
    finished_at: datetime | None
    committed_at: datetime | None
    failure: str | None
    version: int


class PlanPlace(BaseModel):
    """One caregiver's place at one order."""

    order_id: UUID
    place_no: int
    resident_name: str = Described(description="Surname only, the rest masked.")
    area_code: str
    item_name_zh: str
    item_name_en: str
    is_urgent: bool
    window_start: datetime
    window_end: datetime
    change: ItemChange
    is_pinned: bool
    from_caregiver_id: UUID | None
    from_caregiver_name: str | None
    from_starts_at: datetime | None
    words: Words = Described(description="What would change, in a sentence.")
    result: ItemResult | None = Described(description="What became of it at a commit.")
    result_words: Words | None


class PlannedVisit(PlanPlace):
    """A place that somebody has."""

    starts_at: datetime
    ends_at: datetime
    travel_minutes: int = Described(description="The way to it.")
    gap_minutes: int = Described(description="Idle time before it, once there.")
    warning: Words | None = Described(
        description="What a person must look at: pinned to somebody who cannot come."
    )


class PlannedDay(BaseModel):
    """One caregiver's visits in order."""

    caregiver_id: UUID
    caregiver_name: str
    service_minutes: int
    travel_minutes: int
    visits: list[PlannedVisit]


class LeftOut(PlanPlace):
    """A place that nobody has."""

    reasons: list[LeftOutReason]


class DayPlanPublic(DayPlanBrief):
    """A preview. ``words`` says in a few sentences how it was made and what it changes."""

    options: PlanOptions
    engine: EngineName | None
    words: list[Words]
    summary: PlanSummary | None
    caregivers: list[PlannedDay]
    unassigned: list[LeftOut]


class CommitLine(BaseModel):
    """What became of one order."""

    order_id: UUID
    result: ItemResult
    reason: str | None
    words: Words


class PlanCommitted(BaseModel):
    """What was done, and what was left out because it no longer holds. A repeat gives the same."""

    plan: DayPlanBrief
    done: list[CommitLine]
    left_out: list[CommitLine]
