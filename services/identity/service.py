"""Signing in and out.

The verbs here stand before the unit of work of a request: they open their own, because a refusal may have to
be stored (a stolen refresh token ends its session) and because a password is checked for tens of
milliseconds, during which no connection may be held. The database is the truth about a session at every
request, so signing out works at once and nothing is cached; Redis holds only counters and codes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.core.actor import STAFF_ROLES, SYSTEM, Actor, Role
from services.core.clock import Clock
from services.core.crypto import Vault
from services.core.database import Database, Work
from services.core.errors import InvalidInput, ServiceUnavailable
from services.core.ids import new_id
from services.core.settings import Settings
from services.identity import codes, repository, tokens
from services.identity.accounts import PHONE_PURPOSE
from services.identity.errors import NotSignedIn, RefreshRefused, WrongCode, WrongCredentials
from services.identity.limits import count_sign_in, forget_tries, sign_in_limits
from services.identity.models import Account, AuthSession, SignedIn
from services.identity.passwords import hash_password, is_outdated, verify_password
from services.identity.repository import SessionState
from services.identity.scope import HOUSEHOLD_ROLES
from services.residents.identity_numbers import normalise_phone

log = structlog.get_logger("identity")


class Desk(Protocol):
    """What signing in needs of a process; ``api.house.House`` is one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def redis(self) -> Redis: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class OutgoingCode:
    """A code on its way to a phone that somebody has; sent after the answer has left."""

    phone: str
    code: str


async def authenticate(database: Database, settings: Settings, access_token: str, clock: Clock) -> Actor:
    """The actor behind an access token, as the database knows it now.

    Raises ``TokenExpired`` for a token past its time, ``NotSignedIn`` for anything else that is wrong.
    """
    now = clock.now()
    claims = tokens.read_access_token(tokens.signing_key(settings), access_token, now)
    state = await repository.read_session(database, claims.session_id)
    if state is None or not _stands(state, settings, now) or state.actor.account_id != claims.account_id:
        raise NotSignedIn
    return state.actor


async def session_stands(database: Database, settings: Settings, session_id: UUID | None, clock: Clock) -> bool:
    """Whether a session still stands: asked now and then by a live stream, which outlives its access token."""
    state = None if session_id is None else await repository.read_session(database, session_id)
    return state is not None and _stands(state, settings, clock.now())


def _stands(state: SessionState, settings: Settings, now: datetime) -> bool:
    return not (
        state.is_revoked
        or state.is_disabled
        or (state.is_demo and settings.mode == "production")
        or state.expires_at <= now
        or state.actor.is_system  # processes of the house hold no tokens
    )


async def sign_in_with_password(desk: Desk, login: str, password: str, address: str | None) -> SignedIn:
    """Staff sign in. ``WrongCredentials`` whatever is wrong, ``TooManyAttempts`` after five failures."""
    login = login.strip().casefold()
    limits = sign_in_limits(login, address)
    await count_sign_in(desk.redis, limits)
    async with desk.database.unit_of_work(SYSTEM) as work:
        account = await repository.account_by_login(work, login)
    known = account if _may_sign_in(desk.settings, account, STAFF_ROLES) else None
    if not await verify_password(known.password_hash if known else None, password) or known is None:
        log.info("sign_in_refused", account_id=str(known.id) if known else None)
        raise WrongCredentials
    await forget_tries(desk.redis, limits)
    renewed = await hash_password(password) if is_outdated(known.password_hash or "") else None
    async with desk.database.unit_of_work(SYSTEM) as work:
        if renewed:
            fresh = await repository.get_account(work, known.id)
            if fresh and fresh.password_hash == known.password_hash:
                fresh.password_hash = renewed
        return open_session(work, desk.settings, known)


async def request_code(desk: Desk, phone: str, address: str | None) -> OutgoingCode | None:
    """Make a code for a number. ``None`` for a number that nobody has: the caller's answer is the same.

    Raises ``InvalidInput`` for what is no mobile number, ``TooManyAttempts`` (once in 60 s, ten a day),
    ``ServiceUnavailable`` without Redis.
    """
    number, lookup = _phone(desk.vault, phone)
    code = codes.draw_code()
    try:
        await codes.count_request(desk.redis, lookup, address, desk.clock.now())
        async with desk.database.unit_of_work(SYSTEM) as work:
            account = await repository.account_by_phone(work, lookup)
        await codes.keep_code(desk.redis, desk.vault, lookup, code)
    except (RedisError, ConnectionError) as error:
        raise ServiceUnavailable from error
    return OutgoingCode(number, code) if _may_sign_in(desk.settings, account, HOUSEHOLD_ROLES) else None


async def sign_in_with_code(desk: Desk, phone: str, code: str) -> SignedIn:
    """Residents and family sign in. ``WrongCode`` whatever is wrong; the code is used up."""
    _, lookup = _phone(desk.vault, phone)
    try:
        is_right = await codes.take_code(desk.redis, desk.vault, lookup, code)
    except (RedisError, ConnectionError) as error:
        raise ServiceUnavailable from error
    async with desk.database.unit_of_work(SYSTEM) as work:
        account = await repository.account_by_phone(work, lookup)
        if account is None or not is_right or not _may_sign_in(desk.settings, account, HOUSEHOLD_ROLES):
            raise WrongCode
        return open_session(work, desk.settings, account)


async def refresh(desk: Desk, refresh_token: str) -> SignedIn:
    """New tokens for a refresh token, which is used up.

    A token of ours that is not the session's present one has been used before: either a thief or the owner
    holds a copy, so the whole session ends. ``RefreshRefused`` in every such case.
    """
    session_id = tokens.session_of_refresh_token(tokens.signing_key(desk.settings), refresh_token)
    async with desk.database.unit_of_work(SYSTEM) as work:
        answer = await _rotate(work, desk.settings, session_id, refresh_token)
    if answer is None:  # raised outside, so that the end of the session is stored
        raise RefreshRefused
    return answer


async def sign_out(desk: Desk, session_id: UUID) -> None:
    """End a session: its access token is refused from the next request on."""
    async with desk.database.unit_of_work(SYSTEM) as work:
        session = await repository.lock_session(work, session_id)
        if session is not None and session.revoked_at is None:
            session.revoked_at = work.now
            log.info("signed_out", session_id=str(session_id))


def open_session(work: Work, settings: Settings, account: Account) -> SignedIn:
    """A new session of an account whose identity has been proved (or, in a demo, is taken for granted)."""
    session_id = new_id()
    refresh_token = tokens.issue_refresh_token(tokens.signing_key(settings), session_id)
    work.session.add(
        AuthSession(
            id=session_id,
            account_id=account.id,
            refresh_hash=tokens.refresh_hash(refresh_token),
            created_at=work.now,
            refreshed_at=work.now,
            expires_at=work.now + timedelta(days=settings.refresh_token_days),
        )
    )
    log.info("signed_in", account_id=str(account.id), role=str(account.role), session_id=str(session_id))
    return _signed_in(settings, account, session_id, refresh_token, work.now)


async def _rotate(work: Work, settings: Settings, session_id: UUID, refresh_token: str) -> SignedIn | None:
    session = await repository.lock_session(work, session_id)
    if session is None or session.revoked_at is not None or session.expires_at <= work.now:
        return None
    given = tokens.refresh_hash(refresh_token)
    account = await repository.get_account(work, session.account_id)
    if given != session.refresh_hash or account is None or account.disabled_at is not None:
        session.revoked_at = work.now
        log.warning("session_revoked", session_id=str(session_id), reuse=given != session.refresh_hash)
        return None
    renewed = tokens.issue_refresh_token(tokens.signing_key(settings), session_id)
    session.previous_refresh_hash = session.refresh_hash
    session.refresh_hash = tokens.refresh_hash(renewed)
    session.refreshed_at = work.now
    session.expires_at = work.now + timedelta(days=settings.refresh_token_days)
    return _signed_in(settings, account, session_id, renewed, work.now)


def _signed_in(
    settings: Settings, account: Account, session_id: UUID, refresh_token: str, now: datetime
) -> SignedIn:
    claims = tokens.Claims(account.id, session_id, str(account.role), account.area_code)
    key = tokens.signing_key(settings)
    return SignedIn(
        access_token=tokens.issue_access_token(key, claims, now, settings.access_token_minutes),
        refresh_token=refresh_token,
        expires_in=settings.access_token_minutes * 60,
        account_id=account.id,
        role=account.role,
        display_name=account.display_name,
    )


def _phone(vault: Vault, phone: str) -> tuple[str, str]:
    number = normalise_phone(phone)
    if number is None:
        raise InvalidInput("not a mobile number", field="phone")
    return number, vault.lookup(number, PHONE_PURPOSE)


def _may_sign_in(settings: Settings, account: Account | None, roles: frozenset[Role]) -> bool:
    """Whether there is such an account, for this way of signing in. Demo accounts end where production begins."""
    return (
        account is not None
        and account.role in roles
        and account.disabled_at is None
        and not (account.is_demo and settings.mode == "production")
    )
