"""Access tokens (JWT, HS256) and refresh tokens (opaque, kept only as a hash)."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt

from services.core.actor import Role
from services.core.ids import new_id
from services.core.settings import Settings
from services.identity.errors import NotSignedIn, RefreshRefused, TokenExpired

ALGORITHM = "HS256"
ISSUER = "guoyuan"
AUDIENCE = "guoyuan-api"
_REQUIRED = ["sub", "sid", "role", "area", "exp", "iat", "jti", "iss", "aud"]
_CLOCK_TOLERANCE = timedelta(seconds=30)
"""How far another API process's clock may run ahead of ours."""
_MAC_BYTES = 16
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says. Role and area are for the client; the database decides."""

    account_id: UUID
    session_id: UUID
    role: str
    area_code: str


def signing_key(settings: Settings) -> bytes:
    """The key of all tokens; ``ValueError`` when it is absent or shorter than HS256 needs (RFC 7518 §3.2)."""
    if settings.token_secret is None:
        raise ValueError("GUOYUAN_TOKEN_SECRET is not set")
    key = settings.token_secret.get_secret_value().encode()
    if len(key) < 32:
        raise ValueError("GUOYUAN_TOKEN_SECRET has fewer than 32 bytes")
    return key


def issue_access_token(key: bytes, claims: Claims, now: datetime, minutes: int) -> str:
    """A signed token that is good for so many minutes."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(claims.account_id),
        "sid": str(claims.session_id),
        "role": claims.role,
        "area": claims.area_code,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=minutes)).timestamp()),
        "jti": str(new_id()),
    }
    return jwt.encode(payload, key, algorithm=ALGORITHM)


def read_access_token(key: bytes, token: str, now: datetime) -> Claims:
    """Check and read a token; ``TokenExpired`` past its time, ``NotSignedIn`` for anything else.

    The algorithm is pinned (RFC 8725 §3.1). Times are checked here and not by the library, against the
    clock that is handed in.
    """
    try:
        payload = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
        claims = Claims(
            account_id=UUID(payload["sub"]),
            session_id=UUID(payload["sid"]),
            role=str(Role(payload["role"])),
            area_code=str(payload["area"]),
        )
        issued, expires = float(payload["iat"]), float(payload["exp"])
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise NotSignedIn from error
    if issued > (now + _CLOCK_TOLERANCE).timestamp():
        raise NotSignedIn
    if expires <= now.timestamp():
        raise TokenExpired
    return claims


def issue_refresh_token(key: bytes, session_id: UUID) -> str:
    """A random token that names its session and proves that we made it.

    The proof is what lets an old token be told from a made-up one without keeping every old hash: a token
    that we made and that is not the session's present one has been used before.
    """
    body = session_id.bytes + secrets.token_bytes(_SECRET_BYTES)
    return base64.urlsafe_b64encode(body + _mac(key, body)).decode().rstrip("=")


def session_of_refresh_token(key: bytes, token: str) -> UUID:
    """The session that a refresh token of ours belongs to; ``RefreshRefused`` for one that is not ours."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise RefreshRefused from error
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(body) != 16 + _SECRET_BYTES or not hmac.compare_digest(mac, _mac(key, body)):
        raise RefreshRefused
    return UUID(bytes=body[:16])


def refresh_hash(token: str) -> str:
    """What is stored of a refresh token (hex); 32 random bytes need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, b"refresh:" + body, hashlib.sha256).digest()[:_MAC_BYTES]
