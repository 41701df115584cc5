"""Handing a resident over, and following how it went. The platform never replaces 120: it keeps the record."""

from collections.abc import Sequence
from uuid import UUID

from services.alerts.service import read_alert, write_log
from services.audit.service import record_read
from services.core.database import Work
from services.core.errors import Forbidden, InvalidInput, NotFound
from services.core.versions import expect_version
from services.events import ReferralMade, ReferralMoved
from services.referrals import repository
from services.referrals.errors import NobodyToRefer
from services.referrals.models import Referral, ReferralCreate, ReferralMove, ReferralPublic
from services.referrals.states import REFERRAL, ReferralStatus
from services.residents.service import may_read_health

_SHOWN = ("kind", "institution", "reason", "outcome", "status")


async def refer(work: Work, resident_id: UUID, said: ReferralCreate) -> ReferralPublic:
    """Hand a resident over without an alert. ``NotFound`` out of reach."""
    await _may(work, resident_id)
    home = await repository.home_of(work, resident_id)
    if home is None:
        raise NotFound
    return _made(work, resident_id, home[1], home[0], None, said)


async def refer_from_alert(work: Work, alert_id: UUID, said: ReferralCreate) -> ReferralPublic:
    """Hand over the resident of an alert; a line in the alert's log. ``NobodyToRefer`` when it has none."""
    alert = await read_alert(work, alert_id)
    if alert.resident_id is None:
        raise NobodyToRefer
    await _may(work, alert.resident_id)
    made = _made(work, alert.resident_id, alert.centre_id, alert.area_code, alert.id, said)
    write_log(work, alert.id, alert.area_code, "referred", referral_id=str(made.id), kind=made.kind.value)
    return made


async def move_referral(
    work: Work, referral_id: UUID, said: ReferralMove, if_match: int | None = None
) -> ReferralPublic:
    """Received, returned or closed. ``NotFound``, ``VersionMismatch``, ``IllegalTransition``."""
    referral = await repository.lock_referral(work, referral_id)
    if referral is None:
        raise NotFound
    await _may(work, referral.resident_id)
    expect_version(referral, if_match)
    REFERRAL.move(work, referral, said.status)
    if said.status is ReferralStatus.RECEIVED:
        referral.received_at = work.now
    else:
        referral.ended_at = referral.ended_at or work.now
    if said.note:
        referral.outcome = said.note
    work.record(
        ReferralMoved(
            area_code=referral.area_code,
            centre_id=referral.centre_id,
            referral_id=referral.id,
            alert_id=referral.alert_id,
            status=said.status.value,
        )
    )
    await record_read(work, [referral.resident_id], "referral", _SHOWN)
    return ReferralPublic.model_validate(referral)


async def list_referrals(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: Sequence[ReferralStatus],
    resident_id: UUID | None,
    alert_id: UUID | None,
) -> list[ReferralPublic]:
    """Referrals in reach, newest first; each resident shown leaves an access row."""
    rows = await repository.page_of_referrals(work, limit, cursor, statuses, resident_id, alert_id)
    await record_read(work, {row.resident_id for row in rows}, "referrals", _SHOWN)
    return [ReferralPublic.model_validate(row) for row in rows]


async def _may(work: Work, resident_id: UUID) -> None:
    """``NotFound`` out of reach, ``Forbidden`` for who may know nothing of health."""
    if not await may_read_health(work, resident_id):
        raise Forbidden


def _made(
    work: Work, resident_id: UUID, centre_id: UUID, area_code: str, alert_id: UUID | None, said: ReferralCreate
) -> ReferralPublic:
    at = said.handed_over_at or work.now
    if at > work.now:
        raise InvalidInput("not in the future", field="handed_over_at")
    referral = Referral(
        resident_id=resident_id,
        alert_id=alert_id,
        centre_id=centre_id,
        area_code=area_code,
        kind=said.kind,
        status=ReferralStatus.HANDED_OVER,
        institution=said.institution,
        reason=said.reason,
        handed_over_at=at,
        handed_over_by=work.actor.account_id,
    )
    work.session.add(referral)
    REFERRAL.begin(work, referral)
    work.record(
        ReferralMade(
            area_code=area_code,
            centre_id=centre_id,
            referral_id=referral.id,
            alert_id=alert_id,
            kind=said.kind.value,
        )
    )
    return ReferralPublic.model_validate(referral)
