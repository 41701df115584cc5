"""JSON Schemas of the MQTT messages, for makers of terminals."""

from typing import Any

from fastapi import APIRouter

from devices.message_schemas import SCHEMAS
from services.core.errors import NotFound

router = APIRouter(prefix="/schemas/mqtt", tags=["schemas"])


@router.get("", operation_id="list_mqtt_schemas", summary="Names of the message schemas")
async def list_mqtt_schemas() -> list[str]:
    """Each is at `/api/v1/schemas/mqtt/{name}.json`."""
    return sorted(SCHEMAS)


@router.get("/{name}.json", operation_id="get_mqtt_schema", summary="One message schema (JSON Schema 2020-12)")
async def get_mqtt_schema(name: str) -> dict[str, Any]:
    """What a payload must look like; `docs/mqtt.md` has the protocol around it."""
    if name not in SCHEMAS:
        raise NotFound
    return SCHEMAS[name]
