"""Accounts and their sessions."""

from datetime import datetime
from uuid import UUID

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
