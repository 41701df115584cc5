"""Row-level security of tables made after the first ones: the walls of `0002_add_row_security`, used again."""

from alembic import op

AREA = "starts_with(area_code, (SELECT nullif(current_setting('guoyuan.area', true), '')))"
RESIDENT = (
    "((SELECT current_setting('guoyuan.residents', true)) = '*' OR {column}::text = ANY"
    " ((SELECT string_to_array(current_setting('guoyuan.residents', true), ','))::text[]))"
)


def by_area(table: str, rights: str) -> None:
    """People see the rows of their own area; ``rights`` is what they may do, as in ``SELECT, INSERT``."""
    _wall(table, rights, AREA)


def by_resident(table: str, rights: str, column: str = "resident_id") -> None:
    """People see the rows of their own area and, where they have such a wall, of their residents."""
    _wall(table, rights, f"{AREA} AND {RESIDENT.format(column=column)}")


def visited(table: str, column: str = "resident_id") -> None:
    """Besides: a caregiver whom another centre lent, for the residents she visits (`0022_dispatch_rounds`)."""
    those = "(SELECT string_to_array(current_setting('guoyuan.visited', true), ','))::text[]"
    condition = f"{column}::text = ANY ({those})"
    op.execute(f"CREATE POLICY visited ON {table} TO guoyuan_app USING ({condition}) WITH CHECK ({condition})")


def open_to_all(table: str, rights: str = "SELECT") -> None:
    """Reference data without anything personal."""
    op.execute(f"GRANT {rights} ON {table} TO guoyuan_app")


def of_a_county(table: str, rights: str = "SELECT, INSERT") -> None:
    """What a county publishes: everybody reads it, only people of the county's own area write it."""
    op.execute(f"GRANT {rights} ON {table} TO guoyuan_app")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY published ON {table} FOR SELECT TO guoyuan_app USING (true)")
    op.execute(f"CREATE POLICY written ON {table} FOR INSERT TO guoyuan_app WITH CHECK ({AREA})")


def _wall(table: str, rights: str, condition: str) -> None:
    op.execute(f"GRANT {rights} ON {table} TO guoyuan_app")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON {table} TO guoyuan_app USING ({condition}) WITH CHECK ({condition})")
