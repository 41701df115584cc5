"""Keys of vendors' clouds that send for their devices over HTTP, and the callbacks that came."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.ids import new_id

SECRET_PURPOSE = "vendor_key.secret"  # noqa: S105  what the sealed value is for, not the value
"""Bound into the sealed secret, so that it opens in this column only."""


class VendorKey(SQLModel, table=True):
    """One vendor's right to send for terminals of one area, in one codec.

    ``secret`` is sealed. After a rotation ``old_secret`` is good until ``old_until``, so that the vendor need not
    change at the same second.
    """

    __tablename__ = "vendor_key"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    vendor: str
    area_code: str = Field(index=True)
    codec: str
    secret: str
    old_secret: str | None = None
    old_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_enabled: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)
    rotated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class VendorCallback(SQLModel, table=True):
    """One callback and what it was answered: the same one again has no second effect.

    The body is part of the key: a vendor that uses an id twice for two calls loses neither.
    """

    __tablename__ = "vendor_callback"

    vendor_key_id: UUID = Field(foreign_key="vendor_key.id", primary_key=True)
    message_id: str = Field(primary_key=True)
    body_sha256: str = Field(primary_key=True)
    area_code: str
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)
    answer: list[dict[str, Any]] = Field(sa_type=JSONB)
