"""Hourly and daily readings, retention, referrals."""

revision: str = "0012_add_reading_aggregates"
down_revision: str | None = "0011_add_duty_and_notifications"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
