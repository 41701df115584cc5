"""Signed JSON to an HTTP gateway: what most SMS, voice and push services can be put behind.

The form is written down in ``docs/notifications.md``; no provider's own interface is assumed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import httpx
import msgspec

from services.core.signing import sign
from services.notifications.models import Channel
from services.notifications.senders.contract import Message, Phone, SendFailed, Sent

ANSWER_LIMIT: Final = 65_536
_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{1,60}")
_AGAIN: Final = frozenset({408, 425, 429})


@dataclass(frozen=True)
class GatewaySender:
    """Posts one signed JSON document a message."""

    phone: ClassVar[Phone] = Phone.NEEDED

    channel: Channel
    url: str
    secret: str = field(repr=False)
    client: httpx.AsyncClient = field(repr=False)
    template_ids: Mapping[str, str] = field(default_factory=dict)

    async def send(self, message: Message) -> Sent:
        body = msgspec.json.encode(self.document(message))
        headers = sign(self.secret, message.at, body) | {
            "Content-Type": "application/json",
            "Idempotency-Key": str(message.key),
        }
        answer = await post(self.client, self.url, body, headers)
        return Sent(message_id=word(answer.get("message_id")), is_delivered=answer.get("status") == "delivered")

    def document(self, message: Message) -> dict[str, Any]:
        """The JSON that the gateway gets."""
        return {
            "idempotency_key": str(message.key),
            "channel": str(message.channel),
            "to": self.address(message),
            "template": message.template,
            "template_id": self.template_ids.get(message.template),
            "fields": dict(message.fields),
            "text": message.text,
            "language": "zh-CN",
            "is_life_safety": message.is_life_safety,
        }

    def address(self, message: Message) -> dict[str, str]:
        """Where to: a number."""
        return {"phone": message.phone or ""}


async def post(client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object of a 2xx answer (empty when there is none); everything else is a ``SendFailed``.

    5xx, 408, 425, 429 and a connection that fails are transient; any other answer is final.
    """
    try:
        async with client.stream("POST", url, content=body, headers=dict(headers)) as response:
            content = await _limited(response)
    except httpx.TimeoutException as error:
        raise SendFailed("timeout", is_transient=True) from error
    except httpx.HTTPError as error:
        raise SendFailed("unreachable", is_transient=True) from error
    answer = _object(content)
    if response.is_success:
        return answer
    code = word(answer.get("code")) or f"http_{response.status_code}"
    raise SendFailed(code, is_transient=response.status_code >= 500 or response.status_code in _AGAIN)


def template_ids(setting: str) -> dict[str, str]:
    """``alert_page=SMS_1,alert_family=SMS_2`` as a mapping; spaces and empty parts do not matter."""
    pairs = (part.partition("=") for part in setting.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def word(value: Any) -> str | None:
    """A gateway's code or id, if it is a short plain word: nothing else of its answer is kept."""
    text = str(value) if isinstance(value, str | int) else ""
    return text if _WORD.fullmatch(text) else None


async def _limited(response: httpx.Response) -> bytes:
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > ANSWER_LIMIT:
            return b""
    return content


def _object(content: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
