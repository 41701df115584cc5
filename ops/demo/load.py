"""Loads the demo county: once, all or nothing, the same people for the same seed."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlmodel import SQLModel

from ops.demo import secrets as demo_secrets
from ops.demo.alarms import alarms
from ops.demo.areas import COUNTY, area_rows, centre_rows, towns
from ops.demo.bulk import copy_rows, driver, insert_missing
from ops.demo.county import County, build, role_hashes
from ops.demo.devices import PROVISION_KEY, SERIAL_PREFIX
from ops.demo.history import history
from ops.demo.ids import Seed
from ops.demo.institutions import institutions, work_limits
from ops.demo.permits import permits
from ops.demo.readings import day_of_readings, last_words
from ops.demo.roster import roster
from ops.demo.secrets import DemoSecrets
from ops.demo.staff import members, team
from ops.stack.secrets import load_or_make as load_or_make_stack_secrets
from services.catalogue.service import load_items
from services.core.actor import SYSTEM, Role
from services.core.crypto import vault_from
from services.core.database import Database, Work
from services.core.settings import Settings
from services.identity.passwords import verify_password
from services.packages.service import load_templates
from services.payers.service import load_programmes
from services.terminals.credentials import hash_password
from services.terminals.models import TerminalKind, default_profile_id
from services.terminals.profiles import load_profiles
from services.vitals.aggregates.service import mark_stored

DEFAULT_SEED = 430121
MAX_SCALE = 50
"""Beyond it the invented phone numbers run out."""

_LOCK = 4_301_210_003
_COUNTY_OFFICER = "officer-county"

Progress = Callable[[str], None]
Copy = Callable[[str, Iterable[SQLModel]], Awaitable[None]]


class DemoRefused(Exception):
    """Why nothing was loaded, in words for the person at the keyboard."""


@dataclass(slots=True)
class LoadReport:
    """What a load did: rows by table when it loaded, otherwise what it found."""

    loaded: dict[str, int] = field(default_factory=dict)
    residents: int = 0
    prolonged_shifts: int = 0
    renewed_passwords: bool = False
    same_seed: bool = True

    @property
    def changed(self) -> bool:
        """Whether anything in the database is different now."""
        return bool(self.loaded or self.prolonged_shifts or self.renewed_passwords)


def complete(settings: Settings) -> Settings:
    """Settings with the made-up secrets of this data directory where none are set (demo mode only)."""
    if settings.mode == "production":
        raise DemoRefused("The demo county cannot be loaded in production mode (GUOYUAN_MODE=production).")
    if settings.database_url is None:
        raise DemoRefused("No database: start the stack with `guoyuan up`, or set GUOYUAN_DATABASE_URL.")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    made = load_or_make_stack_secrets(settings.data_dir)
    missing = {
        name: SecretStr(getattr(made, name))
        for name in ("token_secret", "field_key", "lookup_key")
        if getattr(settings, name) is None
    }
    return settings.model_copy(update=missing)


async def load(
    settings: Settings, seed: int = DEFAULT_SEED, scale: int = 1, say: Progress = lambda _: None
) -> LoadReport:
    """Store the demo county in one transaction, or find that it is there.

    A second load changes nothing, except that it prolongs the roster when days have passed and renews the
    passwords when the file that holds them was lost. Raises ``DemoRefused``.
    """
    settings = complete(settings)
    secrets = demo_secrets.load_or_make(settings.data_dir)
    root = Seed(seed)
    database = Database(str(settings.database_url), pool_size=1)
    try:
        async with database.unit_of_work(SYSTEM) as work:
            if await _is_loaded(work):
                return await _refresh(work, root, secrets)
            now = work.now
        say("inventing the people")
        county = build(root, scale, vault_from(settings), secrets, now)
        async with database.unit_of_work(SYSTEM) as work:
            # A second loader waits here and then finds the county.
            connection = await driver(work)
            # A large county takes its time, and another loader waits for it.
            for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                await connection.execute(f"SET LOCAL {limit} = 0")
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if await _is_loaded(work):
                return await _refresh(work, root, secrets)
            return await _store(work, county, secrets, now, say)
    finally:
        await database.close()


async def _is_loaded(work: Work) -> bool:
    connection = await driver(work)
    if not await connection.fetchval("SELECT to_regclass('account') IS NOT NULL"):
        raise DemoRefused("The database has no tables yet: run `guoyuan migrate` first.")
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM account WHERE is_demo)"))


async def _store(work: Work, county: County, secrets: DemoSecrets, now: datetime, say: Progress) -> LoadReport:
    report = LoadReport(residents=len(county.people.residents))

    async def copy(name: str, rows: Iterable[SQLModel]) -> None:
        say(f"storing {name}")
        report.loaded[name] = await copy_rows(work, rows)

    await insert_missing(work, area_rows())
    await _store_centres(work, county)
    report.loaded["service items"] = await load_items(work)
    report.loaded["package templates"] = await load_templates(work)
    report.loaded["payer programmes"] = await load_programmes(work, COUNTY)
    await load_profiles(work)
    await _store_provision_secret(await driver(work), secrets)
    await copy("residents", county.people.residents)
    await copy("emergency contacts", county.people.contacts)
    await copy("institutions", institutions(county.seed, now))
    await copy("caregivers", county.staff.caregivers)
    await copy("licences", county.staff.credentials)
    await copy("working-time limits", work_limits(members(county.seed, county.towns, county.scale), now))
    await copy("accounts", county.people.accounts + county.staff.accounts)
    await copy("staff numbers", county.staff.phones)
    await copy("care relationships", county.people.relationships)
    await copy("terminals", county.devices.terminals)
    await copy("terminal bindings", county.devices.bindings)
    await copy("shifts", roster(members(county.seed, county.towns, county.scale), now))
    await _store_history(work, county, now, copy)
    past = alarms(county, now)
    await copy("alerts", past.alerts)
    await copy("alert occurrences", past.occurrences)
    await copy("alert changes", past.changes)
    await copy("test calls", past.tests)
    await copy("duty rotas", past.rotas)
    return report


async def _store_history(work: Work, county: County, now: datetime, copy: Copy) -> None:
    """Orders, and a day of vital signs; the caregivers' numbers come from the database."""
    connection = await driver(work)
    numbers = {row["id"]: row["number"] for row in await connection.fetch("SELECT id, number FROM caregiver")}
    rows = history(county, numbers, now)
    granted = permits(county, rows.orders, now)
    await copy("consents", granted.consents)
    await copy("first assessments", granted.first_assessments)
    await copy("ability assessments", granted.abilities)
    await copy("orders", rows.orders)
    await copy("offers", rows.offers)
    await copy("bookings", rows.bookings)
    await copy("visits", rows.visits)
    await copy("settlements", rows.money.settlements)
    await copy("bills as made", rows.money.revisions)
    await copy("settlement lines", rows.money.lines)
    await copy("shares of payers", rows.money.shares)
    await copy("ledger accounts", rows.money.accounts.values())
    await copy("ledger transactions", rows.money.transactions)
    await copy("ledger postings", rows.money.postings)
    await copy("ratings", rows.ratings)
    await copy("status changes", rows.changes)
    for day in (now - timedelta(days=1), now):
        await connection.execute("SELECT make_reading_partition($1)", day.date())
    await copy("readings", day_of_readings(county, now))
    await mark_stored(work, now - timedelta(days=2), now + timedelta(days=1))
    await copy("terminal states", last_words(county, now))


async def _store_centres(work: Work, county: County) -> None:
    """Store the centres; a database that has centres of its own is no place for a demo."""
    connection = await driver(work)
    if await connection.fetchval("SELECT EXISTS (SELECT FROM centre)"):
        raise DemoRefused("This database already has centres of its own; the demo county needs an empty one.")
    await copy_rows(work, centre_rows(county.towns))


async def _refresh(work: Work, seed: Seed, secrets: DemoSecrets) -> LoadReport:
    connection = await driver(work)
    report = LoadReport(residents=await connection.fetchval("SELECT count(*) FROM resident"))
    officer = await connection.fetchrow(
        "SELECT id, password_hash FROM account WHERE login = $1 AND is_demo", _COUNTY_OFFICER
    )
    if officer is None:
        raise DemoRefused("The demo county in this database is damaged: the county officer's account is missing.")
    if not await verify_password(officer["password_hash"], secrets.password(Role.COUNTY_OFFICER)):
        await _renew_passwords(connection, secrets)
        report.renewed_passwords = True
    report.same_seed = officer["id"] == seed.key("account", _COUNTY_OFFICER)
    if report.same_seed:
        report.prolonged_shifts = await _prolong_roster(work, seed)
    return report


async def _renew_passwords(connection: Any, secrets: DemoSecrets) -> None:
    """Give every demo account and terminal the password that the file holds now."""
    await connection.executemany(
        "UPDATE account SET password_hash = $2 WHERE role = $1 AND is_demo AND login IS NOT NULL",
        list(role_hashes(secrets).items()),
    )
    await _store_provision_secret(connection, secrets)
    terminals = await connection.fetch(
        "SELECT id FROM terminal WHERE starts_with(serial, $1) AND password_hash IS NOT NULL", SERIAL_PREFIX
    )
    await connection.executemany(
        "UPDATE terminal SET password_hash = $2 WHERE id = $1",
        [(row["id"], hash_password(secrets.terminal_password(row["id"]))) for row in terminals],
    )


async def _store_provision_secret(connection: Any, secrets: DemoSecrets) -> None:
    """The pendants' profile takes part in provisioning."""
    await connection.execute(
        "UPDATE terminal_profile SET provision_key = $1, provision_secret_hash = $2 WHERE id = $3",
        PROVISION_KEY,
        hash_password(secrets.provision_secret()),
        default_profile_id(TerminalKind.PENDANT),
    )


async def _prolong_roster(work: Work, seed: Seed) -> int:
    """Add the shifts of the days that have come into the window since the load."""
    connection = await driver(work)
    county = towns(seed)
    caregivers = await connection.fetchval(
        "SELECT count(*) FROM account WHERE role = $1 AND is_demo", Role.CAREGIVER
    )
    scale = caregivers // (len(team()) * len(county))
    shifts = [s for s in roster(members(seed, county, scale), work.now) if s.starts_at > work.now]
    known = {row["id"] for row in await connection.fetch("SELECT id FROM shift WHERE starts_at > $1", work.now)}
    return await copy_rows(work, [s for s in shifts if s.id not in known])
