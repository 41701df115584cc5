"""Faults of terminals and when to look for them, commands to them, test calls, and since when ingest has listened."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import walls

revision: str = "0007_add_supervision"
down_revision: str | None = "0006_add_terminal_profiles"
branch_labels: None = None
depends_on: None = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("terminal_state", sa.Column("tamper", sa.Boolean(), nullable=True))
    op.add_column("terminal_state", sa.Column("sensors", JSONB, nullable=True))
    commands()
    tests()
    watches()
    faults()


def one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def commands() -> None:
    op.create_table(
        "terminal_command",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terminal_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", one_of(("test_call", "locate", "set_interval", "speak"), "commandkind"), nullable=False),
        sa.Column("parameters", JSONB, nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column(
            "status",
            one_of(("queued", "sent", "received", "done", "failed", "refused", "expired"), "commandstatus"),
            nullable=False,
        ),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("received_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("result", JSONB, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("terminal_command_terminal", "terminal_command", ["terminal_id", "id"], unique=False)
    op.create_index(
        "terminal_command_waiting",
        "terminal_command",
        ["expires_at"],
        unique=False,
        postgresql_where="status IN ('queued', 'sent', 'received')",
    )
    op.create_index(
        "terminal_command_alert_once",
        "terminal_command",
        ["terminal_id", "alert_id"],
        unique=True,
        postgresql_where="alert_id IS NOT NULL",
    )
    walls.by_resident("terminal_command", "SELECT, INSERT")


def tests() -> None:
    op.create_table(
        "terminal_test",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terminal_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("how", one_of(("press", "command", "terminal_kind"), "howtested"), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("terminal_id", "at", "how", name="terminal_test_once"),
    )
    walls.by_area("terminal_test", "SELECT, INSERT")
    op.create_table(
        "test_digest",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("centre_id"),
    )
    walls.by_area("test_digest", "SELECT")


def watches() -> None:
    op.create_table(
        "terminal_watch",
        sa.Column("terminal_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("next_check_at", MOMENT, nullable=False),
        sa.Column("went_away_at", MOMENT, nullable=True),
        sa.Column("memory", JSONB, nullable=False),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"]),
        sa.PrimaryKeyConstraint("terminal_id"),
    )
    op.create_index(op.f("ix_terminal_watch_next_check_at"), "terminal_watch", ["next_check_at"], unique=False)
    walls.by_area("terminal_watch", "SELECT, UPDATE")
    op.create_table(
        "terminal_hint",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("terminal_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("went_away", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "listening",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=True),
        sa.Column("beaten_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("lane", "seat"),
    )


def faults() -> None:
    op.create_table(
        "terminal_fault",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terminal_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            one_of(("offline", "low_battery", "weak_signal", "sensor_off", "tamper"), "faultkind"),
            nullable=False,
        ),
        sa.Column("sensor", sa.Text(), nullable=False),
        sa.Column("is_life_safety", sa.Boolean(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("last_heard_at", MOMENT, nullable=True),
        sa.Column("status", one_of(("open", "assigned", "cleared"), "faultstatus"), nullable=False),
        sa.Column("assigned_account_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_at", MOMENT, nullable=True),
        sa.Column("cleared_at", MOMENT, nullable=True),
        sa.Column("cleared_by", one_of(("recovered", "person", "out_of_service"), "clearedby"), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.Column("escalated_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["assigned_account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "terminal_fault_one_live",
        "terminal_fault",
        ["terminal_id", "kind", "sensor"],
        unique=True,
        postgresql_where="status IN ('open', 'assigned')",
    )
    op.create_index("terminal_fault_centre", "terminal_fault", ["centre_id", "id"], unique=False)
    op.create_index(
        "terminal_fault_untold",
        "terminal_fault",
        ["opened_at"],
        unique=False,
        postgresql_where="status = 'open' AND is_life_safety AND escalated_at IS NULL",
    )
    walls.by_resident("terminal_fault", "SELECT, UPDATE")


def downgrade() -> None:
    for table in (
        "terminal_fault",
        "listening",
        "terminal_hint",
        "terminal_watch",
        "test_digest",
        "terminal_test",
        "terminal_command",
    ):
        op.drop_table(table)
    op.drop_column("terminal_state", "sensors")
    op.drop_column("terminal_state", "tamper")
