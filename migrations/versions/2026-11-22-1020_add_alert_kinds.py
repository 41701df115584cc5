"""Alerts of several kinds of readings together, and of readings that stay away."""

from alembic import op

revision: str = "0005_add_alert_kinds"
down_revision: str | None = "0004_index_corrected_readings"
branch_labels: None = None
depends_on: None = None


OLD = (
    "sos",
    "fall",
    "help_cord",
    "smoke",
    "gas",
    "water",
    "unreadable_alarm",
    "other",
    "heart_rate",
    "spo2",
    "blood_pressure",
    "temperature",
    "respiratory_rate",
    "glucose",
)
NEW = (*OLD, "early_warning", "no_readings")


def upgrade() -> None:
    allow(NEW)


def downgrade() -> None:
    allow(OLD)


def allow(kinds: tuple[str, ...]) -> None:
    """The kinds that the column takes."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("ALTER TABLE alert DROP CONSTRAINT alertkind")
    op.execute(f"ALTER TABLE alert ADD CONSTRAINT alertkind CHECK (kind IN ({listed}))")
