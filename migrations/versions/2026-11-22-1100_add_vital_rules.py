"""Rules about readings, in versions, and what they could not judge.

A resident's own limits move from `vital_threshold` into `resident_attribute`, where the default rules look for them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import walls

revision: str = "0009_add_vital_rules"
down_revision: str | None = "0008_add_vendor_callbacks"
branch_labels: None = None
depends_on: None = None

LAYERS = ("default", "profile", "county", "centre", "resident")
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
TOLD = ("vital_rule_version", "resident_attribute")
# A layer above the reader's own place holds no person's data: whoever is judged by it may read it.
FROM_ABOVE = (
    "(resident_id IS NULL AND starts_with((SELECT nullif(current_setting('guoyuan.area', true), '')), area_code))"
)


def upgrade() -> None:
    rules()
    attributes()
    watches()
    maintenance()
    for table in TOLD:
        op.execute(
            f"CREATE FUNCTION tell_{table}() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_notify('guoyuan_rules', ''); RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER tell AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION tell_{table}()"
        )


def rules() -> None:
    op.create_table(
        "vital_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "layer",
            sa.Enum(*LAYERS, name="layer", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("layer", "scope", "kind", "code", name="vital_rule_once"),
    )
    for column in ("area_code", "centre_id", "resident_id"):
        op.create_index(op.f(f"ix_vital_rule_{column}"), "vital_rule", [column], unique=False)
    op.create_table(
        "vital_rule_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_off", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["vital_rule.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rule_id", "number", name="vital_rule_version_once"),
    )
    op.create_index(op.f("ix_vital_rule_version_rule_id"), "vital_rule_version", ["rule_id"], unique=False)
    own = f"{walls.AREA} AND {walls.RESIDENT.format(column='resident_id')}"
    for table, rights in (("vital_rule", "SELECT, INSERT, UPDATE"), ("vital_rule_version", "SELECT, INSERT")):
        op.execute(f"GRANT {rights} ON {table} TO guoyuan_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY scope ON {table} TO guoyuan_app USING (({own}) OR {FROM_ABOVE}) WITH CHECK ({own})"
        )


def attributes() -> None:
    op.create_table(
        "resident_attribute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "resident_attribute_newest", "resident_attribute", ["resident_id", "name", "set_at"], unique=False
    )
    walls.by_resident("resident_attribute", "SELECT, INSERT")
    for side in ("low", "high"):
        op.execute(
            "INSERT INTO resident_attribute (id, resident_id, area_code, name, value, reason, set_by, set_at)"  # noqa: S608  constants
            f" SELECT gen_random_uuid(), resident_id, area_code, kind || '_{side}', {side},"
            f" 'vital_threshold', set_by, set_at FROM vital_threshold WHERE {side} IS NOT NULL"
        )
    op.drop_table("vital_threshold")


def watches() -> None:
    op.create_table(
        "rule_watch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("resident_id", "kind", "code", name="rule_watch_once"),
    )
    op.create_index(op.f("ix_rule_watch_due_at"), "rule_watch", ["due_at"], unique=False)
    walls.by_resident("rule_watch", "SELECT")


def maintenance() -> None:
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("terminal_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(resident_id IS NULL) <> (terminal_id IS NULL)", name="maintenance_of_one"),
        sa.CheckConstraint("until_at > started_at", name="maintenance_forwards"),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("centre_id", "resident_id", "terminal_id"):
        op.create_index(op.f(f"ix_maintenance_{column}"), "maintenance", [column], unique=False)
    walls.by_area("maintenance", "SELECT, INSERT, UPDATE")
    op.create_table(
        "silenced_alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("maintenance_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["maintenance_id"], ["maintenance.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("resident_id", "kind", "code", "at", name="silenced_alarm_once"),
    )
    op.create_index(op.f("ix_silenced_alarm_maintenance_id"), "silenced_alarm", ["maintenance_id"], unique=False)
    walls.by_resident("silenced_alarm", "SELECT")


def downgrade() -> None:
    op.create_table(
        "vital_threshold",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="readingkind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("resident_id", "kind"),
    )
    walls.by_resident("vital_threshold", "SELECT, INSERT, UPDATE")
    op.execute(
        "WITH own AS (SELECT DISTINCT ON (a.resident_id, a.name) a.*, k.kind, k.side FROM resident_attribute a"  # noqa: S608  constants
        f" JOIN (SELECT kind, side, kind || '_' || side AS name FROM unnest(ARRAY{list(KINDS)}) AS kind,"
        " unnest(ARRAY['low', 'high']) AS side) k USING (name)"
        " ORDER BY a.resident_id, a.name, a.set_at DESC, a.id DESC)"
        " INSERT INTO vital_threshold (resident_id, kind, area_code, low, high, set_by, set_at, version)"
        " SELECT resident_id, kind, min(area_code), min(value) FILTER (WHERE side = 'low'),"
        " min(value) FILTER (WHERE side = 'high'), (array_agg(set_by ORDER BY set_at DESC))[1], max(set_at), 1"
        " FROM own WHERE value IS NOT NULL GROUP BY resident_id, kind"
    )
    for table in TOLD:
        op.execute(f"DROP TRIGGER tell ON {table}")
        op.execute(f"DROP FUNCTION tell_{table}()")
    for table in (
        "silenced_alarm",
        "maintenance",
        "rule_watch",
        "resident_attribute",
        "vital_rule_version",
        "vital_rule",
    ):
        op.drop_table(table)
