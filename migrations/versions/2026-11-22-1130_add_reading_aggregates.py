"""Hourly and daily readings, retention, referrals."""

import sqlalchemy as sa
from alembic import op

from migrations import walls

revision: str = "0012_add_reading_aggregates"
down_revision: str | None = "0011_add_duty_and_notifications"
branch_labels: None = None
depends_on: None = None

KINDS = (
    "heart_rate",
    "spo2",
    "systolic_bp",
    "diastolic_bp",
    "temperature",
    "respiratory_rate",
    "glucose",
    "steps",
)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    aggregates()
    upkeep()
    retention()
    referrals()
    partitions(MOVING)
    mark_history()
    op.add_column("terminal_state", sa.Column("clock_offset_seconds", sa.Float(), nullable=True))
    op.add_column("terminal_state", sa.Column("clock_measured_at", MOMENT, nullable=True))


def aggregates() -> None:
    """Whole buckets, always recomputed from the raw readings."""
    for table, bucket, kind in (("reading_hourly", "hour", MOMENT), ("reading_daily", "day", sa.Date())):
        op.create_table(
            table,
            sa.Column("resident_id", sa.Uuid(), nullable=False),
            sa.Column(
                "kind",
                sa.Enum(*KINDS, name="readingkind", native_enum=False, create_constraint=True, length=40),
                nullable=False,
            ),
            sa.Column(bucket, kind, nullable=False),
            sa.Column("area_code", sa.Text(), nullable=False),
            sa.Column("minimum", sa.Float(), nullable=True),
            sa.Column("maximum", sa.Float(), nullable=True),
            sa.Column("total", sa.Float(), nullable=False),
            sa.Column("readings", sa.Integer(), nullable=False),
            sa.Column("no_data", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("resident_id", "kind", bucket),
        )
        walls.by_resident(table, "SELECT")


def upkeep() -> None:
    """Which buckets have changed: what ingest notes, the set of it, and how far the notes have been taken in."""
    op.create_table(
        "reading_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("noted_at", MOMENT, nullable=False),
        sa.Column("residents", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("hours", sa.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "reading_dirty",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("hour", MOMENT, nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("resident_id", "hour"),
    )
    op.create_index("reading_dirty_due", "reading_dirty", ["due_at"])
    walls.by_resident("reading_dirty", "SELECT")
    op.create_table(
        "aggregate_progress",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("merged_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("id = 1", name="aggregate_progress_one_row"),
    )
    walls.open_to_all("aggregate_progress")


def retention() -> None:
    """What has been deleted by policy. It names months and numbers of rows, nobody."""
    op.create_table(
        "retention_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("range_start", MOMENT, nullable=False),
        sa.Column("range_end", MOMENT, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    walls.open_to_all("retention_log")


def referrals() -> None:
    """Hand-overs to an ambulance, a hospital or a clinic."""
    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "ambulance_120",
                "hospital",
                "clinic",
                name="referralkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "handed_over",
                "received",
                "returned",
                "closed",
                name="referralstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("handed_over_at", MOMENT, nullable=False),
        sa.Column("handed_over_by", sa.Uuid(), nullable=True),
        sa.Column("received_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_referral_resident_id", "referral", ["resident_id"])
    op.create_index("ix_referral_alert_id", "referral", ["alert_id"])
    op.create_index("referral_centre", "referral", ["centre_id", "id"])
    walls.by_resident("referral", "SELECT, INSERT, UPDATE")


# PostgreSQL refuses a new partition while the catch-all holds rows that belong into it; so they move first, with
# the catch-all locked: nothing can slip in between.
MOVING = """
    CREATE OR REPLACE FUNCTION make_reading_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        first date := date_trunc('month', month)::date;
        name text := 'reading_' || to_char(first, 'YYYYMM');
        since timestamptz := (first::text || 'T00:00Z')::timestamptz;
        until timestamptz := ((first + interval '1 month')::date::text || 'T00:00Z')::timestamptz;
    BEGIN
        IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
        LOCK TABLE reading_other IN ACCESS EXCLUSIVE MODE;
        IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
        EXECUTE format('CREATE TABLE %I (LIKE reading INCLUDING ALL)', name);
        EXECUTE format('WITH moved AS (DELETE FROM reading_other WHERE measured_at >= %L AND measured_at < %L'
            ' RETURNING *) INSERT INTO %I SELECT * FROM moved', since, until, name);
        EXECUTE format('ALTER TABLE reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, since, until);
    END $$
"""
PLAIN = """
    CREATE OR REPLACE FUNCTION make_reading_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        first date := date_trunc('month', month)::date;
        name text := 'reading_' || to_char(first, 'YYYYMM');
    BEGIN
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF reading FOR VALUES FROM (%L) TO (%L)',
            name, first::text || 'T00:00Z', (first + interval '1 month')::date::text || 'T00:00Z');
    END $$
"""


def partitions(function: str) -> None:
    """How a month's partition is made."""
    op.execute(function)


def mark_history() -> None:
    """Every hour that has readings already is to be computed."""
    op.execute(
        "INSERT INTO reading_dirty (resident_id, hour, area_code, due_at)"
        " SELECT r.resident_id, date_trunc('hour', r.measured_at), max(r.area_code), now() FROM reading r"
        " WHERE r.resident_id IS NOT NULL GROUP BY 1, 2"
    )
    op.execute("INSERT INTO aggregate_progress (id, merged_at) SELECT 1, now() WHERE EXISTS (SELECT FROM reading)")


def downgrade() -> None:
    op.drop_column("terminal_state", "clock_measured_at")
    op.drop_column("terminal_state", "clock_offset_seconds")
    partitions(PLAIN)
    for table in (
        "referral",
        "retention_log",
        "aggregate_progress",
        "reading_dirty",
        "reading_note",
        "reading_daily",
        "reading_hourly",
    ):
        op.drop_table(table)
