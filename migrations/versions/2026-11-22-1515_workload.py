"""What caregivers did, and what it earns them."""

import sqlalchemy as sa
from alembic import op

from migrations import walls

revision: str = "0029_workload"
down_revision: str | None = "0028_claims"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)
CATEGORIES = (
    "meal", "cleaning", "bathing", "walking", "escort", "emergency", "round_visit", "nursing",
    "rehabilitation", "chinese_medicine", "check_up", "companionship",
)  # fmt: skip


def one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        "allowance_rate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", one_of(("home_visit", "on_call"), "workkind"), nullable=False),
        sa.Column("profession", sa.Text(), nullable=False),
        sa.Column("unit_fen", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.CheckConstraint("unit_fen >= 0", name="allowance_rate_amount"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "allowance_rate_once", "allowance_rate", ["area_code", "kind", "profession", "effective_from"], unique=True
    )
    walls.of_a_county("allowance_rate")
    op.create_table(
        "work_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", one_of(("home_visit", "on_call"), "workkind"), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("category", one_of(CATEGORIES, "category"), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("unit_fen", sa.Integer(), nullable=True),
        sa.Column("amount_fen", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "source_id", "turn", name="work_entry_once"),
    )
    op.create_index("work_entry_month", "work_entry", ["caregiver_id", "month"])
    op.create_index("work_entry_centre", "work_entry", ["centre_id", "month"])
    walls.by_area("work_entry", "SELECT")


def downgrade() -> None:
    op.drop_table("work_entry")
    op.drop_table("allowance_rate")
