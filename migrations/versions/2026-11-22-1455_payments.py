"""Payments of the household's part of bills, refunds, and providers' messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import walls

revision: str = "0026_payments"
down_revision: str | None = "0025_payers_and_ledger"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)


def one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    payments()
    refunds()
    op.create_table(
        "payment_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column(
            "outcome", one_of(("applied", "surplus", "unknown", "amount_differs"), "noticeoutcome"), nullable=False
        ),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("provider", "notice_id", name="payment_notice_once"),
    )
    walls.by_area("payment_notice", "SELECT, INSERT")


def payments() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("split", JSONB(), nullable=False),
        sa.Column(
            "status",
            one_of(("pending", "paid", "expired", "cancelled", "surplus"), "paymentstatus"),
            nullable=False,
        ),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name="payment_amount"),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["started_by"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("provider", "reference", name="payment_reference"),
    )
    op.create_index("ix_payment_settlement_id", "payment", ["settlement_id"])
    op.create_index("ix_payment_resident_id", "payment", ["resident_id"])
    op.create_index(
        "payment_one_pending", "payment", ["settlement_id"], unique=True, postgresql_where="status = 'pending'"
    )
    op.create_index("payment_expiry", "payment", ["expires_at"], postgresql_where="status = 'pending'")
    walls.by_resident("payment", "SELECT, INSERT, UPDATE")


def refunds() -> None:
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("split", JSONB(), nullable=False),
        sa.Column("is_surplus", sa.Boolean(), nullable=False),
        sa.Column("status", one_of(("wanted", "sent", "done", "failed"), "refundstatus"), nullable=False),
        sa.Column("wanted_at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("handled_by", sa.Uuid(), nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name="refund_amount"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"]),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_refund_payment_id", "refund", ["payment_id"])
    op.create_index("ix_refund_settlement_id", "refund", ["settlement_id"])
    op.create_index(
        "refund_one_open",
        "refund",
        ["payment_id"],
        unique=True,
        postgresql_where="status IN ('wanted', 'sent')",
    )
    walls.by_resident("refund", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    for table in ("payment_notice", "refund", "payment"):
        op.drop_table(table)
