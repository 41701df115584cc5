"""Recurring plans and service packages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations.walls import by_resident, open_to_all

revision: str = "0020_care_plans"
down_revision: str | None = "0019_quotes_and_wishes"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)
CHANNELS = ("app", "family", "village_doctor", "phone", "care_plan")


def choice(name: str, *values: str) -> sa.Enum:
    """A text column that holds one of these."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    templates()
    granted()
    drawn()
    plans()
    days()


def templates() -> None:
    """Packages that can be granted."""
    op.create_table(
        "package_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("description_zh", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("items", JSONB(), nullable=False),
        sa.Column("validity_days", sa.Integer(), nullable=False),
        sa.Column("price_fen", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    open_to_all("package_template", "SELECT, INSERT, UPDATE")


def granted() -> None:
    """Residents' packages and what they entitle to."""
    op.create_table(
        "resident_package",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.Integer(), nullable=False),
        sa.Column("price_verified", sa.Boolean(), nullable=False),
        sa.Column("contract_reference", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("status", choice("packagestatus", "active", "expired", "revoked"), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("valid_until >= valid_from", name="resident_package_days"),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["template_id"], ["package_template.id"]),
        sa.ForeignKeyConstraint(["granted_by"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_resident_package_area_code", "resident_package", ["area_code"])
    op.create_index("resident_package_resident", "resident_package", ["resident_id", "id"])
    op.create_index(
        "resident_package_running",
        "resident_package",
        ["valid_until"],
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "entitlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.CheckConstraint("granted > 0", name="entitlement_granted"),
        sa.CheckConstraint("reserved >= 0 AND used >= 0 AND released >= 0", name="entitlement_never_negative"),
        sa.CheckConstraint("reserved + used <= granted", name="entitlement_never_overdrawn"),
        sa.ForeignKeyConstraint(["package_id"], ["resident_package.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("entitlement_resident_item", "entitlement", ["resident_id", "item_code"])
    op.create_index("entitlement_package_item", "entitlement", ["package_id", "item_code"], unique=True)
    by_resident("resident_package", "SELECT, INSERT, UPDATE")
    by_resident("entitlement", "SELECT, INSERT, UPDATE")


def drawn() -> None:
    """What orders have taken."""
    op.create_table(
        "entitlement_draw",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("status", choice("drawstatus", "reserved", "used", "released"), nullable=False),
        sa.Column("reserved_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="entitlement_draw_quantity"),
        sa.ForeignKeyConstraint(["entitlement_id"], ["entitlement.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("entitlement_draw_line", "entitlement_draw", ["order_id", "line_no"], unique=True)
    op.create_index("entitlement_draw_entitlement", "entitlement_draw", ["entitlement_id", "id"])
    by_resident("entitlement_draw", "SELECT, INSERT, UPDATE")


def plans() -> None:
    """Recurring plans, and the orders that come from one."""
    op.create_table(
        "care_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("items", JSONB(), nullable=False),
        sa.Column("times", JSONB(), nullable=False),
        sa.Column("wishes", JSONB(), nullable=False),
        sa.Column("rrule", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("exdates", ARRAY(sa.Date()), nullable=False),
        sa.Column("rdates", ARRAY(sa.Date()), nullable=False),
        sa.Column("holiday_policy", choice("holidaypolicy", "keep", "skip", "move"), nullable=False),
        sa.Column("status", choice("planstatus", "active", "ended"), nullable=False),
        sa.Column("channel", choice("channel", *CHANNELS), nullable=False),
        sa.Column("caller", JSONB(), nullable=True),
        sa.Column("planned_by", sa.Uuid(), nullable=False),
        sa.Column("planned_at", MOMENT, nullable=False),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("next_run_at", MOMENT, nullable=False),
        sa.Column("generated_until", sa.Date(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="care_plan_days"),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["planned_by"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_care_plan_area_code", "care_plan", ["area_code"])
    op.create_index("care_plan_resident", "care_plan", ["resident_id", "id"])
    op.create_index("care_plan_due", "care_plan", ["next_run_at"], postgresql_where=sa.text("status = 'active'"))
    by_resident("care_plan", "SELECT, INSERT, UPDATE")
    op.create_foreign_key("service_order_of_plan", "service_order", "care_plan", ["care_plan_id"], ["id"])


def days() -> None:
    """Pauses, and what became of each day."""
    op.create_table(
        "care_plan_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("care_plan_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paused_by", sa.Uuid(), nullable=True),
        sa.Column("paused_at", MOMENT, nullable=False),
        sa.Column("resumed_by", sa.Uuid(), nullable=True),
        sa.Column("resumed_at", MOMENT, nullable=True),
        sa.CheckConstraint("until_day IS NULL OR until_day >= from_day - 1", name="care_plan_pause_days"),
        sa.ForeignKeyConstraint(["care_plan_id"], ["care_plan.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("care_plan_pause_plan", "care_plan_pause", ["care_plan_id", "from_day"])
    op.create_table(
        "care_plan_occurrence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("care_plan_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column(
            "status",
            choice(
                "occurrencestatus", "changed", "ordered", "problem", "cancelled", "paused", "dropped", "missed"
            ),
            nullable=False,
        ),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("change", JSONB(), nullable=True),
        sa.Column("problem", JSONB(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["care_plan_id"], ["care_plan.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("care_plan_occurrence_day", "care_plan_occurrence", ["care_plan_id", "day"], unique=True)
    op.create_index("care_plan_occurrence_order", "care_plan_occurrence", ["order_id"], unique=True)
    by_resident("care_plan_pause", "SELECT, INSERT, UPDATE")
    by_resident("care_plan_occurrence", "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("care_plan_occurrence")
    op.drop_table("care_plan_pause")
    op.drop_constraint("service_order_of_plan", "service_order")
    op.drop_table("care_plan")
    op.drop_table("entitlement_draw")
    op.drop_table("entitlement")
    op.drop_table("resident_package")
    op.drop_table("package_template")
