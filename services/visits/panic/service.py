"""A caregiver's own call for help: at a visit and without one, never refused, limited or merged away."""

from services.alerts.models import Alert
from services.alerts.panic import service as alarms
from services.alerts.panic.models import CaregiverPanic
from services.alerts.states import LIVE, AlertStatus
from services.caregivers.models import Caregiver
from services.core.database import Work
from services.core.errors import Forbidden, NotFound
from services.core.ids import new_id
from services.notifications.addressing import STAFF_PURPOSE
from services.notifications.repository import staff_phone
from services.visits.panic.models import PanicPress, PanicPublic, PanicState
from services.visits.repository import current_visit

PHONE_PURPOSE = "caregiver.phone"
_WORDS = {
    AlertStatus.OPEN: ("中心已收到您的求助，正在接警", "The centre has your call; somebody is taking it"),
    AlertStatus.ACKNOWLEDGED: ("中心已接警，正在联系您", "Somebody has your call and will speak with you"),
    AlertStatus.RESPONDING: ("已派人赶来", "Help is on the way"),
    AlertStatus.ON_SCENE: ("救援人员已到场", "Help is there"),
}
_OVER = ("该次求助已处置完毕，如仍需帮助请再按一次", "This call is closed; press again if you still need help")


async def press(work: Work, said: PanicPress) -> PanicPublic:
    """Raise the alarm, or once more on the live one; the same press twice has one effect."""
    caregiver_id, centre_id = work.actor.person_id, work.actor.centre_id
    if caregiver_id is None or centre_id is None:
        raise Forbidden
    name, sealed, purpose = await _card(work)
    here = await current_visit(work, caregiver_id)
    visit, order = here if here is not None else (None, None)
    # A clock in our future cannot be when she pressed.
    pressed_at = work.now if said.device_at is None else min(said.device_at, work.now)
    stored, status, known = await alarms.press(
        work,
        CaregiverPanic(
            id=new_id(),
            client_id=said.id,
            caregiver_id=caregiver_id,
            centre_id=centre_id,
            area_code=work.actor.area_code,
            name=name,
            phone_encrypted=sealed,
            phone_purpose=purpose,
            pressed_at=pressed_at,
            received_at=work.now,
            latitude=None if said.longitude is None else said.latitude,
            longitude=None if said.latitude is None else said.longitude,
            accuracy_m=said.accuracy_m,
            visit_id=None if visit is None else visit.id,
            visit_address=None if order is None else order.address,
            visit_latitude=None if order is None else order.latitude,
            visit_longitude=None if order is None else order.longitude,
        ),
    )
    alert = await work.session.get(Alert, stored.alert_id)
    return _public(stored, alert, status, is_repeat=known)


async def read(work: Work) -> PanicState:
    """How far help has come for her newest press."""
    caregiver_id = work.actor.person_id
    found = None if caregiver_id is None else await alarms.live_alert_of(work, caregiver_id)
    if found is None:
        return PanicState(press=None)
    panic, alert = found
    return PanicState(press=_public(panic, alert, alert.status, is_repeat=False))


async def _card(work: Work) -> tuple[str, str | None, str | None]:
    """Her name and a number at which she can be reached, still sealed: her file's, else that of her account."""
    caregiver = await work.session.get(Caregiver, work.actor.person_id)
    name = work.actor.display_name if caregiver is None else caregiver.name
    if caregiver is not None and caregiver.phone_encrypted is not None:
        return name, caregiver.phone_encrypted, PHONE_PURPOSE
    account_id = work.actor.account_id
    phone = None if account_id is None else await staff_phone(work, account_id)
    if phone is None or phone.phone_encrypted is None:
        return name, None, None
    return name, phone.phone_encrypted, STAFF_PURPOSE


def _public(panic: CaregiverPanic, alert: Alert | None, status: AlertStatus, *, is_repeat: bool) -> PanicPublic:
    if alert is None:
        raise NotFound
    words_zh, words_en = _WORDS[status] if status in LIVE else _OVER
    return PanicPublic(
        press_id=panic.client_id,
        alert_id=alert.id,
        status=status,
        received_at=panic.received_at,
        acknowledged_at=alert.acknowledged_at,
        responding_at=alert.responding_at,
        is_repeat=is_repeat,
        words_zh=words_zh,
        words_en=words_en,
    )
