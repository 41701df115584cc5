"""Signs of life of the processes, for `guoyuan doctor` and `/metrics`."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003_add_heartbeat"
down_revision: str | None = "0002_add_row_security"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("process", sa.Text(), primary_key=True),
        sa.Column("beaten_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("heartbeat")
