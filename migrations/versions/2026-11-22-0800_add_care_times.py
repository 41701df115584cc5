"""The time of care that counts, beside the device's and the server's; checklists with codes and two languages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003_add_care_times"
down_revision: str | None = "0003_add_heartbeat"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("visit", sa.Column("care_started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("visit", sa.Column("care_ended_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("visit_flagged", "visit", ["centre_id"], postgresql_where=sa.text("status = 'flagged'"))
    # The menu is seed data that `load_items` brings up to date: nothing is lost with the old column.
    op.drop_column("service_item", "checklist")
    op.add_column(
        "service_item",
        sa.Column(
            "checklist",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default=sa.text("'[]'::jsonb"),
        ),
    )
    op.alter_column("service_item", "checklist", server_default=None)


def downgrade() -> None:
    op.drop_column("service_item", "checklist")
    op.add_column(
        "service_item",
        sa.Column("checklist", sa.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'::text[]")),
    )
    op.alter_column("service_item", "checklist", server_default=None)
    op.drop_index("visit_flagged", table_name="visit")
    op.drop_column("visit", "care_ended_at")
    op.drop_column("visit", "care_started_at")
