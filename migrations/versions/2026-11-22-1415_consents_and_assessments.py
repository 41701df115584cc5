"""Consents of residents, and assessments of ability and of need."""

revision: str = "0018_consents_and_assessments"
down_revision: str | None = "0017_catalogue_versions"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
