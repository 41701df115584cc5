"""What a script needs to drive the demo from outside: addresses, people who are signed in, terminals."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from cryptography.exceptions import InvalidTag
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlmodel import col, select

from devices.topics import terminal_topics
from ops.demo import secrets as demo_secrets
from ops.demo.areas import SHOWCASE_TOWN
from ops.demo.devices import PROVISION_KEY, SERIAL_PREFIX
from ops.demo.load import DemoRefused, complete
from ops.demo.samples import alarm_sample, vitals_sample
from ops.demo.secrets import DemoSecrets
from ops.stack.up import api_url
from services.core.actor import SYSTEM
from services.core.crypto import Vault, vault_from
from services.core.database import Database, Work
from services.core.ids import new_id
from services.core.settings import Settings
from services.identity import codes
from services.identity.accounts import PHONE_PURPOSE
from services.identity.models import Account
from services.identity.service import open_session
from services.residents.models import CareRelationship, RelationKind
from services.terminals.models import Terminal, TerminalBinding, TerminalKind
from services.terminals.states import TerminalStatus

SHOWN = 8
"""Terminals that ``demo credentials`` prints."""
_SHOWCASE_SERIAL = f"{SERIAL_PREFIX}PD-{SHOWCASE_TOWN[6:]}-0000"
"""The pendant of the first resident of the showcase town; the other people belong to that home."""
_STAFF = (
    "caregiver-guoyuan-01",
    "dispatcher-guoyuan",
    "dispatcher-guoyuan-2",
    "manager-guoyuan",
    "clinician-guoyuan",
    "officer-county",
    "auditor-county",
)
_FOREIGN = ("dispatcher-jinjing", "caregiver-jinjing-01")


@dataclass(frozen=True, slots=True)
class _Desk:
    """What this page needs open."""

    settings: Settings
    work: Work
    vault: Vault
    redis: Redis
    secrets: DemoSecrets


async def describe(settings: Settings) -> dict[str, Any]:
    """The demo's addresses, one signed-in user of every role, and terminals with sample messages.

    Codes are good for three minutes and once, access tokens for as long as the settings say: ask again for
    fresh ones. Raises ``DemoRefused`` when there is no demo county or a part of the stack is away.
    """
    settings, secrets = _ready(settings)
    if settings.redis_url is None or settings.mqtt_url is None:
        raise DemoRefused("The stack is not running: start it with `guoyuan up`.")
    database = Database(str(settings.database_url), pool_size=1)
    redis = Redis.from_url(settings.redis_url, socket_connect_timeout=2, socket_timeout=2, decode_responses=True)
    try:
        async with database.unit_of_work(SYSTEM) as work:
            desk = _Desk(settings, work, vault_from(settings), redis, secrets)
            users = await _users(desk)
            terminals = [_terminal(secrets, row, work.now) for row in (await _terminals(work))[:SHOWN]]
            shelf = await _in_stock(work)
    except RedisError as error:
        raise DemoRefused(f"Redis is away, so no one-time codes can be made: {error}") from error
    except InvalidTag as error:
        raise DemoRefused(
            "The demo county was sealed with another key: data directory or GUOYUAN_FIELD_KEY has changed."
        ) from error
    finally:
        await redis.aclose()
        await database.close()
    host, port = settings.terminal_broker
    return {
        "api": api_url(settings),
        "mqtt": {"host": host, "port": port},
        "users": users,
        "terminals": terminals,
        "provisioning": {
            "url": f"{api_url(settings)}/api/v1/terminals/provision",
            "profile_key": PROVISION_KEY,
            "profile_secret": secrets.provision_secret(),
            "serials": shelf,
        },
    }


def terminal_credentials(settings: Settings, limit: int) -> list[dict[str, Any]]:
    """Bound demo terminals with their passwords, for the simulator: first those not shown to people.

    Must be called outside a running event loop. Raises ``DemoRefused``.
    """
    return asyncio.run(_terminal_credentials(settings, limit))


async def _terminal_credentials(settings: Settings, limit: int) -> list[dict[str, Any]]:
    settings, secrets = _ready(settings)
    database = Database(str(settings.database_url), pool_size=1)
    try:
        async with database.unit_of_work(SYSTEM) as work:
            rows = await _terminals(work)
            # A broker ends the older of two connections under one name: what `demo credentials` shows is left
            # to whoever reads it, as long as there are others.
            return [_terminal(secrets, row, work.now) for row in (rows[SHOWN:] + rows[:SHOWN])[:limit]]
    finally:
        await database.close()


def _ready(settings: Settings) -> tuple[Settings, DemoSecrets]:
    settings = complete(settings)
    secrets = demo_secrets.load(settings.data_dir)
    if secrets is None:
        raise DemoRefused(f"No demo logins in {settings.data_dir}: run `guoyuan demo load`.")
    return settings, secrets


async def _users(desk: _Desk) -> list[dict[str, Any]]:
    """Resident, family, caregiver and desks of one town, then people of another, as far as they are there."""
    users = []
    home = await _home(desk.work)
    for kind in (RelationKind.SELF, RelationKind.FAMILY):
        account = None if home is None else await _household(desk.work, home, kind)
        if account is not None:
            users.append(await _with_code(desk, account))
    for login in (*_STAFF, *_FOREIGN):
        account = await _one(desk.work, select(Account).where(Account.login == login, col(Account.is_demo)))
        if account is not None:
            users.append(_with_password(desk, account))
    return users


async def _home(work: Work) -> UUID | None:
    """Who first wore the showcase pendant, whatever became of it since; else somebody of that town.

    Raises ``DemoRefused`` when there is no demo county.
    """
    if await _one(work, select(Account.id).where(col(Account.is_demo))) is None:
        raise DemoRefused("The demo county is not in this database: run `guoyuan demo load`.")
    first_wearer = (
        select(TerminalBinding.resident_id)
        .join(Terminal, col(Terminal.id) == col(TerminalBinding.terminal_id))
        .where(Terminal.serial == _SHOWCASE_SERIAL)
        .order_by(col(TerminalBinding.bound_at), col(TerminalBinding.id))
    )
    anybody = (
        select(CareRelationship.resident_id)
        .join(Account, col(Account.id) == col(CareRelationship.account_id))
        .where(
            CareRelationship.kind == RelationKind.SELF,
            col(Account.is_demo),
            col(Account.area_code).startswith(SHOWCASE_TOWN),
        )
        .order_by(col(CareRelationship.resident_id))
    )
    found: UUID | None = await _one(work, first_wearer) or await _one(work, anybody)
    return found


async def _household(work: Work, resident_id: UUID, kind: RelationKind) -> Account | None:
    statement = (
        select(Account)
        .join(CareRelationship, col(CareRelationship.account_id) == col(Account.id))
        .where(CareRelationship.resident_id == resident_id, CareRelationship.kind == kind, col(Account.is_demo))
        .order_by(col(Account.id))
    )
    return cast("Account | None", await _one(work, statement))


async def _one(work: Work, statement: Any) -> Any:
    return (await work.session.exec(statement.limit(1))).first()


async def _with_code(desk: _Desk, account: Account) -> dict[str, Any]:
    """A household member with a fresh one-time code (kept for it just as a request would)."""
    code = codes.draw_code()
    await codes.keep_code(desk.redis, desk.vault, str(account.phone_lookup), code)
    phone = desk.vault.decrypt(str(account.phone_encrypted), PHONE_PURPOSE)
    return _user(desk, account, phone, {"code": code})


def _with_password(desk: _Desk, account: Account) -> dict[str, Any]:
    return _user(desk, account, str(account.login), {"password": desk.secrets.password(account.role)})


def _user(desk: _Desk, account: Account, login: str, proof: dict[str, str]) -> dict[str, Any]:
    token = open_session(desk.work, desk.settings, account).access_token
    return {
        "role": str(account.role),
        "login": login,
        **proof,
        "access_token": token,
        "area_code": account.area_code,
        "centre_id": None if account.centre_id is None else str(account.centre_id),
        "person_id": None if account.person_id is None else str(account.person_id),
    }


async def _terminals(work: Work) -> list[Terminal]:
    """Bound demo terminals: those of the showcase home, then its town by kind in turn, then the county."""
    statement = select(Terminal).where(
        Terminal.status == TerminalStatus.BOUND, col(Terminal.serial).startswith(SERIAL_PREFIX)
    )
    order = list(TerminalKind)
    rows = sorted((await work.session.exec(statement)).all(), key=lambda row: (order.index(row.kind), row.serial))
    home = await _home(work)
    turns: Counter[tuple[bool, str]] = Counter()
    ranked = []
    for row in rows:
        is_foreign = not row.area_code.startswith(SHOWCASE_TOWN)
        turns[is_foreign, row.kind] += 1
        ranked.append((row.resident_id != home, is_foreign, turns[is_foreign, row.kind], row))
    return [row for *_, row in sorted(ranked, key=lambda entry: entry[:3])]


async def _in_stock(work: Work) -> list[str]:
    """Serials of demo terminals that have not fetched their credential yet."""
    statement = (
        select(Terminal.serial)
        .where(Terminal.status == TerminalStatus.STOCK, col(Terminal.serial).startswith(SERIAL_PREFIX))
        .order_by(Terminal.serial)
    )
    return list((await work.session.exec(statement)).all())


def _terminal(secrets: DemoSecrets, row: Terminal, now: datetime) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "kind": str(row.kind),
        "username": str(row.id),
        "password": secrets.terminal_password(row.id),
        "resident_id": str(row.resident_id),
        "centre_id": str(row.centre_id),
        "topics": terminal_topics(row.id),
        "samples": {"alarm": alarm_sample(row.kind, new_id(), now), "vitals": vitals_sample(row.kind, now)},
    }
