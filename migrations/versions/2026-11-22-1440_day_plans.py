"""Plans of a day: preview, commit, repair."""

revision: str = "0023_day_plans"
down_revision: str | None = "0022_dispatch_rounds"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
