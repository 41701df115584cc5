"""Evidence of visits, what was used, incidents, corrections."""

revision: str = "0024_visit_proofs"
down_revision: str | None = "0023_day_plans"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
