"""Evidence of visits, what was used, incidents, corrections, what goes wrong, and the caregiver's own alarm."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.walls import by_area, by_resident, visited

revision: str = "0024_visit_proofs"
down_revision: str | None = "0023_day_plans"
branch_labels: None = None
depends_on: None = None

MOMENT = sa.DateTime(timezone=True)
ROOMS = (
    "visit_act",
    "visit_reading",
    "visit_supply",
    "visit_incident",
    "visit_proof",
    "door_card",
    "visit_issue",
    "visit_correction",
)
VISIT_STATES = ("scheduled", "en_route", "in_service", "verified", "flagged", "reviewed", "cancelled")
ORDER_STATES = ("placed", "offered", "assigned", "in_progress", "completed", "cancelled")
ALERT_KINDS = (
    "sos",
    "fall",
    "help_cord",
    "smoke",
    "gas",
    "water",
    "unreadable_alarm",
    "other",
    "heart_rate",
    "spo2",
    "blood_pressure",
    "temperature",
    "respiratory_rate",
    "glucose",
    "early_warning",
    "no_readings",
)
OF_PANIC = "WHERE alert_id IN (SELECT id FROM alert WHERE kind = 'caregiver_panic')"
AIDED_ALERT = (
    "alert_id::text = ANY ((SELECT string_to_array(current_setting('guoyuan.alerts', true), ','))::text[])"
)


def upgrade() -> None:
    allow("visit", "visitstatus", "status", (*VISIT_STATES, "no_show"))
    allow("service_order", "orderstatus", "status", (*ORDER_STATES, "not_served"))
    allow("alert", "alertkind", "kind", (*ALERT_KINDS, "caregiver_panic"))
    visits()
    acts()
    used()
    incidents()
    proofs()
    issues()
    corrections()
    panic()
    for table in ROOMS:
        by_resident(table, "SELECT, INSERT, UPDATE")
        visited(table)
    by_area("caregiver_panic", "SELECT, INSERT, UPDATE")
    op.execute(f"CREATE POLICY aid ON caregiver_panic FOR SELECT TO guoyuan_app USING ({AIDED_ALERT})")


def allow(table: str, name: str, column: str, values: tuple[str, ...]) -> None:
    """The values that a column takes."""
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IN ({listed}))")


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def key(name: str, target: str | None = None, *, nullable: bool = False) -> sa.Column[object]:
    """A key, of another table where one is named."""
    foreign = [] if target is None else [sa.ForeignKey(f"{target}.id")]
    return sa.Column(name, sa.Uuid(), *foreign, nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, MOMENT, nullable=nullable)


def whole(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def real(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Float(), nullable=True)


def whose(*, resident_may_lack: bool = False) -> list[sa.Column[object]]:
    """Resident, caregiver, centre and area of what hangs on a visit."""
    return [
        key("resident_id", "resident", nullable=resident_may_lack),
        key("caregiver_id", "caregiver"),
        key("centre_id", "centre"),
        text("area_code"),
    ]


def room(table: str, *columns: object, indexed: tuple[str, ...] = ("visit_id",)) -> None:
    """A table with its key, its area index and indexes of single columns."""
    op.create_table(table, key("id"), *columns, sa.PrimaryKeyConstraint("id"))  # type: ignore[arg-type]
    for column in ("area_code", *indexed):
        op.create_index(f"ix_{table}_{column}", table, [column])


def visits() -> None:
    op.add_column("visit", text("check_in_device", nullable=True))
    op.add_column("visit", sa.Column("notes", JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.execute(
        "UPDATE visit SET notes = jsonb_build_array(jsonb_build_object('at',"
        " to_char(coalesce(check_out_device_at, starts_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        " 'seq', 0, 'text', note)) WHERE note <> ''"
    )
    op.alter_column("visit", "notes", server_default=None)
    op.add_column("visit", moment("confirmed_at", nullable=True))
    for name, columns, where in (
        ("visit_to_begin", ["starts_at"], "status IN ('scheduled', 'en_route')"),
        ("visit_in_service", ["ends_at"], "status = 'in_service'"),
        ("visit_begun", ["caregiver_id", "care_started_at"], "care_started_at IS NOT NULL"),
        ("visit_checked_in", ["check_in_at"], "check_in_at IS NOT NULL"),
    ):
        op.create_index(name, "visit", columns, postgresql_where=sa.text(where))


def acts() -> None:
    room(
        "visit_act",
        key("client_id"),
        key("visit_id"),
        *whose(resident_may_lack=True),
        text("device_id"),
        whole("seq"),
        text("kind"),
        moment("device_at"),
        moment("sent_at", nullable=True),
        moment("received_at"),
        sa.Column("said", JSONB(), nullable=False),
        sa.Column("status", one_of("actstatus", "waiting", "applied", "conflict", "settled"), nullable=False),
        text("code", nullable=True),
        sa.Column("detail", JSONB(), nullable=False),
        key("settled_by", nullable=True),
        moment("settled_at", nullable=True),
        text("settled_note", nullable=True),
        whole("version"),
        sa.UniqueConstraint("caregiver_id", "client_id", name="visit_act_once"),
        indexed=(),
    )
    op.create_index("visit_act_visit", "visit_act", ["visit_id", "device_id", "seq"])
    op.create_index(
        "visit_act_conflicts", "visit_act", ["centre_id", "id"], postgresql_where=sa.text("status = 'conflict'")
    )
    op.create_index(
        "visit_act_waiting", "visit_act", ["received_at"], postgresql_where=sa.text("status = 'waiting'")
    )


def voided() -> list[sa.Column[object]]:
    """By which correction a row came, and by which it was taken off the account."""
    return [
        key("correction_id", nullable=True),
        moment("voided_at", nullable=True),
        key("voided_by_correction", nullable=True),
    ]


def used() -> None:
    room(
        "visit_reading",
        key("visit_id", "visit"),
        *whose(),
        text("kind"),
        real("value"),
        whole("systolic", nullable=True),
        whole("diastolic", nullable=True),
        moment("measured_at"),
        moment("received_at"),
        key("taken_by", nullable=True),
        *voided(),
    )
    room(
        "visit_supply",
        key("visit_id", "visit"),
        key("order_id", "service_order"),
        *whose(),
        text("code"),
        text("name"),
        sa.Column("kind", one_of("supplykind", "drug", "consumable"), nullable=False),
        whole("quantity"),
        text("lot", nullable=True),
        whole("unit_fen", nullable=True),
        moment("used_at"),
        moment("recorded_at"),
        *voided(),
        indexed=("visit_id", "order_id"),
    )


def incidents() -> None:
    kinds = (
        "fall",
        "medical",
        "medication_error",
        "refusal",
        "nobody_home",
        "aggression",
        "property_damage",
        "suspected_abuse",
        "unsafe_home",
        "caregiver_hurt",
        "other",
    )
    room(
        "visit_incident",
        key("visit_id", "visit"),
        *whose(),
        sa.Column("kind", one_of("incidentkind", *kinds), nullable=False),
        sa.Column("severity", one_of("incidentseverity", "minor", "serious", "severe"), nullable=False),
        text("words"),
        text("done"),
        moment("occurred_at"),
        moment("reported_at"),
        key("reported_by", nullable=True),
        sa.Column("status", one_of("incidentstatus", "reported", "taken", "closed"), nullable=False),
        key("taken_by", nullable=True),
        moment("taken_at", nullable=True),
        key("closed_by", nullable=True),
        moment("closed_at", nullable=True),
        text("outcome", nullable=True),
        whole("version"),
    )
    op.create_index(
        "visit_incident_open",
        "visit_incident",
        ["centre_id", "id"],
        postgresql_where=sa.text("status <> 'closed'"),
    )


def proofs() -> None:
    room(
        "visit_proof",
        key("client_id"),
        key("visit_id", "visit"),
        *whose(),
        sa.Column("kind", one_of("proofkind", "photo", "signature"), nullable=False),
        moment("taken_at"),
        text("media_type", nullable=True),
        whole("size", nullable=True),
        text("sha256", nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        moment("received_at", nullable=True),
        moment("deleted_at", nullable=True),
        whole("version"),
        sa.UniqueConstraint("caregiver_id", "client_id", name="visit_proof_once"),
        indexed=("visit_id", "sha256", "received_at"),
    )
    room(
        "door_card",
        key("resident_id", "resident"),
        text("area_code"),
        whole("edition"),
        moment("issued_at"),
        key("issued_by", nullable=True),
        text("reason"),
        whole("version"),
        sa.UniqueConstraint("resident_id"),
        indexed=(),
    )


def issues() -> None:
    kinds = ("late_start", "missed", "overrun", "left_early", "impossible_travel")
    room(
        "visit_issue",
        key("visit_id", "visit"),
        key("order_id", "service_order"),
        *whose(),
        sa.Column("kind", one_of("issuekind", *kinds), nullable=False),
        sa.Column("status", one_of("issuestatus", "open", "cleared"), nullable=False),
        sa.Column("detail", JSONB(), nullable=False),
        moment("seen_at"),
        moment("cleared_at", nullable=True),
        whole("version"),
        sa.UniqueConstraint("visit_id", "kind", name="visit_issue_once"),
        indexed=(),
    )
    op.create_index(
        "visit_issue_open", "visit_issue", ["centre_id", "id"], postgresql_where=sa.text("status = 'open'")
    )


def corrections() -> None:
    reasons = (
        "forgot_check_in",
        "forgot_check_out",
        "wrong_time",
        "wrong_task",
        "wrong_supply",
        "wrong_reading",
        "phone_failed",
        "other",
    )
    room(
        "visit_correction",
        key("visit_id", "visit"),
        key("order_id", "service_order"),
        *whose(),
        sa.Column("status", one_of("correctionstatus", "requested", "approved", "rejected"), nullable=False),
        sa.Column("reason", one_of("correctionreason", *reasons), nullable=False),
        text("words"),
        whole("visit_version"),
        sa.Column("before", JSONB(), nullable=False),
        sa.Column("wanted", JSONB(), nullable=False),
        sa.Column("after", JSONB(), nullable=True),
        key("requested_by"),
        moment("requested_at"),
        key("decided_by", nullable=True),
        moment("decided_at", nullable=True),
        text("decision_note", nullable=True),
        whole("version"),
    )
    waiting = sa.text("status = 'requested'")
    op.create_index("visit_correction_open", "visit_correction", ["centre_id", "id"], postgresql_where=waiting)
    op.create_index(
        "visit_correction_one", "visit_correction", ["visit_id"], unique=True, postgresql_where=waiting
    )


def panic() -> None:
    room(
        "caregiver_panic",
        key("client_id"),
        key("alert_id", "alert", nullable=True),
        key("caregiver_id", "caregiver"),
        key("centre_id", "centre"),
        text("area_code"),
        text("name"),
        text("phone_encrypted", nullable=True),
        text("phone_purpose", nullable=True),
        moment("pressed_at"),
        moment("received_at"),
        real("latitude"),
        real("longitude"),
        real("accuracy_m"),
        key("visit_id", nullable=True),
        text("visit_address", nullable=True),
        real("visit_latitude"),
        real("visit_longitude"),
        sa.UniqueConstraint("caregiver_id", "client_id", name="caregiver_panic_once"),
        indexed=(),
    )
    op.create_index("caregiver_panic_alert", "caregiver_panic", ["alert_id", "id"])


def downgrade() -> None:
    for table in ("caregiver_panic", *reversed(ROOMS)):
        op.drop_table(table)
    for name in ("visit_to_begin", "visit_in_service", "visit_begun", "visit_checked_in"):
        op.drop_index(name, table_name="visit")
    for name in ("confirmed_at", "notes", "check_in_device"):
        op.drop_column("visit", name)
    for table in (
        "alert_occurrence",
        "escalation",
        "alert_page",
        "alert_handover",
        "alert_aid",
        "emergency_call",
        "alert_log",
    ):
        op.execute(f"DELETE FROM {table} {OF_PANIC}")  # noqa: S608  our own names
    op.execute(f"UPDATE referral SET alert_id = NULL {OF_PANIC}")  # noqa: S608  our own names
    op.execute("DELETE FROM alert WHERE kind = 'caregiver_panic'")
    op.execute("UPDATE visit SET status = 'cancelled' WHERE status = 'no_show'")
    op.execute("UPDATE service_order SET status = 'cancelled' WHERE status = 'not_served'")
    allow("alert", "alertkind", "kind", ALERT_KINDS)
    allow("service_order", "orderstatus", "status", ORDER_STATES)
    allow("visit", "visitstatus", "status", VISIT_STATES)
