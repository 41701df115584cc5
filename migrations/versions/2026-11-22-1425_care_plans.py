"""Recurring plans and service packages."""

revision: str = "0020_care_plans"
down_revision: str | None = "0019_quotes_and_wishes"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
