"""A robot in a WeCom (企业微信) group of the staff.

Its form is public (developer.work.weixin.qq.com, 群机器人): ``msgtype`` text with at most 2 048 bytes of content,
``mentioned_mobile_list`` to mention a member by number, ``errcode`` 0 when it was posted, 20 messages a minute.
It reports no delivery.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self

import httpx
import msgspec

from services.core.settings import Settings
from services.notifications.models import Channel
from services.notifications.senders.contract import Message, Phone, SendFailed, Sent
from services.notifications.senders.gateway import post

TEXT_BYTES: Final = 2048
_AGAIN: Final = frozenset({-1, 45009})
"""System busy, and more than the robot may post in a minute."""


@dataclass(frozen=True)
class WecomSender:
    """Posts to the group and mentions the recipient, whose number WeCom knows already."""

    phone: ClassVar[Phone] = Phone.WELCOME

    channel: Channel
    url: str = field(repr=False)
    client: httpx.AsyncClient = field(repr=False)

    @classmethod
    def from_settings(cls, settings: Settings, client: httpx.AsyncClient) -> Self | None:
        if settings.wecom_robot_url is None:
            return None
        return cls(Channel.WECOM, settings.wecom_robot_url.get_secret_value(), client)

    async def send(self, message: Message) -> Sent:
        if message.account_id is None:
            # The group is the staff's: what is meant for a family has no place there.
            raise SendFailed("not_for_families", is_transient=False)
        body = msgspec.json.encode({"msgtype": "text", "text": self.text(message)})
        answer = await post(self.client, self.url, body, {"Content-Type": "application/json"})
        code = answer.get("errcode")
        if code != 0:
            raise SendFailed(f"wecom_{code}", is_transient=code in _AGAIN)
        return Sent()

    def text(self, message: Message) -> dict[str, Any]:
        """The ``text`` object."""
        content = message.text.encode()[:TEXT_BYTES].decode(errors="ignore")
        return {"content": content} | ({"mentioned_mobile_list": [message.phone]} if message.phone else {})
