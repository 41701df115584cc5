"""Invented provider institutions of the demo county, and the working time that live-in nurses have agreed to."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from uuid import UUID

from ops.demo.areas import COUNTY
from ops.demo.ids import Seed
from ops.demo.staff import Member
from services.caregivers.models import WorkLimit
from services.institutions.models import Institution, InstitutionKind
from services.institutions.states import InstitutionStatus

_KINDS = {
    "health": ("示范卫生院联合体（虚构）", InstitutionKind.HEALTH_CENTRE, True, InstitutionStatus.ACTIVE),
    "care": ("示范居家养老服务社（虚构）", InstitutionKind.HOME_CARE, False, InstitutionStatus.ACTIVE),
    "former": ("示范康护站（虚构，已暂停）", InstitutionKind.CLINIC, False, InstitutionStatus.SUSPENDED),
}
"""Nobody works for the last one: it stands for what a suspended institution looks like."""

_SENT_BY = {
    "care_worker": "care",
    "nurse": "health",
    "therapist": "health",
    "village_doctor": "health",
    "tcm_doctor": "health",
}
"""Profession → who sends her; the others are the centres' own."""


def institution_of(seed: Seed, profession: str) -> UUID | None:
    """The institution that sends people of a profession."""
    key = _SENT_BY.get(profession)
    return None if key is None else seed.key("institution", key)


def institutions(seed: Seed, now: datetime) -> Iterator[Institution]:
    """The institutions."""
    for place, (key, (name, kind, is_public, status)) in enumerate(_KINDS.items(), start=1):
        yield Institution(
            id=seed.key("institution", key),
            area_code=COUNTY,
            name=name,
            kind=kind,
            is_public=is_public,
            licence_number=f"SF-XKZ-{place:04d}",
            licence_issuer="示范发证机关（虚构）",
            licence_from=date(2024, 1, 1),
            licence_until=date(2030, 12, 31),
            agreement_from=date(2025, 1, 1),
            agreement_until=date(2030, 12, 31),
            review_due=date(now.year + 1, 1, 31),
            status=status,
            created_at=now,
        )


def work_limits(team: Iterable[Member], now: datetime) -> Iterator[WorkLimit]:
    """Who lives in is there at any hour; the invented reason says so."""
    for member in team:
        if member.post.pattern == "always":
            yield WorkLimit(
                caregiver_id=member.caregiver_id,
                area_code=member.town.code,
                day_minutes=1440,
                week_minutes=10_080,
                rest_minutes=0,
                reason="住家值守（示范数据）",
                set_at=now,
            )
