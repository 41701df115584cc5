"""Notifications that nobody needs any more are withdrawn; old ones, and old commands, are found by their age."""

import sqlalchemy as sa
from alembic import op

revision: str = "0013_withdraw_notifications"
down_revision: str | None = "0012_add_reading_aggregates"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)
STATUSES = ("queued", "sent", "delivered", "failed", "read")
WORDS = {
    "notification": ("notificationstatus", STATUSES),
    "notification_attempt": ("attemptstatus", (*STATUSES, "needless")),
}
AIDED = "{column} = ANY ((SELECT string_to_array(current_setting('guoyuan.alerts', true), ','))::text[])"
HAS_POSITION = "kind = 'locate' AND (result -> 'position') IS NOT NULL"


def upgrade() -> None:
    op.add_column("notification", sa.Column("withdrawn_at", MOMENT, nullable=True))
    op.add_column("notification", sa.Column("withdrawn_reason", sa.Text(), nullable=True))
    for table, (_, words) in WORDS.items():
        allow(table, (*words, "withdrawn"))
    op.create_index("notification_age", "notification", ["is_life_safety", "created_at"])
    op.create_index("terminal_command_ended", "terminal_command", ["ended_at"])
    op.create_index(
        "terminal_command_position", "terminal_command", ["ended_at"], postgresql_where=sa.text(HAS_POSITION)
    )
    walls()


def walls() -> None:
    """Who takes an aided alert withdraws its pages, also those to the people of the centre that is helped."""
    of_alert = AIDED.format(column="alert_id::text")
    of_page = f"notification_id IN (SELECT id FROM notification WHERE {of_alert})"  # noqa: S608  constants only
    for table, condition in (("notification", of_alert), ("notification_attempt", of_page)):
        for verb, check in (("SELECT", "USING ({0})"), ("UPDATE", "USING ({0}) WITH CHECK ({0})")):
            op.execute(
                f"CREATE POLICY aid_{verb.lower()} ON {table} FOR {verb} TO guoyuan_app {check.format(condition)}"
            )


def downgrade() -> None:
    for table in WORDS:
        for verb in ("select", "update"):
            op.execute(f"DROP POLICY aid_{verb} ON {table}")
    op.drop_index("terminal_command_position", "terminal_command")
    op.drop_index("terminal_command_ended", "terminal_command")
    op.drop_index("notification_age", "notification")
    # It must not go out after all: what had left is sent, everything else is over.
    op.execute(
        "UPDATE notification SET status = CASE WHEN sent_at IS NULL THEN 'failed' ELSE 'sent' END"
        " WHERE status = 'withdrawn'"
    )
    op.execute("UPDATE notification_attempt SET status = 'needless' WHERE status = 'withdrawn'")
    for table, (_, words) in WORDS.items():
        allow(table, words)
    op.drop_column("notification", "withdrawn_reason")
    op.drop_column("notification", "withdrawn_at")


def allow(table: str, words: tuple[str, ...]) -> None:
    """The words that the status takes."""
    name = WORDS[table][0]
    listed = ", ".join(f"'{word}'" for word in words)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (status IN ({listed}))")
