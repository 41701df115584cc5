"""Notifications to one person each, and every channel that was tried for them."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ViewField
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id
from services.notifications.states import AttemptStatus, NotificationStatus


class Channel(StrEnum):
    """A way to reach a person. Each has a sender in ``services.notifications.senders``."""

    APP = "app"
    SMS = "sms"
    VOICE = "voice"
    WECOM = "wecom"
    WEBHOOK = "webhook"


class Notification(SQLModel, table=True):
    """One notice to one recipient: an account, or a resident's emergency contact.

    ``parameters`` hold ids and kinds only; what a text may show of them is looked up when it is sent.
    """

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint("num_nonnulls(account_id, contact_id) = 1", name="notification_one_recipient"),
        Index(
            "notification_account_once",
            "key",
            "account_id",
            unique=True,
            postgresql_where="account_id IS NOT NULL",
        ),
        Index(
            "notification_contact_once",
            "key",
            "contact_id",
            unique=True,
            postgresql_where="contact_id IS NOT NULL",
        ),
        Index("notification_inbox", "account_id", "id"),
        Index("notification_age", "is_life_safety", "created_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    contact_id: UUID | None = Field(default=None, foreign_key="emergency_contact.id")
    template: str
    parameters: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    area_code: str
    centre_id: UUID | None = None
    alert_id: UUID | None = Field(default=None, index=True)
    is_life_safety: bool
    channels: list[str] = Field(sa_type=TextArray)
    status: NotificationStatus = Field(sa_column=enum_column(NotificationStatus))
    created_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_reason: str | None = None
    version: int = 1


class NotificationAttempt(SQLModel, table=True):
    """One channel of one notification; its id is the idempotency key that a gateway gets.

    ``next_at``: when to try (again). ``leased_until``: a dispatcher has it on the wire until then; one that
    died leaves it to be taken again. ``watch_until``: by when a delivery report must have come, or the next
    channel begins.
    """

    __tablename__ = "notification_attempt"
    __table_args__ = (
        UniqueConstraint("notification_id", "position", name="notification_attempt_once"),
        Index(
            "notification_attempt_due",
            "is_life_safety",
            "channel",
            "next_at",
            postgresql_where="status = 'queued'",
        ),
        Index("notification_attempt_watch", "watch_until", postgresql_where="watch_until IS NOT NULL"),
        Index("notification_attempt_recent", "recipient_id", "channel", "tried_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    notification_id: UUID = Field(foreign_key="notification.id")
    position: int
    channel: Channel = Field(sa_column=enum_column(Channel))
    recipient_id: UUID
    area_code: str
    is_life_safety: bool
    status: AttemptStatus = Field(sa_column=enum_column(AttemptStatus))
    queued_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease: UUID | None = None
    watch_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = 0
    put_off: int = 0
    tried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    address_masked: str | None = None
    message_id: str | None = None
    error_code: str | None = None
    version: int = 1


class StaffPhone(SQLModel, table=True):
    """The number at which a member of staff is paged; sealed. Nobody signs in with it."""

    __tablename__ = "staff_phone"

    account_id: UUID = Field(foreign_key="account.id", primary_key=True)
    area_code: str
    phone_encrypted: str
    updated_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class InboxItem(BaseModel):
    """A notification as the app of its recipient shows it."""

    id: UUID
    template: str
    text_zh: str
    text_en: str
    is_life_safety: bool
    alert_id: UUID | None
    status: NotificationStatus
    created_at: datetime
    read_at: datetime | None


class AttemptPublic(BaseModel):
    """How one channel went."""

    model_config = ConfigDict(from_attributes=True)

    channel: Channel
    status: AttemptStatus
    tries: int
    put_off: int = ViewField(description="How often a limit put it off; never for life safety.")
    address_masked: str | None = ViewField(examples=["138****1234"])
    error_code: str | None
    queued_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    read_at: datetime | None


class NotificationPublic(BaseModel):
    """A notification as the desk sees it: whether it has reached the person, and through what."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    template: str
    account_id: UUID | None
    contact_id: UUID | None
    alert_id: UUID | None
    is_life_safety: bool
    status: NotificationStatus
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    read_at: datetime | None
    withdrawn_at: datetime | None = ViewField(description="When it was taken back: nobody needed it any more.")
    withdrawn_reason: str | None = ViewField(examples=["alert_acknowledged"])
    attempts: list[AttemptPublic] = []


class DeliveryReport(BaseModel):
    """What a gateway says became of a message that it had taken."""

    attempt_id: UUID = ViewField(
        description="The `idempotency_key` of the message.", examples=["019ab1c2-0000-7000-8000-000000000001"]
    )
    status: Literal["delivered", "failed", "read"] = ViewField(examples=["delivered"])
    code: str = ViewField(
        "", max_length=60, pattern=r"^[A-Za-z0-9_.:-]*$", description="The gateway's reason.", examples=["DELIVRD"]
    )


class ReportTaken(BaseModel):
    """The report is stored. The same report again changes nothing."""

    status: AttemptStatus


class StaffPhoneChange(BaseModel):
    """One's own number for pages."""

    phone: str = ViewField(min_length=5, max_length=20, examples=["13800001234"])


class StaffPhonePublic(BaseModel):
    """One's own number for pages, masked; ``null`` when there is none."""

    phone_masked: str | None = ViewField(examples=["138****1234"])
    version: int = ViewField(description="0 while there is none.")
