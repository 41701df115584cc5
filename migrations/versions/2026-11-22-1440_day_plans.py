"""Plans of a day: preview, commit, repair."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.walls import by_area, by_resident

revision: str = "0023_day_plans"
down_revision: str | None = "0022_dispatch_rounds"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    plans()
    items()
    pins_and_policies()
    by_area("day_plan", "SELECT, INSERT, UPDATE")
    by_resident("day_plan_item", "SELECT, INSERT, UPDATE")
    by_resident("booking_pin", "SELECT, INSERT, UPDATE")
    by_area("planning_policy", "SELECT, INSERT, UPDATE")
    wake()


def plans() -> None:
    """The plans themselves; the partial unique indexes bound the queue."""
    op.create_table(
        "day_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", one_of("plankind", "day", "repair"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "status",
            one_of("planstatus", "computing", "ready", "failed", "committed", "superseded", "dismissed"),
            nullable=False,
        ),
        sa.Column("options", JSONB(), nullable=False),
        sa.Column("cause", one_of("repaircause", "absence", "overrun", "urgent", "request"), nullable=True),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("caregiver_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("engine", sa.Text(), nullable=True),
        sa.Column("engine_why", JSONB(), nullable=True),
        sa.Column("summary", JSONB(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("committed_at", MOMENT, nullable=True),
        sa.Column("committed_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'repair') = (cause IS NOT NULL)", name="day_plan_cause"),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    live = "kind = 'repair' AND status IN ('computing', 'ready')"
    for name, columns, where in (
        ("day_plan_one_computing", ["centre_id"], "kind = 'day' AND status = 'computing'"),
        ("day_plan_one_ready", ["centre_id", "day"], "kind = 'day' AND status = 'ready'"),
        ("day_plan_one_proposal", ["centre_id", "day", "cause_key"], live),
    ):
        op.create_index(name, "day_plan", columns, unique=True, postgresql_where=sa.text(where))
    op.create_index("day_plan_waiting", "day_plan", ["id"], postgresql_where=sa.text("status = 'computing'"))
    op.create_index("day_plan_of_centre", "day_plan", ["centre_id", "id"])


def items() -> None:
    """Who would do what, and who does it now."""
    changes = ("kept", "added", "moved", "retimed", "dropped", "unassigned")
    op.create_table(
        "day_plan_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("place_no", sa.Integer(), nullable=False),
        sa.Column("change", one_of("itemchange", *changes), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("from_caregiver_id", sa.Uuid(), nullable=True),
        sa.Column("from_starts_at", MOMENT, nullable=True),
        sa.Column("caregiver_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", MOMENT, nullable=True),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("travel_seconds", sa.Integer(), nullable=False),
        sa.Column("reasons", JSONB(), nullable=False),
        sa.Column("result", one_of("itemresult", "done", "stale"), nullable=True),
        sa.Column("result_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["day_plan.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["order_id"], ["service_order.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"]),
        sa.ForeignKeyConstraint(["from_caregiver_id"], ["caregiver.id"]),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("plan_id", "order_id", "place_no", name="day_plan_item_once"),
    )
    op.create_index(op.f("ix_day_plan_item_plan_id"), "day_plan_item", ["plan_id"])
    op.create_index(op.f("ix_day_plan_item_order_id"), "day_plan_item", ["order_id"])


def pins_and_policies() -> None:
    """What a person has fixed, and what a centre lets the planner do by itself."""
    op.create_table(
        "booking_pin",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("pinned_by", sa.Uuid(), nullable=False),
        sa.Column("pinned_at", MOMENT, nullable=False),
        sa.Column("removed_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("removed_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"]),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_booking_pin_visit_id"), "booking_pin", ["visit_id"])
    op.create_index(
        "booking_pin_one",
        "booking_pin",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "planning_policy",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("repairs_commit_themselves", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("centre_id"),
    )


def wake() -> None:
    """Ring the planner when a plan is asked for; sent by PostgreSQL at the commit."""
    op.execute(
        "CREATE FUNCTION wake_planner() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_notify('guoyuan_day_plan', ''); RETURN NULL; END $$"
    )
    op.execute("CREATE TRIGGER wake AFTER INSERT ON day_plan FOR EACH STATEMENT EXECUTE FUNCTION wake_planner()")


def downgrade() -> None:
    for table in ("planning_policy", "booking_pin", "day_plan_item", "day_plan"):
        op.drop_table(table)
    op.execute("DROP FUNCTION wake_planner()")
