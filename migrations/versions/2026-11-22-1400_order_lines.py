"""An order asks for lines, and a line for several licences and years of practice; what all need stands on the order."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision: str = "0016_order_lines"
down_revision: str | None = "0015_note_greetings"
branch_labels: None = None
depends_on: None = None

TEXTS = ARRAY(sa.Text())
EMPTY = sa.text("'{}'")


def upgrade() -> None:
    op.add_column("service_item", sa.Column("required_licences", TEXTS, server_default=EMPTY, nullable=False))
    op.execute(
        "UPDATE service_item SET required_licences = ARRAY[required_licence] WHERE required_licence IS NOT NULL"
    )
    op.drop_column("service_item", "required_licence")
    op.add_column("service_item", sa.Column("practice_years", sa.Integer(), server_default="0", nullable=False))
    op.add_column("caregiver", sa.Column("practice_since", sa.Date(), nullable=True))
    op.add_column("service_order", sa.Column("lines", JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("service_order", sa.Column("skills", TEXTS, server_default=EMPTY, nullable=False))
    op.add_column("service_order", sa.Column("licences", TEXTS, server_default=EMPTY, nullable=False))
    op.add_column("service_order", sa.Column("practice_years", sa.Integer(), server_default="0", nullable=False))
    op.execute(
        """
        UPDATE service_order SET
            lines = jsonb_build_array(jsonb_build_object('line_no', 1, 'item', item - 'required_licence'
                || jsonb_build_object('required_licences', CASE WHEN item->>'required_licence' IS NULL
                    THEN '[]'::jsonb ELSE jsonb_build_array(item->'required_licence') END),
                'quantity', coalesce(quote->'quantity', '1'), 'minutes', duration_minutes)),
            skills = ARRAY[item->>'required_skill'],
            licences = array_remove(ARRAY[item->>'required_licence'], NULL),
            quote = jsonb_set(quote, '{lines}', (
                SELECT coalesce(jsonb_agg(line || jsonb_build_object('item_line', 1, 'source', quote->'source',
                    'version', quote->'version', 'verified', quote->'verified')), '[]')
                FROM jsonb_array_elements(quote->'lines') line))
        """
    )
    op.drop_column("service_order", "item")
    for table, columns in (("service_item", ("required_licences", "practice_years")),
                           ("service_order", ("lines", "skills", "licences", "practice_years"))):  # fmt: skip
        for column in columns:
            op.alter_column(table, column, server_default=None)


def downgrade() -> None:
    op.add_column("service_order", sa.Column("item", JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.execute(
        "UPDATE service_order SET item = (lines->0->'item') - 'required_licences' - 'practice_years'"
        " || jsonb_build_object('required_licence', lines->0->'item'->'required_licences'->0)"
    )
    op.alter_column("service_order", "item", server_default=None)
    for column in ("practice_years", "licences", "skills", "lines"):
        op.drop_column("service_order", column)
    op.drop_column("caregiver", "practice_since")
    op.add_column("service_item", sa.Column("required_licence", sa.Text(), nullable=True))
    op.execute("UPDATE service_item SET required_licence = required_licences[1]")
    op.drop_column("service_item", "practice_years")
    op.drop_column("service_item", "required_licences")
