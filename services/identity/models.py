"""Accounts and their sessions."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import SecretStr
from sqlmodel import Field, SQLModel

from services.core.actor import Role
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class Account(SQLModel, table=True):
    """Somebody who can sign in: staff by login and password, residents and family by phone and code.

    ``person_id`` points at the resident or caregiver behind the account; ``phone_lookup`` is the keyed
    hash of the number that one-time codes are sent to.
    """

    __tablename__ = "account"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    role: Role = Field(sa_column=enum_column(Role))
    display_name: str
    area_code: str = Field(index=True)
    login: str | None = Field(default=None, unique=True)
    password_hash: str | None = None
    phone_lookup: str | None = Field(default=None, unique=True)
    phone_encrypted: str | None = None
    person_id: UUID | None = Field(default=None, index=True)
    centre_id: UUID | None = Field(default=None, foreign_key="centre.id")
    is_demo: bool = False
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class AuthSession(SQLModel, table=True):
    """One sign-in. The refresh token rotates; presenting an old one ends the session (theft)."""

    __tablename__ = "auth_session"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    refresh_hash: str = Field(unique=True)
    previous_refresh_hash: str | None = Field(default=None, index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    refreshed_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignIn(SQLModel):
    """Staff: login and password."""

    login: str = Field(min_length=1, max_length=64, schema_extra={"examples": ["dispatcher-guoyuan"]})
    password: SecretStr = Field(min_length=1, max_length=128)


class CodeRequest(SQLModel):
    """Residents and families: the number that gets a code."""

    phone: str = Field(min_length=5, max_length=20, schema_extra={"examples": ["13800001234"]})


class CodeSignIn(CodeRequest):
    """The number and the code that came."""

    code: str = Field(min_length=6, max_length=6, regex="^[0-9]{6}$", schema_extra={"examples": ["042137"]})


class CodeRequested(SQLModel):
    """The same for a known and an unknown number."""

    expires_in: int = Field(description="Seconds for which a code is good.")
    retry_after: int = Field(description="Seconds until another may be asked for.")


class RefreshTokens(SQLModel):
    """The refresh token, for new tokens; it is good once."""

    refresh_token: str = Field(
        min_length=20, max_length=200, schema_extra={"examples": ["the `refresh_token` of the sign-in"]}
    )


class SignedIn(SQLModel):
    """Tokens of a session. Using a refresh token a second time ends the session."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the scheme's name, no secret
    expires_in: int = Field(description="Seconds until the access token expires.")
    account_id: UUID
    role: Role
    display_name: str
