"""The demo plays the payer and the provider: it starts a payment and reports it, each in its own unit of work."""

from uuid import UUID

from services.core.actor import SYSTEM, Actor
from services.core.database import Database
from services.core.errors import NotFound
from services.payments.models import NoticeKind, PaymentState, ProviderNotice
from services.payments.providers import Provider
from services.payments.service import payment_state, start_payment, take_notice


async def pay(database: Database, actor: Actor, order_id: UUID, provider: Provider | None) -> PaymentState:
    """Pay as the household would. ``NotFound`` where the demo's provider is not in use."""
    if provider is None or provider.name != "demo":
        raise NotFound
    async with database.unit_of_work(actor) as work:
        started = await start_payment(work, order_id, provider)
    said = ProviderNotice(
        notice_id=f"demo-{started.id}",
        kind=NoticeKind.PAID,
        reference=started.reference,
        amount_fen=started.amount_fen,
    )
    async with database.unit_of_work(SYSTEM) as work:
        await take_notice(work, provider.name, said)
    async with database.unit_of_work(actor) as work:
        return await payment_state(work, order_id)
