"""An event may be for other centres besides its own: those that help with an alert at that moment."""

import sqlalchemy as sa
from alembic import op

revision: str = "0014_share_events"
down_revision: str | None = "0013_withdraw_notifications"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("also_centre_ids", sa.ARRAY(sa.Uuid()), server_default="{}", nullable=False))
    op.create_index("outbox_also", "outbox", ["position"], postgresql_where=sa.text("also_centre_ids <> '{}'"))


def downgrade() -> None:
    op.drop_index("outbox_also", table_name="outbox")
    op.drop_column("outbox", "also_centre_ids")
