"""Provider institutions, and the caregivers' file and rota."""

revision: str = "0021_institutions_and_rota"
down_revision: str | None = "0020_care_plans"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
