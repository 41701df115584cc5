"""Readings."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, computed_field

from api.deps import WorkDep
from services.core.calendar import Moment
from services.reports.monthly.models import MonthlyVitals
from services.reports.monthly.service import monthly_vitals
from services.vitals.buckets import Bucket
from services.vitals.charts import DEFAULTS, Chart, read_chart, read_gaps
from services.vitals.kinds import UNITS, Quality, ReadingKind
from services.vitals.service import latest_vitals, vitals_between

router = APIRouter(prefix="/residents/{resident_id}/vitals", tags=["vitals"])


class ReadingPublic(BaseModel):
    """One value with its unit (UCUM) and code (LOINC).

    `terminal_id` is what it came from; of a value measured by hand, the record in the visit that says who did it.
    """

    model_config = ConfigDict(from_attributes=True)

    kind: ReadingKind
    measured_at: datetime
    value: float
    quality: Quality
    clock_corrected: bool
    terminal_id: UUID

    @computed_field(description="UCUM.", json_schema_extra={"examples": ["mm[Hg]"]})  # type: ignore[prop-decorator]
    @property
    def unit(self) -> str:
        """The unit that the value is in."""
        return UNITS[self.kind].ucum

    @computed_field(description="`null` where there is none.")  # type: ignore[prop-decorator]
    @property
    def loinc(self) -> str | None:
        """What other systems call the kind."""
        return UNITS[self.kind].loinc


class PointPublic(BaseModel):
    """One bucket: of its good readings; `no_data` counts the others. `null` where nothing good was measured."""

    model_config = ConfigDict(from_attributes=True)

    start: datetime
    minimum: float | None
    mean: float | None
    maximum: float | None
    count: int
    no_data: int


class SeriesPublic(BaseModel):
    """One kind's points, and its newest reading whenever that was."""

    kind: ReadingKind
    unit: str
    loinc: str | None
    latest: ReadingPublic | None
    points: list[PointPublic]


class ChartPublic(BaseModel):
    """Several kinds over one range, which is widened to whole buckets. Buckets without a reading are left out."""

    start: datetime
    end: datetime
    bucket: Bucket
    series: list[SeriesPublic]


class GapPublic(BaseModel):
    """A stretch without a good reading."""

    start: datetime
    end: datetime


class GapsPublic(BaseModel):
    """The gaps of one kind. `usual_seconds` is the median distance of its good readings in the range."""

    kind: ReadingKind
    usual_seconds: float | None
    longer_than_seconds: float
    gaps: list[GapPublic]


@router.get("/latest", operation_id="get_latest_vitals", summary="The newest reading of each kind")
async def get_latest_vitals(resident_id: UUID, work: WorkDep) -> list[ReadingPublic]:
    """Only values that are measurements; a sensor that is off shows nothing. The read is audited."""
    return [ReadingPublic.model_validate(reading) for reading in await latest_vitals(work, resident_id)]


@router.get("", operation_id="list_vitals", summary="Readings of a kind in a stretch of time")
async def list_vitals(
    resident_id: UUID,
    work: WorkDep,
    kind: ReadingKind,
    start: Annotated[Moment | None, Query(description="Inclusive; default a day before the end.")] = None,
    end: Annotated[Moment | None, Query(description="Exclusive; default now.")] = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> list[ReadingPublic]:
    """Newest first, `no_data` values included and marked. The read is audited."""
    until = end or work.now + timedelta(minutes=10)
    since = start or until - timedelta(days=1)
    readings = await vitals_between(work, resident_id, kind, since, until, limit)
    return [ReadingPublic.model_validate(reading) for reading in readings]


@router.get("/chart", operation_id="get_vitals_chart", summary="Minimum, mean, maximum and count by bucket")
async def get_vitals_chart(
    resident_id: UUID,
    work: WorkDep,
    kind: Annotated[list[ReadingKind], Query(min_length=1, max_length=8, description="One or several.")],
    start: Annotated[Moment | None, Query(description="Inclusive; default a day before the end.")] = None,
    end: Annotated[Moment | None, Query(description="Exclusive; default now.")] = None,
    bucket: Annotated[Bucket | None, Query(description="Default: the narrowest that gives `points`.")] = None,
    points: Annotated[int, Query(ge=1, le=DEFAULTS.most_points)] = DEFAULTS.points,
) -> ChartPublic:
    """Days, weeks and months are those of Asia/Shanghai. Up to date to the last reading. The read is audited."""
    until = end or work.now + timedelta(minutes=10)
    since = start or until - timedelta(days=1)
    kinds = list(dict.fromkeys(kind))
    return _shown(await read_chart(work, resident_id, kinds, since, until, bucket, points), kinds)


@router.get("/gaps", operation_id="list_vitals_gaps", summary="Stretches without good data")
async def list_vitals_gaps(
    resident_id: UUID,
    work: WorkDep,
    kind: ReadingKind,
    start: Annotated[Moment | None, Query(description="Default a week before the end.")] = None,
    end: Annotated[Moment | None, Query(description="Default now; at most 31 days.")] = None,
    longer_than_minutes: Annotated[
        int | None,
        Query(ge=1, le=44_640, description="Default: three times the usual distance of this sensor's readings."),
    ] = None,
) -> GapsPublic:
    """Also before the first reading of the range and after its last one. The read is audited."""
    until = end or work.now
    since = start or until - timedelta(days=7)
    longer = None if longer_than_minutes is None else timedelta(minutes=longer_than_minutes)
    found = await read_gaps(work, resident_id, kind, since, until, longer)
    return GapsPublic(
        kind=kind,
        usual_seconds=None if found.usual is None else found.usual.total_seconds(),
        longer_than_seconds=found.longer_than.total_seconds(),
        gaps=[GapPublic(start=gap[0], end=gap[1]) for gap in found.spans],
    )


@router.get("/monthly/{month}", operation_id="get_monthly_vitals", summary="A month of home monitoring")
async def get_monthly_vitals(
    resident_id: UUID,
    work: WorkDep,
    month: Annotated[str, Path(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])],
) -> MonthlyVitals:
    """For the clinician: what was measured, how regularly, and what became of it. Not a diagnosis. Audited."""
    return await monthly_vitals(work, resident_id, date.fromisoformat(f"{month}-01"))


def _shown(chart: Chart, kinds: list[ReadingKind]) -> ChartPublic:
    series = [
        SeriesPublic(
            kind=kind,
            unit=UNITS[kind].ucum,
            loinc=UNITS[kind].loinc,
            latest=ReadingPublic.model_validate(chart.latest[kind]) if kind in chart.latest else None,
            points=[
                PointPublic(
                    start=point.start,
                    minimum=point.minimum,
                    mean=point.mean,
                    maximum=point.maximum,
                    count=point.readings,
                    no_data=point.no_data,
                )
                for point in chart.points[kind]
            ],
        )
        for kind in kinds
    ]
    return ChartPublic(start=chart.start, end=chart.end, bucket=chart.bucket, series=series)
