"""Settlement batches, payments, staff workload."""

revision: str = "0026_claims_and_payments"
down_revision: str | None = "0025_payers_and_ledger"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
