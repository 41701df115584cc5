"""Waves of offers, automatic dispatch, orders that nobody took, and mutual aid with one order.

A neighbouring centre that was asked for help sees the order through policies named `lend`: the order's id stands
in the transaction's setting `guoyuan.orders`. Its caregiver who was asked, or who has the visit, sees that resident
as those of her own town: `guoyuan.visited`. The centre in charge and the household read the name of a lent
caregiver: `guoyuan.lent`. All three come with the session of each request and are gone when the aid is.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

from migrations.walls import by_area, by_resident, visited

revision: str = "0022_dispatch_rounds"
down_revision: str | None = "0021_institutions_and_rota"
branch_labels: None = None
depends_on: None = None

TIME = sa.DateTime(timezone=True)
DECLINES = ("no_time", "too_far", "unwell", "not_my_skill", "conflict_with_resident", "other")
ENDS = ("sick", "leave", "delayed", "not_wanted", "reassigned", "cancelled", "other")
MODES = ("off", "suggest", "offer_waves", "assign_best")
ROUNDS = ("running", "filled", "exhausted", "stopped")
LEVELS = ("own", "neighbour", "county")

ANY_OF = "{column} = ANY ((SELECT string_to_array(current_setting('guoyuan.{setting}', true), ','))::text[])"
VISITED = {
    "resident": "id",
    "emergency_contact": "resident_id",
    "service_order": "resident_id",
    "offer": "resident_id",
    "booking": "resident_id",
    "visit": "resident_id",
    "access_log": "resident_id",
}
"""What a lent caregiver needs of the resident: her visit, its order, the card; and her reads are written down."""
FUNCTIONS = (
    "caregiver_jobs(uuid[], timestamptz, timestamptz)",
    "caregiver_minutes(uuid[], timestamptz, timestamptz)",
    "kept_apart_of(uuid, date)",
)
LENDING = {"service_order": "id::text", "offer": "order_id::text", "outbox": "(payload ->> 'order_id')"}
"""What a helping centre uses of one order as if it lay in its own area. Nothing of the resident is among it."""


def upgrade() -> None:
    offers_and_bookings()
    policies()
    rounds()
    climbs_and_aid()
    walls()
    lending()


def words(name: str, values: tuple[str, ...]) -> sa.Enum:
    """A text column that takes these words only."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def column(name: str, kind: sa.types.TypeEngine[Any], *more: SchemaItem, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, *more, nullable=null)


def offers_and_bookings() -> None:
    for table in ("offer", "booking"):
        op.add_column(table, column("lent_by", sa.Uuid(), null=True))
        op.create_foreign_key(f"{table}_lent_by_fkey", table, "centre", ["lent_by"], ["id"])
        op.create_index(f"{table}_lent", table, ["centre_id"], postgresql_where=sa.text("lent_by IS NOT NULL"))
    op.alter_column("offer", "sent_by", nullable=True)
    op.alter_column("booking", "assigned_by", nullable=True)
    op.add_column("offer", column("round_id", sa.Uuid(), null=True))
    op.add_column("offer", column("wave", sa.Integer(), null=True))
    op.add_column("offer", column("score", sa.Float(), null=True))
    op.add_column("offer", column("decline_code", words("declinecode", DECLINES), null=True))
    op.add_column("offer", column("remind_at", TIME, null=True))
    op.create_index(
        "offer_reminder",
        "offer",
        ["remind_at"],
        postgresql_where=sa.text("remind_at IS NOT NULL AND status IN ('sent', 'viewed')"),
    )
    op.add_column("booking", column("ended_at", TIME, null=True))
    op.add_column("booking", column("ended_by", sa.Uuid(), null=True))
    op.add_column("booking", column("end_code", words("endcode", ENDS), null=True))
    op.add_column("booking", column("end_reason", sa.Text(), null=True))
    op.create_index(
        "booking_caregiver_time", "booking", ["caregiver_id", "starts_at"], postgresql_where=sa.text("is_active")
    )
    op.create_index(
        "booking_overridden", "booking", ["centre_id", "id"], postgresql_where=sa.text("override IS NOT NULL")
    )


def policies() -> None:
    op.create_table(
        "dispatch_policy",
        column("id", sa.Uuid()),
        column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id"), null=True),
        column("area_code", sa.Text()),
        column("category", sa.Text()),
        column("version", sa.Integer()),
        column("mode", words("automode", MODES)),
        column("document", postgresql.JSONB()),
        column("reason", sa.Text()),
        column("saved_by", sa.Uuid(), null=True),
        column("saved_at", TIME),
        column("ended_at", TIME, null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "dispatch_policy_one_current",
        "dispatch_policy",
        ["area_code", "category"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("dispatch_policy_history", "dispatch_policy", ["area_code", "id"])
    op.create_table(
        "centre_neighbour",
        column("id", sa.Uuid()),
        column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id")),
        column("area_code", sa.Text()),
        column("place", sa.Integer()),
        column("neighbour_id", sa.Uuid(), sa.ForeignKey("centre.id")),
        column("set_by", sa.Uuid(), null=True),
        column("set_at", TIME),
        column("ended_at", TIME, null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "centre_neighbour_one",
        "centre_neighbour",
        ["centre_id", "neighbour_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def rounds() -> None:
    op.create_table(
        "dispatch_round",
        column("id", sa.Uuid()),
        column("order_id", sa.Uuid(), sa.ForeignKey("service_order.id")),
        column("resident_id", sa.Uuid(), sa.ForeignKey("resident.id")),
        column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id")),
        column("area_code", sa.Text()),
        column("status", words("roundstatus", ROUNDS)),
        column("mode", words("automode", MODES)),
        column("policy", postgresql.JSONB()),
        column("started_by", sa.Uuid(), null=True),
        column("started_at", TIME),
        column("wave", sa.Integer()),
        column("next_at", TIME, null=True),
        column("ended_at", TIME, null=True),
        column("failed_at", TIME, null=True),
        column("failed_with", sa.Text(), null=True),
        column("version", sa.Integer()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "dispatch_round_one_running",
        "dispatch_round",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index("dispatch_round_order", "dispatch_round", ["order_id", "id"])
    op.create_index(
        "dispatch_round_due", "dispatch_round", ["next_at"], postgresql_where=sa.text("status = 'running'")
    )
    op.create_table(
        "dispatch_act",
        column("id", sa.Uuid()),
        column("order_id", sa.Uuid(), sa.ForeignKey("service_order.id")),
        column("resident_id", sa.Uuid(), sa.ForeignKey("resident.id")),
        column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id")),
        column("area_code", sa.Text()),
        column("round_id", sa.Uuid(), null=True),
        column("kind", sa.Text()),
        column("account_id", sa.Uuid(), null=True),
        column("role", sa.Text()),
        column("at", TIME),
        column("document", postgresql.JSONB()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("dispatch_act_order", "dispatch_act", ["order_id", "id"])


def climbs_and_aid() -> None:
    op.create_table(
        "order_climb",
        column("id", sa.Uuid()),
        column("order_id", sa.Uuid(), sa.ForeignKey("service_order.id")),
        column("resident_id", sa.Uuid(), sa.ForeignKey("resident.id")),
        column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id")),
        column("area_code", sa.Text()),
        column("level", words("climblevel", LEVELS)),
        column("step", sa.Integer()),
        column("policy", postgresql.JSONB()),
        column("since", TIME),
        column("next_at", TIME, null=True),
        column("ended_at", TIME, null=True),
        column("failed_at", TIME, null=True),
        column("failed_with", sa.Text(), null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id", name="order_climb_once"),
    )
    op.create_index("order_climb_due", "order_climb", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL"))
    op.create_index(
        "order_climb_county",
        "order_climb",
        ["area_code"],
        postgresql_where=sa.text("level = 'county' AND ended_at IS NULL"),
    )
    op.create_table(
        "order_aid",
        column("id", sa.Uuid()),
        column("order_id", sa.Uuid(), sa.ForeignKey("service_order.id")),
        column("resident_id", sa.Uuid(), sa.ForeignKey("resident.id")),
        column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id")),
        column("from_centre_id", sa.Uuid(), sa.ForeignKey("centre.id")),
        column("area_code", sa.Text()),
        column("asked_by", sa.Uuid(), null=True),
        column("granted_at", TIME),
        column("ended_at", TIME, null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_id", "centre_id", name="order_aid_once"),
    )
    op.create_index("order_aid_centre", "order_aid", ["centre_id"], postgresql_where=sa.text("ended_at IS NULL"))


def walls() -> None:
    by_area("dispatch_policy", "SELECT, INSERT, UPDATE")
    by_area("centre_neighbour", "SELECT, INSERT, UPDATE")
    for table in ("dispatch_round", "dispatch_act", "order_climb", "order_aid"):
        by_resident(table, "SELECT, INSERT, UPDATE")
    above = "starts_with((SELECT nullif(current_setting('guoyuan.area', true), '')), area_code)"
    op.execute(f"CREATE POLICY above ON dispatch_policy FOR SELECT TO guoyuan_app USING ({above})")


def lending() -> None:
    for table, key in VISITED.items():
        visited(table, key)
    # What a visit says of itself names the visit only.
    theirs = ANY_OF.format(column="v.resident_id::text", setting="visited")
    ids = f"SELECT v.id::text FROM visit v WHERE {theirs}"  # noqa: S608  our own words
    condition = (
        "(SELECT nullif(current_setting('guoyuan.visited', true), '')) IS NOT NULL"
        f" AND payload ->> 'visit_id' IN ({ids})"
    )
    op.execute(f"CREATE POLICY visited ON outbox TO guoyuan_app USING ({condition}) WITH CHECK ({condition})")
    tables = LENDING | dict.fromkeys(
        ("order_aid", "dispatch_round", "order_climb", "dispatch_act"), "order_id::text"
    )
    for table, key in tables.items():
        condition = ANY_OF.format(column=key, setting="orders")
        op.execute(f"CREATE POLICY lend ON {table} TO guoyuan_app USING ({condition}) WITH CHECK ({condition})")
    condition = ANY_OF.format(column="order_id::text", setting="orders")
    op.execute(f"CREATE POLICY lend ON booking FOR SELECT TO guoyuan_app USING ({condition})")
    condition = ANY_OF.format(column="id::text", setting="lent")
    op.execute(f"CREATE POLICY lend ON caregiver FOR SELECT TO guoyuan_app USING ({condition})")
    # A history line carries the area of its row, and no order's id: it may be written where an open order lies.
    open_order = ANY_OF.format(column="o.id::text", setting="orders")
    there = f"SELECT FROM service_order o WHERE {open_order} AND o.area_code = status_change.area_code"
    condition = f"(SELECT nullif(current_setting('guoyuan.orders', true), '')) IS NOT NULL AND EXISTS ({there})"
    op.execute(f"CREATE POLICY lend ON status_change FOR INSERT TO guoyuan_app WITH CHECK ({condition})")
    busy_elsewhere()


def busy_elsewhere() -> None:
    """What a helping centre must know and may not read: when and where its own people are booked elsewhere, and which
    of them the resident is kept apart from. Times, points and ids.

    They run as the owner. Without them a helper would take its lent caregivers' time for free.
    """
    own = (
        "(current_setting('role') <> 'guoyuan_app'"
        " OR starts_with(c.area_code, nullif(current_setting('guoyuan.area', true), ''))"
        f" OR {ANY_OF.format(column='c.id::text', setting='lent')})"
    )
    booked = (
        "b.caregiver_id = ANY (ids) AND b.is_active AND b.starts_at > since - interval '1 day'"
        f" AND b.starts_at < until AND b.ends_at > since AND {own}"
    )
    head = "LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS"
    op.execute(
        f"""
        CREATE FUNCTION caregiver_jobs(ids uuid[], since timestamptz, until timestamptz)
        RETURNS TABLE (caregiver uuid, order_id uuid, starts timestamptz, ends timestamptz,
            latitude double precision, longitude double precision) {head} $$
        BEGIN RETURN QUERY
            SELECT b.caregiver_id, b.order_id, b.starts_at, b.ends_at, o.latitude, o.longitude
            FROM booking b JOIN service_order o ON o.id = b.order_id JOIN caregiver c ON c.id = b.caregiver_id
            WHERE {booked} ORDER BY b.starts_at;
        END $$
        """  # noqa: S608  our own words
    )
    op.execute(
        f"""
        CREATE FUNCTION caregiver_minutes(ids uuid[], since timestamptz, until timestamptz)
        RETURNS TABLE (caregiver uuid, minutes double precision) {head} $$
        BEGIN RETURN QUERY
            SELECT b.caregiver_id, (sum(extract(epoch FROM b.ends_at - b.starts_at)) / 60)::double precision
            FROM booking b JOIN caregiver c ON c.id = b.caregiver_id
            WHERE {booked} AND b.starts_at >= since GROUP BY b.caregiver_id;
        END $$
        """  # noqa: S608  our own words
    )
    op.execute(
        f"""
        CREATE FUNCTION kept_apart_of(wanted uuid, on_day date) RETURNS TABLE (caregiver uuid) {head} $$
        BEGIN RETURN QUERY
            SELECT p.caregiver_id FROM blocked_pair p
            JOIN service_order o ON o.resident_id = p.resident_id JOIN caregiver c ON c.id = p.caregiver_id
            WHERE o.id = wanted AND p.lifted_at IS NULL AND (p.until IS NULL OR p.until >= on_day) AND {own}
                AND (current_setting('role') <> 'guoyuan_app'
                    OR starts_with(o.area_code, nullif(current_setting('guoyuan.area', true), ''))
                    OR {ANY_OF.format(column="o.id::text", setting="orders")});
        END $$
        """  # noqa: S608  our own words
    )
    for signature in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO guoyuan_app")


def downgrade() -> None:
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature}")
    for table in (*VISITED, "outbox"):
        op.execute(f"DROP POLICY visited ON {table}")
    for table in (*LENDING, "booking", "caregiver", "status_change"):
        op.execute(f"DROP POLICY lend ON {table}")
    for table in (
        "order_aid",
        "order_climb",
        "dispatch_act",
        "dispatch_round",
        "centre_neighbour",
        "dispatch_policy",
    ):
        op.drop_table(table)
    op.drop_index("booking_overridden", "booking")
    op.drop_index("booking_caregiver_time", "booking")
    for name in ("end_reason", "end_code", "ended_by", "ended_at"):
        op.drop_column("booking", name)
    op.drop_index("offer_reminder", "offer")
    for name in ("remind_at", "decline_code", "score", "wave", "round_id"):
        op.drop_column("offer", name)
    op.execute("UPDATE booking SET assigned_by = caregiver_id WHERE assigned_by IS NULL")
    op.execute("UPDATE offer SET sent_by = caregiver_id WHERE sent_by IS NULL")
    op.alter_column("booking", "assigned_by", nullable=False)
    op.alter_column("offer", "sent_by", nullable=False)
    for table in ("offer", "booking"):
        op.drop_index(f"{table}_lent", table)
        op.drop_column(table, "lent_by")
