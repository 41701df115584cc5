"""Paying the household's part of a bill, and what providers tell."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, status

from api.deps import ActorDep, HouseDep, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.actor import SYSTEM
from services.payments import demo, service
from services.payments.models import (
    CashPayment,
    NoticeTaken,
    PaymentPublic,
    PaymentState,
    ProviderNotice,
    RefundDone,
    RefundPublic,
    RefundWanted,
)
from services.payments.providers import check_notice, provider_in_use

router = APIRouter(tags=["payments"])


@router.get("/orders/{order_id}/payments", operation_id="get_payment_state", summary="What is owed and paid")
async def get_payment_state(work: WorkDep, order_id: UUID) -> PaymentState:
    """Of the household's part of the order's bill."""
    return await service.payment_state(work, order_id)


@router.post(
    "/orders/{order_id}/payments",
    operation_id="start_payment",
    summary="Pay what is owed",
    status_code=status.HTTP_201_CREATED,
    response_model=PaymentPublic,
)
async def start_payment(work: WorkDep, house: HouseDep, once: OnceDep, order_id: UUID) -> Any:
    """Gives where to pay. A payment that is pending already is shown again: a second tap pays nothing twice."""
    return await once(work, lambda: service.start_payment(work, order_id, provider_in_use(house.settings)))


@router.post(
    "/orders/{order_id}/payments/cash",
    operation_id="take_cash",
    summary="Money was handed over",
    status_code=status.HTTP_201_CREATED,
    response_model=PaymentPublic,
)
async def take_cash(work: WorkDep, once: OnceDep, order_id: UUID, said: CashPayment) -> Any:
    """All that is owed, against a numbered receipt (`amount_differs` otherwise)."""
    return await once(work, lambda: service.take_cash(work, order_id, said))


@router.post("/orders/{order_id}/payments/demo", operation_id="pay_in_demo", summary="Play the payer")
async def pay_in_demo(actor: ActorDep, house: HouseDep, order_id: UUID) -> PaymentState:
    """In the demo only: as if the provider had reported what the payer just did."""
    return await demo.pay(house.database, actor, order_id, provider_in_use(house.settings))


@router.post("/payments/notices/{provider}", operation_id="take_payment_notice", summary="A provider reports")
async def take_payment_notice(
    provider: str,
    said: ProviderNotice,
    request: Request,
    house: HouseDep,
    timestamp: Annotated[str, Header(alias="X-Guoyuan-Timestamp", description="Seconds since 1970.")] = "",
    signature: Annotated[
        str, Header(alias="X-Guoyuan-Signature", description="`sha256=` and the HMAC of `<seconds>.<body>`.")
    ] = "",
) -> NoticeTaken:
    """Signed by the provider in use. The same `notice_id` again changes nothing and gets the same answer."""
    body = await request.body()
    check_notice(house.settings, provider, timestamp, signature, body, house.clock.now())
    async with house.database.unit_of_work(SYSTEM) as work:
        return await service.take_notice(work, provider, said)


@router.post(
    "/orders/{order_id}/refunds",
    operation_id="want_refund",
    summary="Give back what was paid too much",
    status_code=status.HTTP_201_CREATED,
    response_model=PaymentState,
)
async def want_refund(work: WorkDep, once: OnceDep, order_id: UUID, said: RefundWanted) -> Any:
    """After a correction of a paid bill; the amount is the bill's to say."""
    return await once(work, lambda: service.want_refund(work, order_id, said.reason))


@router.get("/refunds", operation_id="list_refunds", summary="Money that is to go back")
async def list_refunds(work: WorkDep, page: PageDep) -> Page[RefundPublic]:
    """What waits for somebody at the centre, newest first."""
    rows = await service.list_refunds(work, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post("/refunds/{refund_id}/done", operation_id="finish_refund", summary="Money was handed back")
async def finish_refund(work: WorkDep, refund_id: UUID, said: RefundDone) -> RefundPublic:
    """Against a numbered receipt; a repeat changes nothing."""
    return await service.refund_by_hand(work, refund_id, said)
