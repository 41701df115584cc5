"""Rules about readings, in versions, and what they could not judge."""

revision: str = "0009_add_vital_rules"
down_revision: str | None = "0008_add_vendor_callbacks"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
