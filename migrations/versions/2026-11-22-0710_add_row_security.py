"""Second wall of the area and care-relationship scope, wake-up triggers, first partitions of the readings.

People's units of work run as `guoyuan_app` (see services/core/database.py); that role is bound by the
policies below. An unset or empty scope sees nothing.
"""

from datetime import UTC, datetime

from alembic import op

revision: str = "0002_add_row_security"
down_revision: str | None = "0001_create_tables"
branch_labels: None = None
depends_on: None = None

AREA = "starts_with(area_code, (SELECT nullif(current_setting('guoyuan.area', true), '')))"
RESIDENT = (
    "((SELECT current_setting('guoyuan.residents', true)) = '*' OR {column}::text = ANY"
    " ((SELECT string_to_array(current_setting('guoyuan.residents', true), ','))::text[]))"
)

BY_RESIDENT = {
    "resident": "id",
    "emergency_contact": "resident_id",
    "care_relationship": "resident_id",
    "access_log": "resident_id",
    "service_order": "resident_id",
    "offer": "resident_id",
    "booking": "resident_id",
    "visit": "resident_id",
    "settlement": "resident_id",
    "settlement_line": "resident_id",
    "rating": "resident_id",
    "alert": "resident_id",
    "terminal": "resident_id",
    "terminal_binding": "resident_id",
    "reading": "resident_id",
    "vital_threshold": "resident_id",
}
BY_AREA = (
    "account",
    "caregiver",
    "credential",
    "shift",
    "alert_occurrence",
    "alert_log",
    "escalation",
    "dead_letter",
    "downlink",
    "outbox",
    "status_change",
    "terminal_state",
)
OPEN = ("area", "centre", "service_item", "idempotency_record")
"""Public reference data, and the idempotency store, which is keyed by the account."""

APPEND_ONLY = ("status_change", "access_log", "alert_log", "alert_occurrence", "outbox", "downlink")
READ_ONLY = ("area", "centre", "service_item", "account", "reading", "dead_letter", "terminal_state")


def upgrade() -> None:
    op.execute(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'guoyuan_app')"
        " THEN CREATE ROLE guoyuan_app NOLOGIN; END IF; END $$"
    )
    op.execute("GRANT guoyuan_app TO CURRENT_USER")
    op.execute("GRANT USAGE ON SCHEMA public TO guoyuan_app")
    for table in (*BY_RESIDENT, *BY_AREA, *OPEN):
        rights = "SELECT" if table in READ_ONLY else "SELECT, INSERT"
        if table not in (*READ_ONLY, *APPEND_ONLY):
            rights += ", UPDATE"
        op.execute(f"GRANT {rights} ON {table} TO guoyuan_app")
    for table, column in BY_RESIDENT.items():
        wall(table, f"{AREA} AND {RESIDENT.format(column=column)}")
    for table in BY_AREA:
        wall(table, AREA)
    wake("outbox", "guoyuan_outbox")
    wake("downlink", "guoyuan_downlink")
    partitions()


def wall(table: str, condition: str) -> None:
    """The same condition for what may be read and for what may be written."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON {table} TO guoyuan_app USING ({condition}) WITH CHECK ({condition})")


def wake(table: str, channel: str) -> None:
    """Tell the listening process that there is something to send; sent by PostgreSQL at the commit."""
    op.execute(
        f"CREATE FUNCTION wake_{table}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM pg_notify('{channel}', ''); RETURN NULL; END $$"
    )
    op.execute(f"CREATE TRIGGER wake AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION wake_{table}()")


def partitions() -> None:
    """A function that makes one month's partition, the months around now, and a catch-all."""
    op.execute(
        """
        CREATE FUNCTION make_reading_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE
            first date := date_trunc('month', month)::date;
            name text := 'reading_' || to_char(first, 'YYYYMM');
        BEGIN
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF reading FOR VALUES FROM (%L) TO (%L)',
                name, first::text || 'T00:00Z', (first + interval '1 month')::date::text || 'T00:00Z');
        END $$
        """
    )
    op.execute("CREATE TABLE reading_other PARTITION OF reading DEFAULT")
    today = datetime.now(UTC).date()
    for offset in range(-2, 4):
        months = today.year * 12 + today.month - 1 + offset
        op.execute(f"SELECT make_reading_partition('{months // 12}-{months % 12 + 1:02d}-01')")
    op.execute("CREATE SEQUENCE outbox_position AS bigint")


def downgrade() -> None:
    op.execute("DROP SEQUENCE outbox_position")
    op.execute("DROP TABLE IF EXISTS reading_other")
    op.execute("DROP FUNCTION make_reading_partition(date)")
    for table in ("outbox", "downlink"):
        op.execute(f"DROP TRIGGER wake ON {table}")
        op.execute(f"DROP FUNCTION wake_{table}()")
    for table in (*BY_RESIDENT, *BY_AREA):
        op.execute(f"DROP POLICY scope ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in (*BY_RESIDENT, *BY_AREA, *OPEN):
        op.execute(f"REVOKE ALL ON {table} FROM guoyuan_app")
    op.execute("REVOKE USAGE ON SCHEMA public FROM guoyuan_app")
