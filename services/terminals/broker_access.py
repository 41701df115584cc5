"""A broker that asks over HTTP: the same policy and the same passwords as for every other broker."""

import hmac
from typing import Annotated
from urllib.parse import unquote, urlsplit
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from services.core.database import Database
from services.core.settings import Settings
from services.terminals.broker_policy import SERVICE_USER, Action, is_terminal, may, may_connect
from services.terminals.credentials import verify_password
from services.terminals.errors import HookRefused
from services.terminals.queries import password_hash, still_allowed

SHARED = "$share/"
Name = Annotated[str, Field(max_length=200)]


class Login(BaseModel):
    """Who wants to connect, as the broker was told."""

    username: Name = Field(examples=["0190f5a2-0000-7000-8000-000000000001"])
    client_id: Name = Field(examples=["0190f5a2-0000-7000-8000-000000000001"])
    password: SecretStr = Field(max_length=200, examples=["as the client sent it"])


class Wish(BaseModel):
    """Who wants to publish to a topic, or subscribe to a filter."""

    username: Name = Field(examples=["0190f5a2-0000-7000-8000-000000000001"])
    action: Action = Field(examples=["publish"])
    topic: str = Field(max_length=1_000, examples=["gy/v1/0190f5a2-0000-7000-8000-000000000001/up/alarm"])


def check_hook(settings: Settings, shown: str | None) -> None:
    """``HookRefused`` unless the broker shows the shared secret; without one set, nobody may ask."""
    secret = settings.broker_hook_secret
    if secret is None or shown is None:
        raise HookRefused
    if not hmac.compare_digest(secret.get_secret_value().encode(), shown.encode()):
        raise HookRefused


async def may_log_in(database: Database, settings: Settings, login: Login) -> bool:
    """Whether the account exists, is in service, shows its password and its own client id."""
    if not may_connect(login.username, login.client_id):
        return False
    shown = login.password.get_secret_value()
    if login.username == SERVICE_USER:
        own = unquote(urlsplit(settings.mqtt_url or "").password or "")
        return own != "" and hmac.compare_digest(own.encode(), shown.encode())
    stored = await password_hash(database, UUID(login.username))
    return stored is not None and verify_password(shown, stored)


async def may_do(database: Database, wish: Wish) -> bool:
    """Whether the account may do this now: by the policy, and still in service."""
    topic = wish.topic
    if wish.username == SERVICE_USER and wish.action == "subscribe" and topic.startswith(SHARED):
        # $share/{group}/{filter}: several processes of ours divide what one filter matches.
        topic = "/".join(topic.split("/")[2:])
    if not may(wish.username, wish.action, topic):
        return False
    return not is_terminal(wish.username) or await still_allowed(database, UUID(wish.username))
