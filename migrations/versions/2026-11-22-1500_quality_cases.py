"""Call-backs, complaints and credit scores."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations import walls

revision: str = "0027_quality_cases"
down_revision: str | None = "0026_payments"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text())
FACES = ("good", "fair", "poor")
OUTCOMES = ("upheld", "partly_upheld", "not_upheld")
PARTIES = ("complainant", "caregiver", "centre")


def one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    op.add_column("rating", sa.Column("tags", TEXTS, server_default=sa.text("'{}'"), nullable=False))
    op.alter_column("rating", "tags", server_default=None)
    op.add_column(
        "rating",
        sa.Column("channel", one_of(("app", "phone"), "rating_channel"), server_default="app", nullable=False),
    )
    op.alter_column("rating", "channel", server_default=None)
    callbacks()
    complaints()
    credit()


def callbacks() -> None:
    op.create_table(
        "callback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column(
            "reason",
            one_of(("poor_rating", "flagged_visit", "first_service", "sample"), "callbackreason"),
            nullable=False,
        ),
        sa.Column("status", one_of(("due", "done", "unreachable"), "callbackstatus"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_by", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_attempt_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("called_by", sa.Uuid(), nullable=True),
        sa.Column("face", one_of(FACES, "face"), nullable=True),
        sa.Column("came_on_time", sa.Boolean(), nullable=True),
        sa.Column("work_done", sa.Boolean(), nullable=True),
        sa.Column("charged_right", sa.Boolean(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id"),
    )
    op.create_index("ix_callback_resident_id", "callback", ["resident_id"])
    op.create_index("callback_due", "callback", ["centre_id", "due_by"], postgresql_where="status = 'due'")
    op.create_index("callback_centre", "callback", ["centre_id", "id"])
    walls.by_resident("callback", "SELECT, INSERT, UPDATE")


def complaints() -> None:
    kinds = ("late", "not_come", "quality", "manner", "charges", "money_taken", "safety", "privacy", "other")
    statuses = ("received", "investigating", "decided", "appealed", "closed", "withdrawn")
    op.create_table(
        "complaint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", one_of(kinds, "complaintkind"), nullable=False),
        sa.Column("is_serious", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("status", one_of(statuses, "complaintstatus"), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_role", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("overdue_told_at", MOMENT, nullable=True),
        sa.Column("handled_by", sa.Uuid(), nullable=True),
        sa.Column("taken_at", MOMENT, nullable=True),
        sa.Column("outcome", one_of(OUTCOMES, "outcome"), nullable=True),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("measures", TEXTS, nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("appeal_by", sa.Uuid(), nullable=True),
        sa.Column("appeal_words", sa.Text(), nullable=False),
        sa.Column("appealed_at", MOMENT, nullable=True),
        sa.Column("first_outcome", one_of(OUTCOMES, "first_outcome"), nullable=True),
        sa.Column("first_findings", sa.Text(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["opened_by"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_complaint_resident_id", "complaint", ["resident_id"])
    op.create_index("ix_complaint_order_id", "complaint", ["order_id"])
    op.create_index("complaint_centre", "complaint", ["centre_id", "id"])
    op.create_index(
        "complaint_due",
        "complaint",
        ["due_at"],
        postgresql_where="status IN ('received', 'investigating', 'decided', 'appealed')",
    )
    walls.by_resident("complaint", "SELECT, INSERT, UPDATE")
    op.create_table(
        "complaint_party",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("role", one_of(PARTIES, "partyrole"), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "complaint_party_one", "complaint_party", ["complaint_id", "role", "caregiver_id"], unique=True
    )
    op.create_index("ix_complaint_party_caregiver_id", "complaint_party", ["caregiver_id"])
    walls.by_resident("complaint_party", "SELECT, INSERT")
    op.create_table(
        "complaint_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", one_of(("statement", "call", "evidence", "note"), "entrykind"), nullable=False),
        sa.Column("party", one_of(PARTIES, "entry_party"), nullable=True),
        sa.Column("caregiver_id", sa.Uuid(), nullable=True),
        sa.Column("is_internal", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_complaint_entry_complaint_id", "complaint_entry", ["complaint_id"])
    walls.by_resident("complaint_entry", "SELECT, INSERT")


def credit() -> None:
    op.create_table(
        "credit_rule_set",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("credit_rule_set_county", "credit_rule_set", ["area_code", "effective_from"], unique=True)
    walls.of_a_county("credit_rule_set")
    op.create_table(
        "credit_score",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", one_of(("caregiver", "institution"), "subject"), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("window_start", sa.Date(), nullable=False),
        sa.Column("window_end", sa.Date(), nullable=False),
        sa.Column("rules_version", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("parts", JSONB(), nullable=False),
        sa.Column("deductions", JSONB(), nullable=False),
        sa.Column("computed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("credit_score_once", "credit_score", ["subject", "subject_id", "month"], unique=True)
    op.create_index("credit_score_centre", "credit_score", ["centre_id", "month"])
    walls.by_area("credit_score", "SELECT")


def downgrade() -> None:
    for table in (
        "credit_score",
        "credit_rule_set",
        "complaint_entry",
        "complaint_party",
        "complaint",
        "callback",
    ):
        op.drop_table(table)
    op.drop_column("rating", "channel")
    op.drop_column("rating", "tags")
