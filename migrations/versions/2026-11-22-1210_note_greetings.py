"""When a terminal last said that it is there: a goodbye or a last will must not hide that it was heard."""

import sqlalchemy as sa
from alembic import op

revision: str = "0015_note_greetings"
down_revision: str | None = "0014_share_events"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("terminal_state", sa.Column("greeted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("terminal_state", "greeted_at")
