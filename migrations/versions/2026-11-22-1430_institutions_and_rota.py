"""Provider institutions, and the caregivers' file and rota."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.walls import AREA, by_area, by_resident

revision: str = "0021_institutions_and_rota"
down_revision: str | None = "0020_care_plans"
branch_labels: None = None
depends_on: None = None

SAME_COUNTY = "starts_with(area_code, (SELECT left(nullif(current_setting('guoyuan.area', true), ''), 6)))"
"""An institution works in the whole county: everybody there may know it. Changing it needs its own area."""

MOMENT = sa.DateTime(timezone=True)
EMPTY = sa.text("'{}'")


def choice(name: str, *values: str) -> sa.Enum:
    """A text column's values."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    institutions()
    caregivers()
    credentials()
    shifts()
    rota()
    pairs_and_log()
    walls()


def institutions() -> None:
    """The institutions, their reviews, and what was warned of."""
    op.create_table(
        "institution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            choice(
                "institutionkind",
                "health_centre",
                "hospital",
                "clinic",
                "nursing_home",
                "home_care",
                "social_organisation",
            ),
            nullable=False,
        ),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("licence_number", sa.Text(), nullable=False),
        sa.Column("licence_issuer", sa.Text(), nullable=False),
        sa.Column("licence_from", sa.Date(), nullable=False),
        sa.Column("licence_until", sa.Date(), nullable=False),
        sa.Column("agreement_from", sa.Date(), nullable=False),
        sa.Column("agreement_until", sa.Date(), nullable=False),
        sa.Column("review_due", sa.Date(), nullable=False),
        sa.Column("contact_phone", sa.Text(), nullable=False),
        sa.Column("status", choice("institutionstatus", "active", "suspended", "exited"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("licence_until >= licence_from", name="institution_licence_forward"),
        sa.CheckConstraint("agreement_until >= agreement_from", name="institution_agreement_forward"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_institution_area_code"), "institution", ["area_code"])
    op.create_index(
        "institution_licence",
        "institution",
        ["licence_number"],
        unique=True,
        postgresql_where="status <> 'exited'",
    )
    op.create_table(
        "institution_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_institution_change_institution_id"), "institution_change", ["institution_id"])
    op.create_table(
        "institution_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("result", choice("reviewresult", "passed", "passed_with_conditions", "failed"), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("next_due", sa.Date(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_institution_review_institution_id"), "institution_review", ["institution_id"])
    op.create_table(
        "institution_warning",
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("what", choice("due", "licence", "agreement", "review"), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"]),
        sa.PrimaryKeyConstraint("institution_id", "what", "due_on", "days"),
    )


def caregivers() -> None:
    """What is new in a caregiver's file."""
    op.add_column("caregiver", sa.Column("institution_id", sa.Uuid(), nullable=True))
    op.add_column("caregiver", sa.Column("id_number_encrypted", sa.Text(), nullable=True))
    op.add_column("caregiver", sa.Column("id_number_lookup", sa.Text(), nullable=True))
    op.create_foreign_key("caregiver_institution_id_fkey", "caregiver", "institution", ["institution_id"], ["id"])
    op.create_index(op.f("ix_caregiver_institution_id"), "caregiver", ["institution_id"])
    op.create_unique_constraint("caregiver_id_number_lookup_key", "caregiver", ["id_number_lookup"])


def credentials() -> None:
    """Number, scope, level and state. What stood there before goes on counting: it was all that there was."""
    op.add_column("credential", sa.Column("number_encrypted", sa.Text(), nullable=True))
    op.add_column("credential", sa.Column("scope", sa.Text(), server_default="", nullable=False))
    op.add_column("credential", sa.Column("level", sa.Integer(), nullable=True))
    op.add_column(
        "credential",
        sa.Column(
            "status",
            choice("credentialstatus", "recorded", "verified", "rejected", "revoked"),
            server_default="verified",
            nullable=False,
        ),
    )
    op.add_column("credential", sa.Column("checked_by", sa.Uuid(), nullable=True))
    op.add_column("credential", sa.Column("checked_at", MOMENT, nullable=True))
    op.add_column("credential", sa.Column("check_note", sa.Text(), server_default="", nullable=False))
    op.add_column("credential", sa.Column("revoked_at", MOMENT, nullable=True))
    op.add_column("credential", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.execute("UPDATE credential SET checked_at = now(), check_note = '启用核验之前登记'")
    for column in ("scope", "status", "check_note", "version"):
        op.alter_column("credential", column, server_default=None)
    op.create_index("credential_ends", "credential", ["valid_until"], postgresql_where="status = 'verified'")
    op.create_table(
        "credential_warning",
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"]),
        sa.PrimaryKeyConstraint("credential_id", "valid_until", "days"),
    )


def shifts() -> None:
    """Kind, state, and the wall against overlaps. The range is the table's own work, whoever writes a shift."""
    op.add_column(
        "shift", sa.Column("kind", choice("shiftkind", "work", "on_call"), server_default="work", nullable=False)
    )
    op.add_column(
        "shift",
        sa.Column(
            "status",
            choice("shiftstatus", "draft", "published", "cancelled"),
            server_default="published",
            nullable=False,
        ),
    )
    op.add_column("shift", sa.Column("busy", postgresql.INT8RANGE(), nullable=True))
    op.add_column("shift", sa.Column("override_reason", sa.Text(), nullable=True))
    op.add_column("shift", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    for column in ("kind", "status", "version"):
        op.alter_column("shift", column, server_default=None)
    op.execute("DELETE FROM shift WHERE ends_at <= starts_at")
    op.execute(
        """
        WITH marked AS (
            SELECT *, starts_at < max(ends_at) OVER (PARTITION BY caregiver_id ORDER BY starts_at, id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS joins FROM shift
        ), counted AS (
            SELECT *, count(*) FILTER (WHERE joins IS NOT TRUE)
                OVER (PARTITION BY caregiver_id ORDER BY starts_at, id) AS island FROM marked
        ), united AS (
            SELECT array_agg(id ORDER BY starts_at, id) AS ids, max(ends_at) AS ends_at
            FROM counted GROUP BY caregiver_id, island HAVING count(*) > 1
        ), cancelled AS (
            UPDATE shift SET status = 'cancelled' FROM united
            WHERE shift.id = ANY (united.ids) AND shift.id <> united.ids[1]
        )
        UPDATE shift SET ends_at = united.ends_at FROM united WHERE shift.id = united.ids[1]
        """
    )
    # 34 bits of seconds since 1970 below the caregiver's number, as in a booking's range.
    op.execute(
        """
        CREATE FUNCTION shift_busy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            NEW.busy := (SELECT int8range(
                (number << 34) + floor(extract(epoch FROM NEW.starts_at))::bigint,
                (number << 34) + floor(extract(epoch FROM NEW.ends_at))::bigint)
                FROM caregiver WHERE id = NEW.caregiver_id);
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER busy BEFORE INSERT OR UPDATE OF caregiver_id, starts_at, ends_at ON shift"
        " FOR EACH ROW EXECUTE FUNCTION shift_busy()"
    )
    op.execute("UPDATE shift SET starts_at = starts_at")
    op.alter_column("shift", "busy", nullable=False)
    op.create_check_constraint("shift_forward", "shift", "ends_at > starts_at")
    op.create_exclude_constraint(
        "shift_no_overlap",
        "shift",
        ("busy", "&&"),
        using="gist",
        where="status <> 'cancelled'",
        deferrable=True,
        initially="IMMEDIATE",
    )


def rota() -> None:
    """Templates, absences, swaps and limits."""
    op.create_table(
        "rota_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("caregiver_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("pattern", postgresql.JSONB(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_rota_template_centre_id"), "rota_template", ["centre_id"])
    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("kind", choice("absencekind", "leave", "sick", "training"), nullable=False),
        sa.Column(
            "status", choice("absencestatus", "requested", "approved", "declined", "withdrawn"), nullable=False
        ),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name="absence_forward"),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"]),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("absence_caregiver_ends", "absence", ["caregiver_id", "ends_at"])
    op.create_index(op.f("ix_absence_centre_id"), "absence", ["centre_id"])
    op.create_table(
        "shift_swap",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("from_caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("to_caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("return_shift_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            choice(
                "shiftswapstatus", "requested", "agreed", "approved", "declined", "refused", "withdrawn", "lapsed"
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["from_caregiver_id"], ["caregiver.id"]),
        sa.ForeignKeyConstraint(["to_caregiver_id"], ["caregiver.id"]),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"]),
        sa.ForeignKeyConstraint(["return_shift_id"], ["shift.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("centre_id", "from_caregiver_id", "to_caregiver_id", "shift_id"):
        op.create_index(op.f(f"ix_shift_swap_{column}"), "shift_swap", [column])
    op.create_table(
        "work_limit",
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("day_minutes", sa.Integer(), nullable=True),
        sa.Column("week_minutes", sa.Integer(), nullable=True),
        sa.Column("rest_minutes", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"]),
        sa.PrimaryKeyConstraint("caregiver_id"),
    )


def pairs_and_log() -> None:
    """Who must not meet, and who did what to a file."""
    op.create_table(
        "blocked_pair",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("asked_by", choice("askedby", "resident", "family", "caregiver", "centre"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"]),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_blocked_pair_caregiver_id"), "blocked_pair", ["caregiver_id"])
    op.create_index(
        "blocked_pair_once",
        "blocked_pair",
        ["resident_id", "caregiver_id"],
        unique=True,
        postgresql_where="lifted_at IS NULL",
    )
    op.create_table(
        "caregiver_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("caregiver_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("fields", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["caregiver_id"], ["caregiver.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_caregiver_log_caregiver_id"), "caregiver_log", ["caregiver_id"])


def walls() -> None:
    """Row-level security. Warnings are the worker's alone."""
    op.execute("GRANT SELECT, INSERT, UPDATE ON institution TO guoyuan_app")
    op.execute("ALTER TABLE institution ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON institution TO guoyuan_app USING ({SAME_COUNTY}) WITH CHECK ({AREA})")
    by_area("institution_change", "SELECT, INSERT")
    by_area("institution_review", "SELECT, INSERT")
    by_area("institution_warning", "SELECT")
    by_area("credential_warning", "SELECT")
    for table in ("rota_template", "absence", "shift_swap", "work_limit"):
        by_area(table, "SELECT, INSERT, UPDATE")
    by_resident("blocked_pair", "SELECT, INSERT, UPDATE")
    by_area("caregiver_log", "SELECT, INSERT")


def downgrade() -> None:
    for table in ("caregiver_log", "blocked_pair", "work_limit", "shift_swap", "absence", "rota_template"):
        op.drop_table(table)
    op.drop_constraint("shift_no_overlap", "shift")
    op.drop_constraint("shift_forward", "shift")
    op.execute("DROP TRIGGER busy ON shift")
    op.execute("DROP FUNCTION shift_busy()")
    op.execute("DELETE FROM shift WHERE status <> 'published' OR kind <> 'work'")
    for column in ("version", "override_reason", "busy", "status", "kind"):
        op.drop_column("shift", column)
    op.drop_table("credential_warning")
    op.drop_index("credential_ends", "credential")
    op.execute("DELETE FROM credential WHERE status <> 'verified'")
    for column in (
        "version",
        "revoked_at",
        "check_note",
        "checked_at",
        "checked_by",
        "status",
        "level",
        "scope",
        "number_encrypted",
    ):
        op.drop_column("credential", column)
    op.drop_constraint("caregiver_id_number_lookup_key", "caregiver")
    op.drop_index(op.f("ix_caregiver_institution_id"), "caregiver")
    op.drop_constraint("caregiver_institution_id_fkey", "caregiver")
    for column in ("id_number_lookup", "id_number_encrypted", "institution_id"):
        op.drop_column("caregiver", column)
    for table in ("institution_warning", "institution_review", "institution_change", "institution"):
        op.drop_table(table)
