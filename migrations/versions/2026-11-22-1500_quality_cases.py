"""Call-backs, complaints and credit scores."""

revision: str = "0027_quality_cases"
down_revision: str | None = "0026_claims_and_payments"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
