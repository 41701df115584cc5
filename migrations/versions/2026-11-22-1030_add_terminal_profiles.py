"""Terminal profiles, provisioning and binding history."""

revision: str = "0006_add_terminal_profiles"
down_revision: str | None = "0005_add_alert_kinds"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
