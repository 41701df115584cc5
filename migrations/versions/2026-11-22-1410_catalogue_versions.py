"""The catalogue in versions, with what must be true before a service, and what each centre offers.

What an item says moves from its row into a published version; an older client's columns come back from the version
that counts at the time.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from migrations import walls

revision: str = "0017_catalogue_versions"
down_revision: str | None = "0016_order_lines"
branch_labels: None = None
depends_on: None = None

CATEGORIES = (
    "meal",
    "cleaning",
    "bathing",
    "walking",
    "escort",
    "emergency",
    "round_visit",
    "nursing",
    "rehabilitation",
    "chinese_medicine",
    "check_up",
    "companionship",
)
TEXTS = ("category", "name_zh", "name_en", "description_zh", "description_en", "unit", "required_skill")
NUMBERS = ("duration_minutes", "caregivers_required", "practice_years")
DOCUMENTS = ("checklist", "price_rule")
MOVED = (*TEXTS, *NUMBERS, *DOCUMENTS, "required_licences")

# The catalogue is the county's: a centre's people read it and never write it.
COUNTY = "length((SELECT coalesce(current_setting('guoyuan.area', true), ''))) BETWEEN 2 AND 6"
OWN = walls.AREA
# What has been in force is history, which nobody writes anew.
NOT_HISTORY = "discarded_at IS NULL AND (effective_from IS NULL OR effective_from > (now() AT TIME ZONE 'Asia/Shanghai')::date)"


def upgrade() -> None:
    op.create_table(
        "service_item_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("saved_by", sa.Uuid(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("discarded_by", sa.Uuid(), nullable=True),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(published_at IS NULL) = (effective_from IS NULL)",
            name="service_item_version_effective_when_published",
        ),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"]),
        sa.ForeignKeyConstraint(["saved_by"], ["account.id"]),
        sa.ForeignKeyConstraint(["published_by"], ["account.id"]),
        sa.ForeignKeyConstraint(["discarded_by"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("item_id", "number", name="service_item_version_once"),
    )
    op.create_index(
        "service_item_version_one_draft",
        "service_item_version",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("published_at IS NULL AND discarded_at IS NULL"),
    )
    op.create_index(
        "service_item_version_effective", "service_item_version", ["item_id", "effective_from", "number"]
    )
    pairs = ", ".join(f"'{name}', {name}" for name in ("code", *MOVED))
    op.execute(
        "INSERT INTO service_item_version (id, item_id, number, facts, is_active, saved_at, published_at,"  # noqa: S608  constants
        f" effective_from, reason) SELECT gen_random_uuid(), id, version, jsonb_build_object({pairs}), is_active,"
        " now(), now(), least((price_rule->>'effective_date')::date, current_date), '' FROM service_item"
    )
    for name in (*MOVED, "is_active"):
        op.drop_column("service_item", name)
    op.create_table(
        "centre_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["centre_id"], ["centre.id"]),
        sa.ForeignKeyConstraint(["item_id"], ["service_item.id"]),
        sa.ForeignKeyConstraint(["changed_by"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("centre_id", "item_id", name="centre_item_once"),
    )
    op.create_index(op.f("ix_centre_item_item_id"), "centre_item", ["item_id"], unique=False)
    written_by("service_item", COUNTY)
    written_by("service_item_version", COUNTY, NOT_HISTORY)
    written_by("centre_item", OWN)


def written_by(table: str, condition: str, changeable: str = "true") -> None:
    """Everybody reads it, being public; who may write it is a wall of its own."""
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO guoyuan_app")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY seen ON {table} FOR SELECT TO guoyuan_app USING (true)")
    op.execute(f"CREATE POLICY added ON {table} FOR INSERT TO guoyuan_app WITH CHECK ({condition})")
    op.execute(
        f"CREATE POLICY changed ON {table} FOR UPDATE TO guoyuan_app USING ({condition} AND {changeable})"
        f" WITH CHECK ({condition})"
    )


def downgrade() -> None:
    op.drop_table("centre_item")
    for policy in ("seen", "added", "changed"):
        op.execute(f"DROP POLICY {policy} ON service_item")
    op.execute("ALTER TABLE service_item DISABLE ROW LEVEL SECURITY")
    op.execute("REVOKE INSERT, UPDATE ON service_item FROM guoyuan_app")
    # An item that was never in force has nothing to say in the old form.
    op.execute(
        "CREATE TEMPORARY TABLE in_force ON COMMIT DROP AS SELECT DISTINCT ON (item_id) item_id, number, is_active, facts"
        " FROM service_item_version WHERE effective_from <= current_date AND discarded_at IS NULL"
        " ORDER BY item_id, effective_from DESC, number DESC"
    )
    op.drop_table("service_item_version")
    op.execute("DELETE FROM service_item WHERE id NOT IN (SELECT item_id FROM in_force)")
    for name in TEXTS:
        op.add_column("service_item", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.alter_column("service_item", "category", type_=sa.String(40))
    for name in NUMBERS:
        op.add_column("service_item", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    for name in DOCUMENTS:
        op.add_column("service_item", sa.Column(name, JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column(
        "service_item", sa.Column("required_licences", ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("service_item", sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False))
    sets = [f"{name} = coalesce(facts->>'{name}', '')" for name in TEXTS]
    sets += [f"{name} = coalesce((facts->>'{name}')::integer, 0)" for name in NUMBERS]
    sets += [f"{name} = facts->'{name}'" for name in DOCUMENTS]
    sets += [
        "required_licences = ARRAY(SELECT jsonb_array_elements_text(facts->'required_licences'))",
        "is_active = in_force.is_active",
        "version = in_force.number",
    ]
    op.execute(f"UPDATE service_item SET {', '.join(sets)} FROM in_force WHERE item_id = service_item.id")  # noqa: S608  constants
    for name in (*MOVED, "is_active"):
        op.alter_column("service_item", name, server_default=None)
    words = ", ".join(f"'{category}'" for category in CATEGORIES)
    op.create_check_constraint("category", "service_item", f"category IN ({words})")
