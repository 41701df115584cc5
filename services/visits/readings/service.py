"""A reading taken by hand: on the visit, and from there into the resident's vital record."""

from datetime import datetime
from uuid import UUID

from services.core.database import Work
from services.core.ids import new_id
from services.events import VisitReadingTaken, VisitReadingVoided
from services.rules.by_hand import Measured, take_by_hand
from services.visits.models import Visit, VisitReading
from services.visits.readings import repository
from services.visits.readings.models import VisitReading as Record
from services.visits.readings.plausibility import require_plausible, values_of
from services.vitals.repository import void_source


def record_reading(
    work: Work, visit: Visit, reading: VisitReading, measured_at: datetime, correction_id: UUID | None = None
) -> Record:
    """Write down one measurement of a locked visit. Raises ``ImplausibleReading``.

    The vital record and its rules follow by the event: only the worker may write there.
    """
    require_plausible(reading)
    row = Record(
        id=new_id(),
        visit_id=visit.id,
        resident_id=visit.resident_id,
        caregiver_id=visit.caregiver_id,
        centre_id=visit.centre_id,
        area_code=visit.area_code,
        kind=str(reading.kind),
        value=reading.value,
        systolic=reading.systolic,
        diastolic=reading.diastolic,
        measured_at=measured_at,
        received_at=work.now,
        taken_by=work.actor.account_id,
        correction_id=correction_id,
    )
    work.session.add(row)
    shown = {"id": str(row.id), "at": measured_at.isoformat()} | reading.model_dump(
        mode="json", include={"kind", "value", "systolic", "diastolic"}, exclude_none=True
    )
    visit.readings = sorted([*visit.readings, shown], key=_place)
    work.record(
        VisitReadingTaken(
            area_code=visit.area_code, centre_id=visit.centre_id, visit_id=visit.id, reading_id=row.id
        )
    )
    return row


async def into_vital_record(work: Work, event: VisitReadingTaken) -> None:
    """Store a measurement with the resident's vitals and let her rules judge it. For the handlers; idempotent."""
    row = await repository.reading_of(work, event.reading_id)
    if row is None or row.voided_at is not None:
        return
    reading = VisitReading.model_validate(row.model_dump(include={"kind", "value", "systolic", "diastolic"}))
    await take_by_hand(
        work,
        Measured(
            source_id=row.id,
            resident_id=row.resident_id,
            centre_id=row.centre_id,
            area_code=row.area_code,
            measured_at=row.measured_at,
            received_at=row.received_at,
            values=values_of(reading),
        ),
    )


async def out_of_vital_record(work: Work, event: VisitReadingVoided) -> None:
    """A correction has found it wrong: it counts no more. For the handlers; idempotent."""
    row = await repository.reading_of(work, event.reading_id)
    if row is not None:
        await void_source(work, row.id, row.measured_at)


def void_reading(work: Work, visit: Visit, row: Record, correction_id: UUID) -> None:
    """Take a wrong one out of what is shown; it stays on record with the correction that did it."""
    row.voided_at, row.voided_by_correction = work.now, correction_id
    visit.readings = [one for one in visit.readings if one.get("id") != str(row.id)]
    work.record(
        VisitReadingVoided(
            area_code=visit.area_code, centre_id=visit.centre_id, visit_id=visit.id, reading_id=row.id
        )
    )


def _place(shown: dict[str, object]) -> tuple[str, str, str]:
    """By time and kind, not by arrival; the value settles what is left."""
    values = str([shown.get(name) for name in ("value", "systolic", "diastolic")])
    return str(shown.get("at", "")), str(shown.get("kind", "")), values
