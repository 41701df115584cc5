"""Escalation policies, pages, handovers and mutual aid.

A neighbouring centre that was asked for help sees the alert, and what hangs on it, through policies named `aid`:
the alert's id stands in the transaction's setting `guoyuan.alerts`, its resident's in `guoyuan.aided`. Both come
with the session of each request and are gone when the aid has ended.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

from migrations.walls import by_area, by_resident

revision: str = "0010_add_alert_policies"
down_revision: str | None = "0009_add_vital_rules"
branch_labels: None = None
depends_on: None = None

TIME = sa.DateTime(timezone=True)
CLASSES = ("emergency", "needs_care", "false_alarm", "test", "unclear")
OUTCOMES = ("ambulance_sent", "advice_given", "not_reached", "called_off")
HANDOVERS = ("requested", "accepted", "declined", "lapsed")

AIDED_ALERT = "{column} = ANY ((SELECT string_to_array(current_setting('guoyuan.alerts', true), ','))::text[])"
AIDED_RESIDENT = "{column} = ANY ((SELECT string_to_array(current_setting('guoyuan.aided', true), ','))::text[])"
WHOLE = {
    "alert": "id::text",
    "alert_occurrence": "alert_id::text",
    "alert_log": "alert_id::text",
    "escalation": "alert_id::text",
    "alert_page": "alert_id::text",
    "alert_handover": "alert_id::text",
    "alert_aid": "alert_id::text",
    "emergency_call": "alert_id::text",
    # What every verb of the desk writes besides: its history, its event, the word to the terminal.
    "status_change": "entity_id::text",
    "outbox": "(payload ->> 'alert_id')",
    "downlink": "(payload ->> 'alert_id')",
}
"""Tables of which a helper uses the aided alert's rows as if they lay in its own area, by the alert's id."""
CARD = {"resident": "id::text", "emergency_contact": "resident_id::text"}
"""Tables behind the emergency card; a helper reads them and changes nothing."""
ABOVE = "starts_with((SELECT nullif(current_setting('guoyuan.area', true), '')), area_code)"


def upgrade() -> None:
    alert_columns()
    ladder_columns()
    pages_and_handovers()
    aid_and_calls()
    policies()
    walls()


def words(name: str, values: tuple[str, ...]) -> sa.Enum:
    """A text column that takes these words only."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def column(name: str, kind: sa.types.TypeEngine[Any], *more: SchemaItem, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, *more, nullable=null)


def alert_columns() -> None:
    for name in ("reviewed_at", "cancelled_at", "taken_back_at"):
        op.add_column("alert", column(name, TIME, null=True))
    op.add_column("alert", column("classification", words("classification", CLASSES), null=True))
    op.add_column("alert", column("checklist", postgresql.JSONB(), null=True))
    op.add_column("resident", column("key_box_encrypted", sa.Text(), null=True))


def ladder_columns() -> None:
    """Ladders that stand keep their policy, in its new form, and their step."""
    for name in ("frozen_at", "repage_at", "called_at", "nobody_since", "failed_at", "hold_until", "audited_at"):
        op.add_column("escalation", column(name, TIME, null=True))
    op.add_column("escalation", column("severity", sa.Integer(), null=True))
    op.add_column("escalation", column("failed_with", sa.Text(), null=True))
    op.add_column("escalation", sa.Column("repeat", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("escalation", "repeat", server_default=None)
    for name in ("repage", "called"):
        op.create_index(
            f"escalation_{name}",
            "escalation",
            [f"{name}_at"],
            postgresql_where=sa.text(f"{name}_at IS NOT NULL"),
        )
    op.execute(
        """
        UPDATE escalation SET frozen_at = coalesce(last_at, now()), severity = alert.severity,
            policy = policy - 'repeat_seconds' || jsonb_build_object(
                'loop_seconds', coalesce(policy -> 'repeat_seconds', '120'),
                'on_scene_lease_seconds', 7200,
                'steps', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                        'after_seconds', rung -> 'after_seconds',
                        'channels', '["app", "voice", "sms"]'::jsonb,
                        'recipients', jsonb_build_array(jsonb_build_object('role', rung -> 'role', 'who',
                            CASE WHEN rung ->> 'role' = 'county_officer' THEN 'county' ELSE 'duty' END)))), '[]')
                    FROM jsonb_array_elements(policy -> 'steps') AS rungs(rung)))
        FROM alert WHERE alert.id = escalation.alert_id AND policy -> 'steps' -> 0 ? 'role'
        """
    )


def pages_and_handovers() -> None:
    op.create_table(
        "alert_page",
        column("id", sa.Uuid()),
        column("alert_id", sa.Uuid(), sa.ForeignKey("alert.id")),
        column("area_code", sa.Text()),
        column("loop", sa.Integer()),
        column("step", sa.Integer()),
        column("repeat", sa.Integer()),
        column("why", sa.Text()),
        column("account_id", sa.Uuid(), sa.ForeignKey("account.id"), null=True),
        column("contact_id", sa.Uuid(), sa.ForeignKey("emergency_contact.id"), null=True),
        column("must_acknowledge", sa.Boolean()),
        column("paged_at", TIME),
        column("acknowledged_at", TIME, null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("num_nonnulls(account_id, contact_id) = 1", name="alert_page_one_recipient"),
    )
    op.create_index("alert_page_alert", "alert_page", ["alert_id", "id"])
    op.create_index("alert_page_account", "alert_page", ["account_id", "id"])
    op.create_table(
        "alert_handover",
        column("id", sa.Uuid()),
        column("alert_id", sa.Uuid(), sa.ForeignKey("alert.id")),
        column("area_code", sa.Text()),
        column("from_account_id", sa.Uuid(), sa.ForeignKey("account.id")),
        column("to_account_id", sa.Uuid(), sa.ForeignKey("account.id")),
        column("status", words("handoverstatus", HANDOVERS)),
        column("note", sa.Text()),
        column("requested_at", TIME),
        column("answered_at", TIME, null=True),
        column("answer_note", sa.Text()),
        column("version", sa.Integer()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "alert_handover_one_open",
        "alert_handover",
        ["alert_id"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index("alert_handover_alert", "alert_handover", ["alert_id", "id"])


def aid_and_calls() -> None:
    op.create_table(
        "alert_aid",
        column("id", sa.Uuid()),
        column("alert_id", sa.Uuid(), sa.ForeignKey("alert.id")),
        column("resident_id", sa.Uuid(), sa.ForeignKey("resident.id"), null=True),
        column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id")),
        column("area_code", sa.Text()),
        column("granted_at", TIME),
        column("ended_at", TIME, null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("alert_id", "centre_id", name="alert_aid_once"),
    )
    op.create_index("alert_aid_centre", "alert_aid", ["centre_id"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "emergency_call",
        column("id", sa.Uuid()),
        column("alert_id", sa.Uuid(), sa.ForeignKey("alert.id")),
        column("resident_id", sa.Uuid(), sa.ForeignKey("resident.id"), null=True),
        column("area_code", sa.Text()),
        column("called_at", TIME),
        column("called_by", sa.Uuid(), sa.ForeignKey("account.id")),
        column("said", sa.Text()),
        column("outcome", words("calloutcome", OUTCOMES)),
        column("handed_over_to", sa.Text(), null=True),
        column("handed_over_at", TIME, null=True),
        column("recorded_at", TIME),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("emergency_call_alert", "emergency_call", ["alert_id", "id"])


def policies() -> None:
    op.create_table(
        "escalation_policy",
        column("id", sa.Uuid()),
        column("policy_id", sa.Uuid()),
        column("version", sa.Integer()),
        column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id"), null=True),
        column("area_code", sa.Text()),
        column("name", sa.Text()),
        column("min_severity", sa.Integer()),
        column("weekdays", sa.ARRAY(sa.SmallInteger())),
        column("from_time", sa.Time()),
        column("until_time", sa.Time()),
        column("document", postgresql.JSONB()),
        column("saved_by", sa.Uuid(), null=True),
        column("saved_at", TIME),
        column("ended_at", TIME, null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("policy_id", "version", name="escalation_policy_version"),
        sa.CheckConstraint("min_severity BETWEEN 1 AND 4", name="escalation_policy_severity"),
    )
    current = sa.text("ended_at IS NULL")
    op.create_index("escalation_policy_in_force", "escalation_policy", ["area_code"], postgresql_where=current)
    op.create_index(
        "escalation_policy_one_current", "escalation_policy", ["policy_id"], unique=True, postgresql_where=current
    )


def walls() -> None:
    by_area("alert_page", "SELECT, INSERT, UPDATE")
    by_area("alert_handover", "SELECT, INSERT, UPDATE")
    by_area("alert_aid", "SELECT, UPDATE")
    by_resident("emergency_call", "SELECT, INSERT, UPDATE")
    by_area("escalation_policy", "SELECT, INSERT, UPDATE")
    # A centre reads what the county has laid down for it. Nothing in a policy is personal.
    op.execute(f"CREATE POLICY above ON escalation_policy FOR SELECT TO guoyuan_app USING ({ABOVE})")
    for table, key in WHOLE.items():
        condition = AIDED_ALERT.format(column=key)
        op.execute(f"CREATE POLICY aid ON {table} TO guoyuan_app USING ({condition}) WITH CHECK ({condition})")
    for table, key in CARD.items():
        condition = AIDED_RESIDENT.format(column=key)
        op.execute(f"CREATE POLICY aid ON {table} FOR SELECT TO guoyuan_app USING ({condition})")
    condition = AIDED_RESIDENT.format(column="resident_id::text")
    op.execute(f"CREATE POLICY aid ON access_log FOR INSERT TO guoyuan_app WITH CHECK ({condition})")


def downgrade() -> None:
    for table in (*(set(WHOLE) - {"alert_page", "alert_handover", "alert_aid", "emergency_call"}), *CARD):
        op.execute(f"DROP POLICY aid ON {table}")
    op.execute("DROP POLICY aid ON access_log")
    for table in ("escalation_policy", "emergency_call", "alert_aid", "alert_handover", "alert_page"):
        op.drop_table(table)
    op.execute(
        """
        UPDATE escalation SET step = greatest(step, 0), policy = policy || jsonb_build_object(
            'repeat_seconds', coalesce(policy -> 'loop_seconds', '120'),
            'steps', '[{"after_seconds": 0, "role": "dispatcher"}, {"after_seconds": 60, "role": "centre_manager"},
                {"after_seconds": 180, "role": "county_officer"}]'::jsonb)
        """
    )
    op.execute("UPDATE escalation SET step = least(step, 2)")
    for name in ("repage", "called"):
        op.drop_index(f"escalation_{name}", table_name="escalation")
    for name in ("frozen_at", "repage_at", "called_at", "nobody_since", "failed_at", "hold_until", "audited_at"):
        op.drop_column("escalation", name)
    for name in ("severity", "failed_with", "repeat"):
        op.drop_column("escalation", name)
    op.drop_column("resident", "key_box_encrypted")
    for name in ("reviewed_at", "cancelled_at", "taken_back_at", "classification", "checklist"):
        op.drop_column("alert", name)
