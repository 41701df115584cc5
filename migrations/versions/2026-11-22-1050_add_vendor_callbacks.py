"""Keys of vendors' clouds that send readings and alarms over HTTP."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008_add_vendor_callbacks"
down_revision: str | None = "0007_add_supervision"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "vendor_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("codec", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("old_secret", sa.String(), nullable=True),
        sa.Column("old_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_vendor_key_area_code"), "vendor_key", ["area_code"])
    op.create_table(
        "vendor_callback",
        sa.Column("vendor_key_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("body_sha256", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["vendor_key_id"], ["vendor_key.id"]),
        sa.PrimaryKeyConstraint("vendor_key_id", "message_id", "body_sha256"),
    )
    op.create_index(op.f("ix_vendor_callback_received_at"), "vendor_callback", ["received_at"])
    # No right for anybody but the system, so no row either: people have no business with sealed secrets.
    op.execute("ALTER TABLE vendor_key ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE vendor_callback ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_table("vendor_callback")
    op.drop_table("vendor_key")
