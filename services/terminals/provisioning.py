"""A factory-new terminal fetches its credential with its profile's key and secret: once, and on record.

The first that presents a serial gets the credential; every later one is refused, whoever it is. Who took it first
unasked shows when the real terminal is refused: the attempts are kept, with the address they came from.
"""

from dataclasses import dataclass
from typing import Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.centres.service import centre_in_reach, only_county
from services.core.actor import SYSTEM
from services.core.database import Database, Work
from services.core.errors import DomainError
from services.core.settings import Settings
from services.identity.limits import Limit, count_try, digest
from services.terminals import repository
from services.terminals.credentials import hash_password, make_password, verify_password
from services.terminals.errors import (
    AlreadyProvisioned,
    NotInStock,
    ProvisionRefused,
    UnknownSerial,
    WrongProfile,
)
from services.terminals.lifecycle import hand_out
from services.terminals.models import ProvisionAttempt, ProvisionOutcome, Terminal, TerminalProfile
from services.terminals.registry_models import CredentialPublic, ProvisionRequest
from services.terminals.states import TERMINAL, TerminalStatus
from services.terminals.topics import terminal_topics

log = structlog.get_logger("provisioning")

ADDRESS_TRIES = 600
TRY_SECONDS = 15 * 60
"""Tries from one address within a quarter of an hour: a centre unpacks its boxes behind one. A serial has no
limit of its own, or whoever knows it could keep its terminal out; the secret itself cannot be guessed."""

_NO_SECRET = hash_password(make_password())
"""Compared with where there is none: an unknown key takes as long as a wrong secret."""

_REFUSALS: dict[ProvisionOutcome, type[DomainError]] = {
    ProvisionOutcome.WRONG_SECRET: ProvisionRefused,
    ProvisionOutcome.UNKNOWN_SERIAL: UnknownSerial,
    ProvisionOutcome.WRONG_PROFILE: WrongProfile,
    ProvisionOutcome.ALREADY_PROVISIONED: AlreadyProvisioned,
    ProvisionOutcome.NOT_IN_STOCK: NotInStock,
}


class Desk(Protocol):
    """What provisioning needs of a process; ``api.house.House`` is one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def redis(self) -> Redis: ...


@dataclass(slots=True)
class _Outcome:
    outcome: ProvisionOutcome
    profile: TerminalProfile | None = None
    terminal: Terminal | None = None
    password: str = ""


async def provision_itself(desk: Desk, request: ProvisionRequest, address: str | None) -> CredentialPublic:
    """The credential of a terminal in stock; moves it to provisioned.

    Raises ``ProvisionRefused``, ``UnknownSerial``, ``WrongProfile``, ``AlreadyProvisioned`` or ``NotInStock``,
    each after its attempt has been stored, and ``TooManyAttempts`` before one.
    """
    if address is not None:
        await _count(desk.redis, address)
    async with desk.database.unit_of_work(SYSTEM) as work:
        found = await _try(work, request)
        work.session.add(await _attempt(work, found, request.serial, address))
    if found.terminal is None or found.outcome is not ProvisionOutcome.GRANTED:
        log.warning("provision_refused", outcome=found.outcome.value)
        raise _REFUSALS[found.outcome]
    return credential(desk.settings, found.terminal, found.password)


def credential(settings: Settings, terminal: Terminal, password: str) -> CredentialPublic:
    """What a terminal is told once."""
    host, port = settings.terminal_broker
    name = str(terminal.id)
    return CredentialPublic(
        id=terminal.id,
        username=name,
        client_id=name,
        password=password,
        broker=settings.mqtt_terminal_url or f"mqtt://{host}:{port}",
        topics=terminal_topics(name),
        version=terminal.version,
    )


async def _try(work: Work, request: ProvisionRequest) -> _Outcome:
    profile = await repository.profile_by_key(work, request.profile_key)
    secret = profile.provision_secret_hash if profile is not None and profile.is_active else None
    is_right = verify_password(request.profile_secret.get_secret_value(), secret or _NO_SECRET)
    if profile is None or secret is None or not is_right:
        known = await repository.lock_serial(work, request.serial)
        return _Outcome(ProvisionOutcome.WRONG_SECRET, profile, known)
    terminal = await repository.lock_serial(work, request.serial) or await _take_in(work, request.serial, profile)
    if terminal is None:
        return _Outcome(ProvisionOutcome.UNKNOWN_SERIAL, profile)
    if terminal.profile_id != profile.id:
        return _Outcome(ProvisionOutcome.WRONG_PROFILE, profile, terminal)
    if terminal.status in (TerminalStatus.SUSPENDED, TerminalStatus.RETIRED):
        return _Outcome(ProvisionOutcome.NOT_IN_STOCK, profile, terminal)
    if terminal.status is not TerminalStatus.STOCK:
        return _Outcome(ProvisionOutcome.ALREADY_PROVISIONED, profile, terminal)
    return _Outcome(ProvisionOutcome.GRANTED, profile, terminal, hand_out(work, terminal, "by profile key"))


async def _take_in(work: Work, serial: str, profile: TerminalProfile) -> Terminal | None:
    """An unknown serial goes into stock where the profile allows it; another one's insert is waited for."""
    if not profile.allow_new or profile.intake_centre_id is None:
        return None
    terminal = await repository.add_to_stock(
        work, serial, profile, await centre_in_reach(work, profile.intake_centre_id)
    )
    if terminal is None:
        return await repository.lock_serial(work, serial)
    TERMINAL.begin(work, terminal)
    return terminal


async def _attempt(work: Work, found: _Outcome, serial: str, address: str | None) -> ProvisionAttempt:
    """Where no terminal says whose area it is, the county looks at it."""
    return ProvisionAttempt(
        at=work.now,
        area_code=await only_county(work) if found.terminal is None else found.terminal.area_code,
        profile_id=None if found.profile is None else found.profile.id,
        terminal_id=None if found.terminal is None else found.terminal.id,
        serial=serial,
        address=address,
        outcome=found.outcome,
    )


async def _count(redis: Redis, address: str) -> None:
    """A Redis that is away lets everybody try: the secret is 128 random bits."""
    try:
        await count_try(redis, [Limit(f"gy:tries:provision:{digest(address)}", ADDRESS_TRIES, TRY_SECONDS)])
    except (RedisError, OSError) as error:
        log.warning("provision_not_limited", error=type(error).__name__)
