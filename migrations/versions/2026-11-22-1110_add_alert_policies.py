"""Escalation policies, pages, handovers and mutual aid."""

revision: str = "0010_add_alert_policies"
down_revision: str | None = "0009_add_vital_rules"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
