"""What a household agrees to beyond its quote, before the bill is made."""

from uuid import UUID

from services.billing import repository
from services.billing.errors import AlreadyBilled
from services.billing.models import BillAgreement
from services.billing.states import SettlementStatus
from services.billing.views import AgreementCreate, AgreementPublic
from services.core.database import Work
from services.core.errors import Forbidden
from services.orders.repository import lock_order
from services.orders.service import require_may_order


async def agree(work: Work, order_id: UUID, said: AgreementCreate) -> AgreementPublic:
    """Write an agreement down: by the household, or by the desk that has asked it. The largest extra time counts.

    Raises ``NotFound``, ``MayNotOrder``, ``AlreadyBilled`` once the bill is due.
    """
    order = await lock_order(work, order_id)
    await require_may_order(work, order.resident_id)
    account_id = work.actor.account_id
    if account_id is None:
        raise Forbidden
    bill = await repository.settlement_of(work, order.id)
    if bill is not None and bill.status is SettlementStatus.DUE:
        raise AlreadyBilled
    row = BillAgreement(
        order_id=order.id,
        resident_id=order.resident_id,
        area_code=order.area_code,
        extra_minutes=said.extra_minutes,
        circumstances=said.circumstances,
        note=said.note,
        account_id=account_id,
        role=str(work.actor.role),
        at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    return AgreementPublic.model_validate(row)
