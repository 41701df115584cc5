"""Find again what a terminal with a wrong clock has sent before: its readings have no time of their own as a key."""

import sqlalchemy as sa
from alembic import op

revision: str = "0004_index_corrected_readings"
down_revision: str | None = "0003_add_care_times"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_index(
        "reading_corrected", "reading", ["terminal_id", "seq"], postgresql_where=sa.text("clock_corrected")
    )


def downgrade() -> None:
    op.drop_index("reading_corrected", table_name="reading")
