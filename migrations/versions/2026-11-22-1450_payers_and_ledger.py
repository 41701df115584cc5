"""Tariffs, payers, vouchers and the double-entry ledger."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import INT8RANGE, JSONB, ExcludeConstraint

from migrations.walls import AREA, by_resident, open_to_all

revision: str = "0025_payers_and_ledger"
down_revision: str | None = "0024_visit_proofs"
branch_labels: None = None
depends_on: None = None

VERSIONS = ("tariff", "supply_price", "payer_programme")
FOR_EVER = (
    "ledger_account",
    "ledger_transaction",
    "ledger_posting",
    "settlement_revision",
    "settlement_line",
    "settlement_share",
)

NEW_BILL_COLUMNS: dict[str, dict[str, type[sa.types.TypeEngine[Any]]]] = {
    "settlement": {
        "institution_id": sa.Uuid,
        "service_day": sa.Date,
        "quote_total_fen": sa.Integer,
        "revision": sa.Integer,
    },
    "settlement_line": {
        "revision": sa.Integer,
        "item_line": sa.Integer,
        "item_code": sa.Text,
        "minutes": sa.Integer,
        "verified": sa.Boolean,
    },
}


def upgrade() -> None:
    _versions_in_time()
    _payers()
    _ledger()
    _bills()
    _rules_of_the_ledger()
    _rights()


def downgrade() -> None:
    for table in ("adjustment", "bill_agreement", "settlement_share", "settlement_revision"):
        op.drop_table(table)
    op.execute("DROP TRIGGER keep_for_ever ON settlement_line")
    op.execute("GRANT UPDATE ON settlement_line TO guoyuan_app")
    op.add_column("settlement_line", sa.Column("payer", sa.Text(), server_default="self", nullable=False))
    op.alter_column("settlement_line", "payer", server_default=None)
    op.drop_constraint("settlement_line_once", "settlement_line")
    op.drop_constraint("settlement_line_product", "settlement_line")
    op.execute(
        "DELETE FROM settlement_line l USING settlement s WHERE s.id = l.settlement_id AND s.revision <> l.revision"
    )
    for table in reversed(NEW_BILL_COLUMNS):
        for column in NEW_BILL_COLUMNS[table]:
            op.drop_column(table, column)
    op.drop_column("settlement_line", "book")
    for table in ("ledger_balance", "ledger_posting", "ledger_transaction", "ledger_account"):
        op.drop_table(table)
    for table in ("voucher_round", "payer_budget", *VERSIONS, "effective_slot"):
        op.drop_table(table)
    for function in ("keep_for_ever", "only_the_end_moves", "keep_balance", "require_balanced"):
        op.execute(f"DROP FUNCTION {function}()")


def _of_a_version(table: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("days", INT8RANGE(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        *columns,
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        ExcludeConstraint((sa.column("days"), "&&"), using="gist", name=f"{table}_no_overlap"),
        sa.PrimaryKeyConstraint("id"),
    )


def _place() -> tuple[sa.Column[Any], ...]:
    """Made anew each time: a column belongs to one table only."""
    return (
        sa.Column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id"), nullable=True),
        sa.Column("institution_id", sa.Uuid(), sa.ForeignKey("institution.id"), nullable=True),
    )


def _of_a_bill() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
    )


def _settlement() -> sa.Column[Any]:
    return sa.Column("settlement_id", sa.Uuid(), sa.ForeignKey("settlement.id"), nullable=False)


def _order() -> sa.Column[Any]:
    return sa.Column("order_id", sa.Uuid(), sa.ForeignKey("service_order.id"), nullable=False)


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _versions_in_time() -> None:
    op.create_table(
        "effective_slot",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("key"),
    )
    _of_a_version(
        "tariff",
        *_place(),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("basis", _enum("pricebasis", "public_medical", "approved", "tender", "market"), nullable=False),
        sa.Column("price_rule", JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("tariff_lookup", "tariff", ["item_code", "area_code", "valid_from"])
    _of_a_version(
        "supply_price",
        *_place(),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", _enum("supplykind", "drug", "consumable"), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("unit_fen", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
    )
    op.create_index("supply_price_lookup", "supply_price", ["code", "area_code", "valid_from"])


def _payers() -> None:
    kinds = ("package", "ltci", "medical_insurance", "government_purchase", "consumption_voucher", "care_voucher")
    _of_a_version(
        "payer_programme",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", _enum("payerkind", *kinds, "collective"), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("stacking_order", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("terms", JSONB(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("payer_programme_lookup", "payer_programme", ["area_code", "valid_from"])
    op.create_table(
        "payer_budget",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.Column("used_fen", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("used_fen >= 0", name="payer_budget_not_negative"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("payer_budget_year", "payer_budget", ["area_code", "programme", "year"], unique=True)
    op.create_table(
        "voucher_round",
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last_resident_id", sa.Uuid(), nullable=True),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("area_code", "programme", "day"),
    )


def _ledger() -> None:
    money = ("receivable_payer", "receivable_household", "income", "cash", "refund_payable")
    rights = ("voucher_available", "voucher_reserved", "voucher_issued", "voucher_redeemed", "voucher_expired")
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("book", _enum("book", "medical", "eldercare", "voucher"), nullable=False),
        sa.Column("kind", _enum("accountkind", *money, *rights), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=True),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("institution_id", sa.Uuid(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_ledger_account_area_code", "ledger_account", ["area_code"])
    op.create_index("ledger_account_resident", "ledger_account", ["resident_id", "kind", "period"])
    op.create_table(
        "ledger_balance",
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("ledger_account.id"), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("balance_fen >= 0", name="ledger_balance_not_below_zero"),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_index(
        "ledger_balance_left", "ledger_balance", ["account_id"], postgresql_where=sa.text("balance_fen > 0")
    )
    op.create_table(
        "ledger_transaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("settlement_id", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), sa.ForeignKey("ledger_transaction.id"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("postings", sa.Integer(), nullable=False),
        sa.CheckConstraint("postings >= 2", name="ledger_transaction_two_sides"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("reverses_id"),
    )
    op.create_index("ledger_transaction_settlement", "ledger_transaction", ["settlement_id"])
    op.create_index("ledger_transaction_area", "ledger_transaction", ["area_code", "id"])
    op.create_table(
        "ledger_posting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), sa.ForeignKey("ledger_transaction.id"), nullable=False),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("ledger_account.id"), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name="ledger_posting_not_zero"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_ledger_posting_transaction_id", "ledger_posting", ["transaction_id"])
    op.create_index("ix_ledger_posting_account_id", "ledger_posting", ["account_id"])


def _bills() -> None:
    for table, columns in NEW_BILL_COLUMNS.items():
        for column, kind in columns.items():
            op.add_column(table, sa.Column(column, kind(), nullable=True))
    op.create_foreign_key(None, "settlement", "institution", ["institution_id"], ["id"])
    op.add_column("settlement_line", sa.Column("book", sa.String(40), nullable=True))
    op.execute(
        "UPDATE settlement s SET revision = 1, service_day = (s.settled_at AT TIME ZONE 'Asia/Shanghai')::date,"
        " quote_total_fen = (o.quote->>'total_fen')::int FROM service_order o WHERE o.id = s.order_id"
    )
    op.execute(
        "UPDATE settlement_line l SET revision = 1, item_line = 1, item_code = o.item_code, minutes = 0,"
        " verified = false, book = CASE WHEN l.code IN ('medical_service', 'home_visit_fee') THEN 'medical'"
        " ELSE 'eldercare' END"
        " FROM settlement s JOIN service_order o ON o.id = s.order_id WHERE s.id = l.settlement_id"
    )
    for table, names in (
        ("settlement", ("service_day", "quote_total_fen", "revision")),
        ("settlement_line", ("revision", "item_line", "item_code", "minutes", "verified", "book")),
    ):
        for name in names:
            op.alter_column(table, name, nullable=False)
    op.create_check_constraint("book", "settlement_line", "book IN ('medical', 'eldercare', 'voucher')")
    op.drop_column("settlement_line", "payer")
    op.create_unique_constraint(
        "settlement_line_once", "settlement_line", ["settlement_id", "revision", "line_no"]
    )
    op.create_check_constraint("settlement_line_product", "settlement_line", "quantity * unit_fen = amount_fen")
    _parts_of_bills()
    op.execute(
        "INSERT INTO settlement_revision (id, settlement_id, revision, resident_id, area_code, total_fen, facts,"
        " differences, payers, made_at) SELECT gen_random_uuid(), id, 1, resident_id, area_code, total_fen, '{}',"
        " '[]', '[]', settled_at FROM settlement"
    )
    op.execute(
        "INSERT INTO settlement_share (id, settlement_id, line_id, revision, resident_id, area_code, payer, month,"
        " amount_fen, minutes) SELECT gen_random_uuid(), s.id, l.id, 1, l.resident_id, l.area_code, 'self',"
        " to_char(s.service_day, 'YYYY-MM'), l.amount_fen, 0"
        " FROM settlement_line l JOIN settlement s ON s.id = l.settlement_id"
    )


def _parts_of_bills() -> None:
    op.create_table(
        "settlement_revision",
        *_of_a_bill(),
        _settlement(),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.Integer(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("differences", JSONB(), nullable=False),
        sa.Column("payers", JSONB(), nullable=False),
        sa.Column("adjustment_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("settlement_id", "revision", name="settlement_revision_once"),
    )
    op.create_table(
        "settlement_share",
        *_of_a_bill(),
        _settlement(),
        sa.Column("line_id", sa.Uuid(), sa.ForeignKey("settlement_line.id"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), sa.ForeignKey("payer_programme.id"), nullable=True),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name="settlement_share_not_negative"),
        sa.UniqueConstraint("line_id", "payer", name="settlement_share_once"),
    )
    op.create_index("ix_settlement_share_settlement_id", "settlement_share", ["settlement_id"])
    op.create_index("settlement_share_usage", "settlement_share", ["resident_id", "month", "payer"])
    op.create_index("settlement_share_payer", "settlement_share", ["payer", "month", "area_code"])
    op.create_table(
        "bill_agreement",
        *_of_a_bill(),
        _order(),
        sa.Column("extra_minutes", sa.Integer(), nullable=False),
        sa.Column("circumstances", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("extra_minutes BETWEEN 0 AND 720", name="bill_agreement_minutes"),
    )
    op.create_index("ix_bill_agreement_order_id", "bill_agreement", ["order_id"])
    op.create_table(
        "adjustment",
        *_of_a_bill(),
        _settlement(),
        _order(),
        sa.Column("centre_id", sa.Uuid(), sa.ForeignKey("centre.id"), nullable=False),
        sa.Column("status", _enum("adjustmentstatus", "proposed", "approved", "rejected"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_revision", sa.Integer(), nullable=False),
        sa.Column("lines", JSONB(), nullable=False),
        sa.Column("before_fen", sa.BigInteger(), nullable=False),
        sa.Column("after_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=True),
        sa.Column("correction_id", sa.Uuid(), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "decided_by IS NULL OR proposed_by IS NULL OR decided_by <> proposed_by", name="adjustment_two_people"
        ),
    )
    op.create_index("ix_adjustment_settlement_id", "adjustment", ["settlement_id"])
    op.create_index("adjustment_area", "adjustment", ["area_code", "id"])
    op.create_index(
        "adjustment_one_open",
        "adjustment",
        ["settlement_id"],
        unique=True,
        postgresql_where=sa.text("status = 'proposed'"),
    )


def _rules_of_the_ledger() -> None:
    op.execute(
        "CREATE FUNCTION keep_for_ever() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '% keeps every row as it was written', TG_TABLE_NAME USING ERRCODE = '55000';"
        " END $$"
    )
    for table in FOR_EVER:
        op.execute(
            f"CREATE TRIGGER keep_for_ever BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION keep_for_ever()"
        )
    op.execute(
        """
        CREATE FUNCTION only_the_end_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'valid_until' - 'days' = to_jsonb(OLD) - 'valid_until' - 'days'
                AND NEW.valid_until > OLD.valid_from
                AND (OLD.valid_until IS NULL OR NEW.valid_until <= OLD.valid_until) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a published version of % is never edited', TG_TABLE_NAME USING ERRCODE = '55000';
        END $$
        """
    )
    for table in VERSIONS:
        op.execute(
            f"CREATE TRIGGER only_the_end_moves BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION only_the_end_moves()"
        )
    op.execute(
        """
        CREATE FUNCTION keep_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$ BEGIN
            INSERT INTO ledger_balance AS b (account_id, area_code, resident_id, balance_fen)
            SELECT a.id, a.area_code, a.resident_id, 0 FROM ledger_account a
            WHERE a.id = NEW.account_id AND a.kind IN ('voucher_available', 'voucher_reserved')
            ON CONFLICT (account_id) DO NOTHING;
            UPDATE ledger_balance SET balance_fen = balance_fen + NEW.amount_fen WHERE account_id = NEW.account_id;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER keep_balance AFTER INSERT ON ledger_posting FOR EACH ROW EXECUTE FUNCTION keep_balance()"
    )
    op.execute(
        """
        CREATE FUNCTION require_balanced() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        DECLARE
            checked uuid := CASE WHEN TG_TABLE_NAME = 'ledger_posting'
                THEN (to_jsonb(NEW)->>'transaction_id')::uuid ELSE (to_jsonb(NEW)->>'id')::uuid END;
        BEGIN
            IF EXISTS (SELECT FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
                       WHERE p.transaction_id = checked GROUP BY a.book HAVING sum(p.amount_fen) <> 0)
                OR (SELECT count(*) FROM ledger_posting WHERE transaction_id = checked)
                    <> (SELECT postings FROM ledger_transaction WHERE id = checked) THEN
                RAISE EXCEPTION 'ledger transaction % does not balance in each of its books', checked
                    USING ERRCODE = '23514', CONSTRAINT = 'ledger_balanced';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    for table in ("ledger_posting", "ledger_transaction"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced()"
        )


def _rights() -> None:
    open_to_all("effective_slot", "SELECT, INSERT")
    op.execute("GRANT USAGE ON SEQUENCE effective_slot_number_seq TO guoyuan_app")
    for table in VERSIONS:
        op.execute(f"GRANT SELECT, INSERT, UPDATE (valid_until, days) ON {table} TO guoyuan_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        # Prices and terms are public; only those of one's own area are written.
        op.execute(f"CREATE POLICY readable ON {table} FOR SELECT TO guoyuan_app USING (true)")
        op.execute(f"CREATE POLICY written ON {table} FOR INSERT TO guoyuan_app WITH CHECK ({AREA})")
        op.execute(f"CREATE POLICY ended ON {table} FOR UPDATE TO guoyuan_app USING ({AREA}) WITH CHECK ({AREA})")
    # A budget is the county's; a centre that adjusts a bill gives back what it had taken of it.
    op.execute("GRANT SELECT, INSERT, UPDATE (budget_fen, used_fen, version) ON payer_budget TO guoyuan_app")
    op.execute("ALTER TABLE payer_budget ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY readable ON payer_budget FOR SELECT TO guoyuan_app USING (true)")
    op.execute(f"CREATE POLICY written ON payer_budget FOR INSERT TO guoyuan_app WITH CHECK ({AREA})")
    within = "starts_with((SELECT current_setting('guoyuan.area', true)), area_code)"
    op.execute(f"CREATE POLICY used ON payer_budget FOR UPDATE TO guoyuan_app USING ({within} OR {AREA})")
    # Vouchers are issued by the worker alone.
    op.execute("ALTER TABLE voucher_round ENABLE ROW LEVEL SECURITY")
    for table in ("ledger_account", "ledger_transaction", "ledger_posting"):
        by_resident(table, "SELECT, INSERT")
    by_resident("ledger_balance", "SELECT")
    for table in ("settlement_revision", "settlement_share"):
        by_resident(table, "SELECT, INSERT")
    by_resident("bill_agreement", "SELECT, INSERT")
    op.execute("REVOKE UPDATE ON settlement_line FROM guoyuan_app")
    by_resident("adjustment", "SELECT, INSERT, UPDATE")
