"""A credential, shifts, leave, a swap, a template, a pair and an institution for a case of the tests' world.

The colleague is a caregiver of the case's own: whoever tests who may do what finds nobody else's in her way.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from services.caregivers.limits import local_day, monday_of
from services.caregivers.models import (
    Absence,
    AbsenceKind,
    AskedBy,
    BlockedPair,
    Caregiver,
    Credential,
    RotaTemplate,
    Shift,
    ShiftSwap,
    TravelMode,
)
from services.caregivers.states import AbsenceStatus, CredentialStatus, ShiftSwapStatus
from services.core.database import Work
from services.institutions.models import Institution, InstitutionKind
from services.institutions.states import InstitutionStatus
from services.residents.models import Gender
from tests.people import Place

PAIR_REASON = "曾在服务中起过争执"
"""Why two are kept apart: for managers only."""


@dataclass(frozen=True, slots=True)
class StaffingKeys:
    """Their ids, and a moment of the case's own far ahead."""

    credential_id: UUID
    shift_id: UUID
    absence_id: UUID
    shift_swap_id: UUID
    template_id: UUID
    pair_id: UUID
    institution_id: UUID
    colleague_id: UUID
    far_ahead: datetime


def new_institution(work: Work, area_code: str, **facts: Any) -> Institution:
    """An institution in good standing, added to the session."""
    today = local_day(work.now)
    row = Institution(
        **{
            "area_code": area_code,
            "name": "示范居家养老服务社（虚构）",
            "kind": InstitutionKind.HOME_CARE,
            "licence_number": f"SF-{uuid4().hex}",
            "licence_issuer": "示范发证机关（虚构）",
            "licence_from": date(2020, 1, 1),
            "licence_until": today + timedelta(days=700),
            "agreement_from": date(2020, 1, 1),
            "agreement_until": today + timedelta(days=700),
            "review_due": today + timedelta(days=300),
            "status": InstitutionStatus.ACTIVE,
            "created_at": work.now,
            **facts,
        }
    )
    work.session.add(row)
    return row


def new_colleague(work: Work, place: Place, **facts: Any) -> Caregiver:
    """One more caregiver of a centre, without shifts and licences, added to the session."""
    row = Caregiver(
        **{
            "centre_id": place.centre.id,
            "area_code": place.town,
            "name": "刘示范",
            "gender": Gender.FEMALE,
            "profession": "care_worker",
            "skills": ["bathing"],
            "travel_mode": TravelMode.SCOOTER,
            "home_latitude": 28.3,
            "home_longitude": 113.2,
            **facts,
        }
    )
    work.session.add(row)
    return row


async def add_staffing(work: Work, place: Place, number: int, minute: datetime) -> StaffingKeys:
    """Insert them. ``minute`` is the case's own: nothing of two cases overlaps."""
    caregiver = place.caregivers[number]
    far = minute + timedelta(days=30)
    institution = new_institution(work, place.county)
    colleague = new_colleague(work, place)
    await work.session.flush()
    today = local_day(work.now)
    credential = Credential(
        caregiver_id=caregiver.id,
        area_code=place.town,
        kind="health_certificate",
        issuer="测试机关",
        valid_from=today,
        valid_until=today + timedelta(days=900),
        status=CredentialStatus.RECORDED,
    )
    shift = Shift(
        caregiver_id=caregiver.id, area_code=place.town, starts_at=far, ends_at=far + timedelta(seconds=30)
    )
    absence = Absence(
        caregiver_id=caregiver.id,
        centre_id=place.centre.id,
        area_code=place.town,
        kind=AbsenceKind.LEAVE,
        status=AbsenceStatus.REQUESTED,
        starts_at=far + timedelta(days=1),
        ends_at=far + timedelta(days=1, seconds=30),
        requested_at=work.now,
    )
    template = RotaTemplate(
        centre_id=place.centre.id,
        area_code=place.town,
        name="早班",
        caregiver_ids=[str(colleague.id)],
        pattern=[{"weekday": 1, "starts": "08:00", "ends": "12:00", "kind": "work"}],
    )
    pair = BlockedPair(
        resident_id=place.households[number].resident.id,
        caregiver_id=colleague.id,
        area_code=place.households[number].resident.area_code,
        asked_by=AskedBy.FAMILY,
        reason=PAIR_REASON,
        created_at=work.now,
    )
    work.session.add_all((credential, shift, absence, template, pair))
    await work.session.flush()
    swap = ShiftSwap(
        centre_id=place.centre.id,
        area_code=place.town,
        from_caregiver_id=caregiver.id,
        to_caregiver_id=colleague.id,
        shift_id=shift.id,
        status=ShiftSwapStatus.REQUESTED,
        reason="家里有事",
        requested_at=work.now,
    )
    work.session.add(swap)
    return StaffingKeys(
        credential_id=credential.id,
        shift_id=shift.id,
        absence_id=absence.id,
        shift_swap_id=swap.id,
        template_id=template.id,
        pair_id=pair.id,
        institution_id=institution.id,
        colleague_id=colleague.id,
        far_ahead=far,
    )


def file_of(**facts: Any) -> dict[str, Any]:
    """What is written of a caregiver."""
    return {
        "name": "刘示范",
        "gender": "female",
        "profession": "care_worker",
        "skills": ["bathing", "walking_aid"],
        "travel_mode": "scooter",
        "home_latitude": 28.31,
        "home_longitude": 113.21,
        **facts,
    }


def institution_of(**facts: Any) -> dict[str, Any]:
    """What is written of an institution."""
    return {
        "name": "示范居家养老服务社（虚构）",
        "kind": "home_care",
        "licence_number": f"SF-{uuid4().hex}",
        "licence_issuer": "示范发证机关（虚构）",
        "licence_from": "2020-01-01",
        "licence_until": "2090-12-31",
        "agreement_from": "2020-01-01",
        "agreement_until": "2090-12-31",
        "review_due": "2090-01-31",
        **facts,
    }


class StaffedCase(Protocol):
    """What a case of the tests' world has of this."""

    centre_id: UUID
    resident_id: UUID
    colleague_id: UUID
    shift_id: UUID
    far_ahead: datetime
    now: datetime


def staffing_bodies(case: StaffedCase) -> dict[str, dict[str, Any]]:
    """A good body for every operation of caregivers, rotas and institutions."""
    far, now, today = case.far_ahead, case.now, local_day(case.now)
    later = far + timedelta(days=2)
    week = monday_of(local_day(far)) + timedelta(days=70)
    stretch = {"starts_at": later.isoformat(), "ends_at": (later + timedelta(seconds=30)).isoformat()}
    days = {"valid_from": today.isoformat(), "valid_until": (today + timedelta(days=400)).isoformat()}
    travel = {"travel_mode": "car", "home_latitude": 28.3, "home_longitude": 113.2}
    pattern = [{"weekday": 2, "starts": "08:00", "ends": "12:00"}]
    team = {"name": "早班组", "caregiver_ids": [str(case.colleague_id)], "pattern": pattern}
    why = {"reason": "测试需要"}
    return {
        "take_on_caregiver": {"centre_id": str(case.centre_id), **file_of()},
        "change_caregiver": file_of(name="周素芬"),
        "change_caregiver_travel": travel,
        "keep_caregiver_numbers": {"phone": "13800001234"},
        "reveal_caregiver_number": {"field": "phone", "purpose": "通知临时调班"},
        "record_departure": {"left_at": (now + timedelta(days=2000)).isoformat(), "reason": "合同到期"},
        "set_work_limits": {"day_minutes": 1440, "week_minutes": 10080, "rest_minutes": 0, "reason": "测试"},
        "record_caregiver_credential": {
            "kind": "health_certificate",
            "issuer": "测试机关",
            "number": f"HC{uuid4().hex}",
            "valid_from": today.isoformat(),
            "valid_until": (today + timedelta(days=400 + far.minute + 60 * far.hour)).isoformat(),
        },
        "change_caregiver_credential": {"issuer": "测试机关二", **days},
        "verify_caregiver_credential": {"note": "已核对原件"},
        "reject_caregiver_credential": why,
        "revoke_caregiver_credential": why,
        "block_pair": {
            "resident_id": str(case.resident_id),
            "caregiver_id": str(case.colleague_id),
            "asked_by": "family",
            "reason": PAIR_REASON,
        },
        "lift_pair": why,
        "copy_rota_week": {
            "from_monday": week.isoformat(),
            "to_mondays": [(week + timedelta(days=7)).isoformat()],
        },
        "publish_rota_week": {"monday": week.isoformat()},
        "create_rota_template": {"centre_id": str(case.centre_id), **team},
        "change_rota_template": team,
        "apply_rota_template": {"mondays": [week.isoformat()]},
        "plan_shift": stretch,
        "change_shift": {
            "starts_at": far.isoformat(),
            "ends_at": (far + timedelta(seconds=20)).isoformat(),
        },
        "cancel_shift": {},
        "report_absence": {"kind": "sick", **stretch},
        "approve_absence": {"note": "同意"},
        "decline_absence": {"note": "人手不够"},
        "change_absence_end": {"ends_at": (far + timedelta(days=1, seconds=20)).isoformat()},
        "approve_shift_swap": {"note": "同意"},
        "refuse_shift_swap": {"note": "人手不够"},
        "change_my_travel": travel,
        "request_my_absence": {"kind": "training", **stretch},
        "request_shift_swap": {
            "shift_id": str(case.shift_id),
            "to_caregiver_id": str(case.colleague_id),
            "reason": "家里有事",
        },
        "admit_institution": institution_of(),
        "change_institution": institution_of(),
        "suspend_institution": why,
        "resume_institution": why,
        "let_institution_go": why,
        "record_institution_review": {
            "held_on": today.isoformat(),
            "result": "passed",
            "next_due": (today + timedelta(days=365)).isoformat(),
        },
    }
