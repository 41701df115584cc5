"""Access and refresh tokens."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest
from pydantic import SecretStr

from services.core.settings import Settings
from services.identity.errors import NotSignedIn, RefreshRefused, TokenExpired
from services.identity.tokens import (
    Claims,
    issue_access_token,
    issue_refresh_token,
    read_access_token,
    refresh_hash,
    session_of_refresh_token,
    signing_key,
)

KEY = b"k" * 32
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CLAIMS = Claims(uuid4(), uuid4(), "dispatcher", "430121107")


def payload(**changes: object) -> dict[str, object]:
    """A good token's content, with changes; ``None`` leaves a claim out."""
    good: dict[str, object] = {
        "iss": "guoyuan",
        "aud": "guoyuan-api",
        "sub": str(CLAIMS.account_id),
        "sid": str(CLAIMS.session_id),
        "role": "dispatcher",
        "area": "430121107",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        "jti": "1",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def test_what_is_issued_is_read() -> None:
    token = issue_access_token(KEY, CLAIMS, NOW, 15)
    assert read_access_token(KEY, token, NOW + timedelta(minutes=14, seconds=59)) == CLAIMS


def test_past_its_time_it_is_expired() -> None:
    with pytest.raises(TokenExpired):
        read_access_token(KEY, issue_access_token(KEY, CLAIMS, NOW, 15), NOW + timedelta(minutes=15))


def test_every_token_has_its_own_id() -> None:
    assert issue_access_token(KEY, CLAIMS, NOW, 15) != issue_access_token(KEY, CLAIMS, NOW, 15)


def test_a_token_of_tomorrow_is_refused_and_a_fast_clock_is_borne() -> None:
    token = issue_access_token(KEY, CLAIMS, NOW, 15)
    assert read_access_token(KEY, token, NOW - timedelta(seconds=20)) == CLAIMS
    with pytest.raises(NotSignedIn):
        read_access_token(KEY, token, NOW - timedelta(minutes=2))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"aud": "another-api"},
        {"aud": None},
        {"iss": None},
        {"sub": "not an id"},
        {"sid": None},
        {"sid": 5},
        {"role": "emperor"},
        {"jti": None},
        {"exp": None},
        {"iat": None},
        {"exp": "soon"},
        {"area": None},
    ],
)
def test_wrong_or_missing_claims_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(NotSignedIn):
        read_access_token(KEY, jwt.encode(payload(**changes), KEY, algorithm="HS256"), NOW)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "果园", "x" * 10_000, "eyJhbGciOiJIUzI1NiJ9..x"])
def test_rubbish_is_refused(token: str) -> None:
    with pytest.raises(NotSignedIn):
        read_access_token(KEY, token, NOW)


def test_another_key_is_refused() -> None:
    with pytest.raises(NotSignedIn):
        read_access_token(KEY, issue_access_token(b"x" * 32, CLAIMS, NOW, 15), NOW)


def test_the_algorithm_is_pinned() -> None:
    def part(value: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(payload())}."
    longer = jwt.encode(payload(), KEY * 2, algorithm="HS512")
    for token in (unsigned, longer):
        with pytest.raises(NotSignedIn):
            read_access_token(KEY, token, NOW)


def test_a_refresh_token_names_its_session() -> None:
    session_id = uuid4()
    first, second = issue_refresh_token(KEY, session_id), issue_refresh_token(KEY, session_id)
    assert first != second
    assert session_of_refresh_token(KEY, first) == session_of_refresh_token(KEY, second) == session_id
    assert refresh_hash(first) != refresh_hash(second)
    assert first not in refresh_hash(first)


def test_nobody_makes_a_refresh_token_for_a_session_he_knows() -> None:
    session_id = UUID(int=7)
    forged = issue_refresh_token(b"x" * 32, session_id)
    raw = bytearray(base64.urlsafe_b64decode(issue_refresh_token(KEY, session_id) + "=="))
    raw[20] ^= 1
    for token in (forged, base64.urlsafe_b64encode(bytes(raw)).decode(), "", "a", "====", "果园", "A" * 86):
        with pytest.raises(RefreshRefused):
            session_of_refresh_token(KEY, token)


@pytest.mark.parametrize("secret", [None, "short"])
def test_an_absent_or_short_secret_is_refused(secret: str | None) -> None:
    settings = Settings(_env_file=None, token_secret=None if secret is None else SecretStr(secret))
    with pytest.raises(ValueError, match="TOKEN_SECRET"):
        signing_key(settings)
