"""Callbacks of vendors' clouds, which send for devices that do not speak to our broker themselves."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, Field

from api.deps import HouseDep, IntakeDep
from services.core.actor import SYSTEM
from services.vendors.service import SignedCallback, admit, answer_before, keep_answer

router = APIRouter(tags=["callbacks"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["messages"],
                    "properties": {
                        "messages": {
                            "type": "array",
                            "maxItems": 500,
                            "items": {
                                "type": "object",
                                "required": ["device", "payload"],
                                "properties": {
                                    "device": {"type": "string", "description": "The serial number."},
                                    "channel": {"type": "string", "enum": ["alarm", "vitals", "status"]},
                                    "payload": {"description": "In the key's codec; text or base64 in a string."},
                                },
                            },
                        }
                    },
                    "example": {
                        "messages": [
                            {
                                "device": "SN-0001",
                                "channel": "alarm",
                                "payload": {"id": "1", "kind": "sos", "at": "2026-11-22T16:00:00+08:00"},
                            }
                        ]
                    },
                }
            }
        },
    }
}


class CallbackResult(BaseModel):
    """What became of one message. `stored`: committed. `refused`: kept as a dead letter, `code` says why."""

    device: str
    state: str
    code: str | None = None
    alert_ids: list[str] = Field(description="The alerts that its alarms opened or belong to.")


class CallbackAnswer(BaseModel):
    """One result for each message, in their order."""

    repeated: bool = Field(description="The same callback came before; this is its first answer.")
    results: list[CallbackResult]


@router.post(
    "/callbacks/{vendor_key_id}",
    operation_id="take_callback",
    summary="Readings and alarms from a vendor's cloud",
    openapi_extra=_BODY,
)
async def take_callback(
    vendor_key_id: UUID,
    request: Request,
    house: HouseDep,
    intake: IntakeDep,
    webhook_id: Annotated[str, Header(min_length=1, max_length=200, pattern=r"^[!-~]+$")],
    webhook_timestamp: Annotated[str, Header(max_length=20, description="Seconds since 1970.")],
    webhook_signature: Annotated[str, Header(max_length=1_000, description="`v1,` and base64 HMAC-SHA256.")],
) -> CallbackAnswer:
    """Signed as Standard Webhooks; what is answered `stored` has been committed. See `docs/callbacks.md`."""
    body = await request.body()
    callback = SignedCallback(vendor_key_id, webhook_id, webhook_timestamp, webhook_signature, body)
    async with house.database.unit_of_work(SYSTEM) as work:
        key = await admit(work, house.vault, callback)
        before = await answer_before(work, callback)
    results = await intake.take(key, body) if before is None else before
    if before is None:
        async with house.database.unit_of_work(SYSTEM) as work:
            await keep_answer(work, key, callback, results)
    return CallbackAnswer(
        repeated=before is not None, results=[CallbackResult.model_validate(result) for result in results]
    )
