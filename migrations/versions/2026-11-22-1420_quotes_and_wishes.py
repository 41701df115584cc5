"""Kept quotes, and how an order may say who, when and where."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.walls import by_resident

revision: str = "0019_quotes_and_wishes"
down_revision: str | None = "0018_consents_and_assessments"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)
EMPTY_LIST = sa.text("'[]'")
EMPTY_OBJECT = sa.text("'{}'")
CHANNELS = ("app", "family", "village_doctor", "phone", "care_plan")


def choice(name: str, *values: str) -> sa.Enum:
    """A text column that holds one of these."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    quotes()
    wishes()
    changes()


def quotes() -> None:
    """Quotes, kept until an order takes one."""
    op.create_table(
        "order_quote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("channel", choice("channel", *CHANNELS), nullable=False),
        sa.Column("lines", JSONB(), nullable=False),
        sa.Column("price", JSONB(), nullable=False),
        sa.Column("total_fen", sa.Integer(), nullable=False),
        sa.Column("windows", JSONB(), nullable=False),
        sa.Column("is_urgent", sa.Boolean(), nullable=False),
        sa.Column("priced_for", sa.Date(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("quoted_by", sa.Uuid(), nullable=False),
        sa.Column("quoted_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["quoted_by"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("order_quote_resident", "order_quote", ["resident_id", "id"])
    by_resident("order_quote", "SELECT, INSERT, UPDATE")


def wishes() -> None:
    """When, who and where on the order itself; orders of before keep their one window."""
    table = "service_order"
    channels(CHANNELS)
    op.add_column(table, sa.Column("windows", JSONB(), server_default=EMPTY_LIST, nullable=False))
    op.add_column(table, sa.Column("gender_is_must", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(table, sa.Column("preferred_caregiver_id", sa.Uuid(), nullable=True))
    op.add_column(table, sa.Column("preferred_dialect", sa.Text(), server_default="", nullable=False))
    op.add_column(table, sa.Column("access", JSONB(), server_default=EMPTY_OBJECT, nullable=False))
    op.add_column(table, sa.Column("caller", JSONB(), nullable=True))
    op.add_column(table, sa.Column("quote_id", sa.Uuid(), nullable=True))
    op.add_column(table, sa.Column("care_plan_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE service_order SET windows = jsonb_build_array(jsonb_build_array("
        "to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00'),"
        "to_char(window_end AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00')))"
    )
    for column in ("windows", "gender_is_must", "preferred_dialect", "access"):
        op.alter_column(table, column, server_default=None)
    op.create_foreign_key("service_order_caregiver", table, "caregiver", ["preferred_caregiver_id"], ["id"])
    op.create_foreign_key("service_order_quote_kept", table, "order_quote", ["quote_id"], ["id"])
    op.create_index("service_order_quote", table, ["quote_id"], unique=True)
    op.create_index("service_order_care_plan", table, ["care_plan_id"])


def channels(values: tuple[str, ...]) -> None:
    """How an order may come."""
    op.drop_constraint("channel", "service_order")
    listed = ", ".join(f"'{value}'" for value in values)
    op.create_check_constraint("channel", "service_order", f"channel IN ({listed})")


def changes() -> None:
    """What an order said before and after a change."""
    op.create_table(
        "order_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", choice("changekind", "rescheduled", "wishes"), nullable=False),
        sa.Column("before", JSONB(), nullable=False),
        sa.Column("after", JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_order_change_order_id", "order_change", ["order_id"])
    by_resident("order_change", "SELECT, INSERT")


def downgrade() -> None:
    op.drop_table("order_change")
    op.drop_index("service_order_care_plan", "service_order")
    op.drop_index("service_order_quote", "service_order")
    op.drop_constraint("service_order_quote_kept", "service_order")
    op.drop_constraint("service_order_caregiver", "service_order")
    for column in (
        "care_plan_id",
        "quote_id",
        "caller",
        "access",
        "preferred_dialect",
        "preferred_caregiver_id",
        "gender_is_must",
        "windows",
    ):
        op.drop_column("service_order", column)
    op.execute("UPDATE service_order SET channel = 'village_doctor' WHERE channel = 'care_plan'")
    channels(CHANNELS[:4])
    op.drop_table("order_quote")
