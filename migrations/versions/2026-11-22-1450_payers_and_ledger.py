"""Tariffs, payers, vouchers and the double-entry ledger."""

revision: str = "0025_payers_and_ledger"
down_revision: str | None = "0024_visit_proofs"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
