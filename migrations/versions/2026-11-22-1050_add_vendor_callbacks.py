"""Keys of vendors' clouds that send readings and alarms over HTTP."""

revision: str = "0008_add_vendor_callbacks"
down_revision: str | None = "0007_add_supervision"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
