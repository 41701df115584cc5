"""Kept quotes, and how an order may say who, when and where."""

revision: str = "0019_quotes_and_wishes"
down_revision: str | None = "0018_consents_and_assessments"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
