"""Consents of residents, and assessments of ability and of need."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations import walls

revision: str = "0018_consents_and_assessments"
down_revision: str | None = "0017_catalogue_versions"
branch_labels: None = None
depends_on: None = None


def words(name: str, *values: str) -> sa.Enum:
    """A column of one of these words, checked by the database."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def somebody(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey("account.id"), nullable=True)


def whose() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("resident_id", sa.Uuid(), sa.ForeignKey("resident.id"), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
    )


def withdrawal() -> tuple[sa.Column[Any], ...]:
    return (
        somebody("recorded_by"),
        moment("recorded_at"),
        moment("withdrawn_at", nullable=True),
        somebody("withdrawn_by"),
        sa.Column("withdraw_reason", sa.Text(), nullable=False),
    )


def upgrade() -> None:
    consents()
    assessments()
    for table in ("consent", "ability_assessment", "first_assessment"):
        walls.by_resident(table, "SELECT, INSERT, UPDATE")
    walls.by_resident("self_care_rating", "SELECT, INSERT")


def consents() -> None:
    op.create_table(
        "consent",
        *whose(),
        sa.Column(
            "purpose",
            words("consentpurpose", "home_nursing", "visit_photos", "family_feed", "data_sharing"),
            nullable=False,
        ),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("giver", words("giver", "resident", "guardian"), nullable=False),
        sa.Column("giver_name", sa.Text(), nullable=False),
        sa.Column("how", words("consentmethod", "in_app", "signature", "spoken"), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        moment("given_at"),
        sa.Column("valid_until", sa.Date(), nullable=True),
        somebody("recorded_by"),
        sa.Column("recorded_role", sa.Text(), nullable=False),
        moment("ended_at", nullable=True),
        sa.Column("ended_how", words("consentend", "revoked", "replaced"), nullable=True),
        somebody("ended_by"),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name="consent_end_whole"),
    )
    op.create_index(
        "consent_once",
        "consent",
        ["resident_id", "purpose", "scope"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("consent_resident", "consent", ["resident_id", "id"])


def assessments() -> None:
    op.create_table(
        "ability_assessment",
        *whose(),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("standard_version", sa.Text(), nullable=False),
        sa.Column("reason", words("assessmentreason", "first", "routine", "immediate", "dispute"), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("scores", JSONB(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("level_by_points", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("adjustments", ARRAY(sa.Text()), nullable=False),
        sa.Column("is_coma", sa.Boolean(), nullable=False),
        sa.Column("has_mental_disorder", sa.Boolean(), nullable=False),
        sa.Column("risk_events", sa.Integer(), nullable=False),
        sa.Column("assessors", JSONB(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        *withdrawal(),
        sa.CheckConstraint("valid_until >= valid_from", name="ability_assessment_forwards"),
        sa.CheckConstraint("level BETWEEN 0 AND 4", name="ability_assessment_level"),
    )
    op.create_index("ability_assessment_resident", "ability_assessment", ["resident_id", "valid_from"])
    op.create_table(
        "self_care_rating",
        *whose(),
        sa.Column("table_version", sa.Text(), nullable=False),
        sa.Column("rated_on", sa.Date(), nullable=False),
        sa.Column("answers", JSONB(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        somebody("recorded_by"),
        moment("recorded_at"),
    )
    op.create_index("self_care_rating_resident", "self_care_rating", ["resident_id", "id"])
    op.create_table(
        "first_assessment",
        *whose(),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("assessor", sa.Text(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("covers", ARRAY(sa.Text()), nullable=False),
        sa.Column("is_suitable", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        *withdrawal(),
        sa.CheckConstraint("valid_until >= assessed_on", name="first_assessment_forwards"),
    )
    op.create_index("first_assessment_resident", "first_assessment", ["resident_id", "assessed_on"])


def downgrade() -> None:
    for table in ("first_assessment", "self_care_rating", "ability_assessment", "consent"):
        op.drop_table(table)
