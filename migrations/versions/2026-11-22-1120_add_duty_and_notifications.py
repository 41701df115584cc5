"""Duty rotas and notifications."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.walls import AREA, by_area

revision: str = "0011_add_duty_and_notifications"
down_revision: str | None = "0010_add_alert_policies"
branch_labels: None = None
depends_on: None = None

TABLES = (
    "duty_rota",
    "duty_rota_change",
    "duty_override",
    "duty_swap",
    "notification",
    "notification_attempt",
    "staff_phone",
)
OWN = "account_id::text = (SELECT nullif(current_setting('guoyuan.account', true), ''))"
"""A page goes to whom it is meant for, also to somebody of the next town who stands in."""


def upgrade() -> None:
    duty()
    notifications()
    walls()
    wake()


def duty() -> None:
    """Rotas, what they said before, replacements and swaps."""
    op.create_table(
        "duty_rota",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "resident",
                "family",
                "caregiver",
                "dispatcher",
                "centre_manager",
                "clinician",
                "county_officer",
                "auditor",
                "terminal",
                "system",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pattern", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"],
            ["centre.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("duty_rota_place", "duty_rota", ["area_code", "role"], unique=False)
    op.create_table(
        "duty_rota_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rota_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pattern", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["rota_id"],
            ["duty_rota.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_duty_rota_change_rota_id"), "duty_rota_change", ["rota_id"], unique=False)
    op.create_table(
        "duty_override",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rota_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("absent_account_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("swap_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name="duty_override_forward"),
        sa.CheckConstraint("num_nonnulls(absent_account_id, account_id) >= 1", name="duty_override_somebody"),
        sa.ForeignKeyConstraint(
            ["absent_account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rota_id"],
            ["duty_rota.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("duty_override_time", "duty_override", ["rota_id", "ends_at"], unique=False)
    op.create_table(
        "duty_swap",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rota_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("from_account_id", sa.Uuid(), nullable=False),
        sa.Column("to_account_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("return_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("return_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "requested",
                "accepted",
                "declined",
                "withdrawn",
                "lapsed",
                name="swapstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name="duty_swap_forward"),
        sa.ForeignKeyConstraint(
            ["from_account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rota_id"],
            ["duty_rota.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_duty_swap_from_account_id"), "duty_swap", ["from_account_id"], unique=False)
    op.create_index(op.f("ix_duty_swap_rota_id"), "duty_swap", ["rota_id"], unique=False)
    op.create_index(op.f("ix_duty_swap_to_account_id"), "duty_swap", ["to_account_id"], unique=False)


def notifications() -> None:
    """Notifications, the channels tried for each, and the numbers at which staff are paged."""
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("is_life_safety", sa.Boolean(), nullable=False),
        sa.Column("channels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "sent",
                "delivered",
                "failed",
                "read",
                name="notificationstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("num_nonnulls(account_id, contact_id) = 1", name="notification_one_recipient"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["emergency_contact.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_notification_alert_id"), "notification", ["alert_id"], unique=False)
    op.create_index(
        "notification_account_once",
        "notification",
        ["key", "account_id"],
        unique=True,
        postgresql_where="account_id IS NOT NULL",
    )
    op.create_index(
        "notification_contact_once",
        "notification",
        ["key", "contact_id"],
        unique=True,
        postgresql_where="contact_id IS NOT NULL",
    )
    op.create_index("notification_inbox", "notification", ["account_id", "id"], unique=False)
    op.create_table(
        "notification_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "app",
                "sms",
                "voice",
                "wecom",
                "webhook",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("is_life_safety", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "sent",
                "delivered",
                "failed",
                "read",
                "needless",
                name="attemptstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("watch_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("put_off", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address_masked", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notification.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("notification_id", "position", name="notification_attempt_once"),
    )
    op.create_index(
        "notification_attempt_due",
        "notification_attempt",
        ["is_life_safety", "channel", "next_at"],
        unique=False,
        postgresql_where="status = 'queued'",
    )
    op.create_index(
        "notification_attempt_recent",
        "notification_attempt",
        ["recipient_id", "channel", "tried_at"],
        unique=False,
    )
    op.create_index(
        "notification_attempt_watch",
        "notification_attempt",
        ["watch_until"],
        unique=False,
        postgresql_where="watch_until IS NOT NULL",
    )
    op.create_table(
        "staff_phone",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("phone_encrypted", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id"),
    )


def walls() -> None:
    """Everything of a place by its area; a notification by its recipient as well, who may write that it was read."""
    by_area("duty_rota", "SELECT, INSERT, UPDATE")
    by_area("duty_rota_change", "SELECT, INSERT")
    by_area("duty_override", "SELECT, INSERT, UPDATE")
    by_area("duty_swap", "SELECT, INSERT, UPDATE")
    by_area("staff_phone", "SELECT, INSERT, UPDATE")
    for table, own in (
        ("notification", OWN),
        ("notification_attempt", OWN.replace("account_id", "recipient_id")),
    ):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO guoyuan_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        reach = f"({AREA}) OR {own}"
        op.execute(f"CREATE POLICY scope ON {table} TO guoyuan_app USING ({reach}) WITH CHECK ({reach})")

    op.execute(f"CREATE POLICY own_deeds ON status_change FOR INSERT TO guoyuan_app WITH CHECK ({OWN})")


def wake() -> None:
    """Ring the dispatcher when there is something to send; sent by PostgreSQL at the commit."""
    op.execute(
        "CREATE FUNCTION wake_notification() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_notify('guoyuan_notification', ''); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER wake AFTER INSERT ON notification_attempt"
        " FOR EACH STATEMENT EXECUTE FUNCTION wake_notification()"
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION wake_notification()")
    op.execute("DROP POLICY own_deeds ON status_change")
