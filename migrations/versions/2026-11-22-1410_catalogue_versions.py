"""The catalogue in versions, with what must be true before a service."""

revision: str = "0017_catalogue_versions"
down_revision: str | None = "0016_order_lines"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
