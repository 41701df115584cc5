"""Settlement batches: what payers are asked for, what they say, what they pay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from migrations import walls

revision: str = "0028_claims"
down_revision: str | None = "0027_quality_cases"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)


def one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("payer_name_zh", sa.Text(), nullable=False),
        sa.Column("payer_name_en", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column(
            "status", one_of(("draft", "submitted", "answered", "paid", "dropped"), "claimstatus"), nullable=False
        ),
        sa.Column("making", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("held_lines", sa.Integer(), nullable=False),
        sa.Column("asked_fen", sa.BigInteger(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.Column("payment_reference", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(
        "claim_one_draft",
        "claim",
        ["payer", "month", "centre_id"],
        unique=True,
        postgresql_where="status = 'draft'",
    )
    op.create_index("claim_centre", "claim", ["centre_id", "id"])
    walls.by_area("claim", "SELECT, INSERT, UPDATE")
    op.create_table(
        "claim_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("making", sa.Integer(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("book", one_of(("medical", "eldercare", "voucher"), "book"), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("asked_fen", sa.BigInteger(), nullable=False),
        sa.Column("flags", ARRAY(sa.Text()), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("cleared_by", sa.Uuid(), nullable=True),
        sa.Column("cleared_reason", sa.Text(), nullable=False),
        sa.Column("approved_fen", sa.BigInteger(), nullable=True),
        sa.Column("cut_reason", sa.Text(), nullable=False),
        sa.Column("cut_action", one_of(("ask_again", "write_off"), "cutaction"), nullable=True),
        sa.CheckConstraint("asked_fen <> 0", name="claim_line_asked"),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"]),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("claim_id", "making", "settlement_id", "book", name="claim_line_once"),
    )
    op.create_index("ix_claim_line_claim_id", "claim_line", ["claim_id"])
    op.create_index("claim_line_settlement", "claim_line", ["settlement_id", "payer", "book"])
    walls.by_resident("claim_line", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("claim_line")
    op.drop_table("claim")
