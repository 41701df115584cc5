"""Readings."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from api.deps import WorkDep
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.service import latest_vitals, vitals_between

router = APIRouter(prefix="/residents/{resident_id}/vitals", tags=["vitals"])


class ReadingPublic(BaseModel):
    """One value. Units (UCUM): /min, %, mm[Hg], Cel, mmol/L, count."""

    model_config = ConfigDict(from_attributes=True)

    kind: ReadingKind
    measured_at: datetime
    value: float
    quality: Quality
    clock_corrected: bool
    terminal_id: UUID


@router.get("/latest", operation_id="get_latest_vitals", summary="The newest reading of each kind")
async def get_latest_vitals(resident_id: UUID, work: WorkDep) -> list[ReadingPublic]:
    """Only values that are measurements; a sensor that is off shows nothing. The read is audited."""
    return [ReadingPublic.model_validate(reading) for reading in await latest_vitals(work, resident_id)]


@router.get("", operation_id="list_vitals", summary="Readings of a kind in a stretch of time")
async def list_vitals(
    resident_id: UUID,
    work: WorkDep,
    kind: ReadingKind,
    start: Annotated[AwareDatetime | None, Query(description="Inclusive; default a day before the end.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="Exclusive; default now.")] = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> list[ReadingPublic]:
    """Newest first, `no_data` values included and marked. The read is audited."""
    until = end or work.now + timedelta(minutes=10)
    since = start or until - timedelta(days=1)
    readings = await vitals_between(work, resident_id, kind, since, until, limit)
    return [ReadingPublic.model_validate(reading) for reading in readings]
