"""Faults of terminals, commands to them and test calls."""

revision: str = "0007_add_supervision"
down_revision: str | None = "0006_add_terminal_profiles"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
