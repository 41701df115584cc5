"""Waves of offers, automatic dispatch, and orders that nobody took."""

revision: str = "0022_dispatch_rounds"
down_revision: str | None = "0021_institutions_and_rota"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
