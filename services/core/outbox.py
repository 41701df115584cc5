"""The outbox: an event is a row of the transaction that caused it, and is sent afterwards.

``position`` is given by the worker's relay, one leader at a time, so that it grows in the order in which
events become visible; a reader who has seen position *n* misses nothing by asking for what is beyond *n*.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, BigInteger, Column, Identity, Index, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.ids import new_id

NOTIFY_CHANNEL = "guoyuan_outbox"
"""A statement trigger on the table notifies here; see the first migration."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. ``centre_id`` names the live stream it belongs on, if any.

    Events carry ids, kinds and times, never health data or personal numbers: they pass through Redis.
    """

    name: ClassVar[str]

    area_code: str
    centre_id: UUID | None = None


class OutboxEvent(SQLModel, table=True):
    """One stored event. ``also_centre_ids``: other centres whose screens show it too."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_unpositioned", "id", postgresql_where="position IS NULL"),
        Index("outbox_unrelayed", "position", postgresql_where="relayed_at IS NULL"),
        Index("outbox_centre_position", "centre_id", "position"),
        Index("outbox_also", "position", postgresql_where="also_centre_ids <> '{}'"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    event_id: UUID = Field(default_factory=new_id, unique=True)
    name: str
    area_code: str
    centre_id: UUID | None = None
    also_centre_ids: list[UUID] = Field(
        default_factory=list, sa_column=Column(ARRAY(Uuid), nullable=False, server_default="{}")
    )
    payload: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=UtcDateTime)
    position: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True))
    relayed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OutboxDelivery(SQLModel, table=True):
    """One handler's turn at one event. Done in the same transaction as the handler's own effect."""

    __tablename__ = "outbox_delivery"
    __table_args__ = (
        Index("outbox_delivery_due", "next_attempt_at", postgresql_where="done_at IS NULL AND failed_at IS NULL"),
    )

    outbox_id: int = Field(sa_column=Column(BigInteger, primary_key=True))
    handler: str = Field(primary_key=True)
    attempts: int = 0
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None


def outbox_row(event: Event, now: datetime, also: Sequence[UUID] = ()) -> OutboxEvent:
    """The row that stores an event."""
    return OutboxEvent(
        name=event.name,
        area_code=event.area_code,
        centre_id=event.centre_id,
        also_centre_ids=list(also),
        payload=msgspec.to_builtins(event),
        created_at=now,
    )
