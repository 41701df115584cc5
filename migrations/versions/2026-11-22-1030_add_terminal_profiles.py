"""Terminal profiles, provisioning and binding history; brokers are told when an account changes.

Terminals that are there already get the profile of their kind. Its figures come with
`services.terminals.profiles.load_profiles`, which `guoyuan migrate` runs.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import walls

revision: str = "0006_add_terminal_profiles"
down_revision: str | None = "0005_add_alert_kinds"
branch_labels: None = None
depends_on: None = None

KINDS = (
    "pendant",
    "wristband",
    "bedside_monitor",
    "smoke_detector",
    "gas_detector",
    "help_cord",
    "blood_pressure_meter",
    "glucometer",
)
OUTCOMES = (
    "granted",
    "wrong_secret",
    "unknown_serial",
    "wrong_profile",
    "already_provisioned",
    "not_in_stock",
)
PROFILE_ID = "0193a000-0000-7000-8000-0000000000%02d"
"""Of the default profile of a kind, by its place in `KINDS`; `data/profiles.json` has the same ones."""


def upgrade() -> None:
    profiles()
    terminals()
    bindings()
    attempts()
    changes()


def profiles() -> None:
    op.create_table(
        "terminal_profile",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("kind", one_of(KINDS, "terminalkind"), nullable=False),
        sa.Column("capabilities", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("heartbeat_seconds", sa.Integer(), nullable=True),
        sa.Column("inactivity_seconds", sa.Integer(), nullable=True),
        sa.Column("battery_low_percent", sa.Integer(), nullable=True),
        sa.Column("signal_weak_dbm", sa.Integer(), nullable=True),
        sa.Column("test_interval_days", sa.Integer(), nullable=True),
        sa.Column("is_life_safety", sa.Boolean(), nullable=False),
        sa.Column("default_rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("provision_key", sa.Text(), nullable=True),
        sa.Column("provision_secret_hash", sa.Text(), nullable=True),
        sa.Column("allow_new", sa.Boolean(), nullable=False),
        sa.Column("intake_centre_id", sa.Uuid(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("data_version", sa.Text(), nullable=True),
        sa.Column("effective_date", sa.Date(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("NOT allow_new OR intake_centre_id IS NOT NULL", name="new_terminals_have_a_centre"),
        sa.ForeignKeyConstraint(["intake_centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("provision_key"),
    )
    walls.open_to_all("terminal_profile", "SELECT, INSERT, UPDATE")
    for place, kind in enumerate(KINDS, 1):
        op.execute(
            "INSERT INTO terminal_profile (id, code, name_zh, name_en, kind, capabilities, codec, is_life_safety,"  # noqa: S608  constants
            " default_rules, allow_new, is_active, source, data_version, verified, version)"
            f" VALUES ('{PROFILE_ID % place}', '{kind}', '{kind}', '{kind}', '{kind}', '{{}}', 'native_json',"
            " false, '[]', false, true, '', '0', false, 1)"
        )


def terminals() -> None:
    op.add_column("terminal", sa.Column("credential_ended_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_terminal_credential_ended_at"), "terminal", ["credential_ended_at"], unique=False)
    op.add_column("terminal", sa.Column("profile_id", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE terminal SET profile_id = terminal_profile.id FROM terminal_profile WHERE code = terminal.kind"
    )
    op.alter_column("terminal", "profile_id", nullable=False)
    op.create_foreign_key("terminal_profile_id_fkey", "terminal", "terminal_profile", ["profile_id"], ["id"])
    op.create_index(op.f("ix_terminal_profile_id"), "terminal", ["profile_id"], unique=False)


def bindings() -> None:
    op.add_column("terminal_binding", sa.Column("centre_id", sa.Uuid(), nullable=True))
    op.add_column("terminal_binding", sa.Column("room", sa.Text(), nullable=False, server_default=""))
    op.alter_column("terminal_binding", "room", server_default=None)
    op.add_column("terminal_binding", sa.Column("bound_by", sa.Uuid(), nullable=True))
    op.add_column("terminal_binding", sa.Column("unbound_by", sa.Uuid(), nullable=True))
    op.execute(
        "UPDATE terminal_binding SET centre_id = terminal.centre_id, room = terminal.room"
        " FROM terminal WHERE terminal.id = terminal_binding.terminal_id"
    )
    op.alter_column("terminal_binding", "centre_id", nullable=False)
    op.create_foreign_key("terminal_binding_centre_id_fkey", "terminal_binding", "centre", ["centre_id"], ["id"])
    # Where older data has two open ones, the later binding is the one that is meant.
    op.execute(
        "UPDATE terminal_binding older SET unbound_at = later.bound_at FROM terminal_binding later"
        " WHERE older.terminal_id = later.terminal_id AND older.unbound_at IS NULL AND later.unbound_at IS NULL"
        " AND (older.bound_at, older.id) < (later.bound_at, later.id)"
    )
    op.create_index(
        "terminal_binding_live",
        "terminal_binding",
        ["terminal_id"],
        unique=True,
        postgresql_where=sa.text("unbound_at IS NULL"),
    )
    op.create_check_constraint("binding_forwards", "terminal_binding", "unbound_at >= bound_at")


def attempts() -> None:
    op.create_table(
        "provision_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=True),
        sa.Column("terminal_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("outcome", one_of(OUTCOMES, "provisionoutcome"), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["terminal_profile.id"]),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_provision_attempt_terminal_id"), "provision_attempt", ["terminal_id"], unique=False)
    walls.by_area("provision_attempt", "SELECT")


def changes() -> None:
    """Whoever holds copies of accounts hears of a change at its commit: brokers and ingest."""
    op.execute(
        "CREATE FUNCTION tell_terminal_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_notify('guoyuan_terminal', NEW.id::text); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER tell_change AFTER UPDATE ON terminal FOR EACH ROW"
        " WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION tell_terminal_change()"
    )


def one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def downgrade() -> None:
    op.execute("DROP TRIGGER tell_change ON terminal")
    op.execute("DROP FUNCTION tell_terminal_change()")
    op.drop_table("provision_attempt")
    op.drop_constraint("binding_forwards", "terminal_binding")
    op.drop_index("terminal_binding_live", table_name="terminal_binding")
    op.drop_constraint("terminal_binding_centre_id_fkey", "terminal_binding")
    for column in ("unbound_by", "bound_by", "room", "centre_id"):
        op.drop_column("terminal_binding", column)
    op.drop_index(op.f("ix_terminal_profile_id"), table_name="terminal")
    op.drop_column("terminal", "profile_id")
    op.drop_index(op.f("ix_terminal_credential_ended_at"), table_name="terminal")
    op.drop_column("terminal", "credential_ended_at")
    op.drop_table("terminal_profile")
