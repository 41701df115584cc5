"""Duty rotas and notifications."""

revision: str = "0011_add_duty_and_notifications"
down_revision: str | None = "0010_add_alert_policies"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
