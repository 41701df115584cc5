"""The demo county: the same for a seed, whole or not at all, and ready for a script."""

import asyncio
import json
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

import ops.demo.load
from devices.codecs.native_json import decode_alarm, decode_vitals
from devices.messages import AlarmKind
from ops.cli.demo import summary
from ops.demo import secrets as demo_secrets
from ops.demo.areas import SHOWCASE_TOWN, data, national_areas, towns
from ops.demo.credentials import describe, terminal_credentials
from ops.demo.ids import Seed
from ops.demo.load import DEFAULT_SEED, DemoRefused, load
from ops.demo.people import People, people
from ops.demo.roster import hours_of
from ops.demo.staff import members
from ops.migrate import migrate
from ops.stack.embedded import EmbeddedStack
from services.alerts.states import ALERT
from services.billing.states import SETTLEMENT
from services.catalogue.service import seed_items
from services.core.actor import STAFF_ROLES, Role
from services.core.clock import SystemClock
from services.core.crypto import Vault, vault_from
from services.core.database import Database
from services.core.settings import Settings
from services.core.transitions import Transitions
from services.dispatch.states import OFFER
from services.identity.passwords import verify_password
from services.identity.service import authenticate, sign_in_with_code
from services.notifications.addressing import STAFF_PURPOSE
from services.orders.states import ORDER
from services.residents.identity_numbers import age_on, normalise_phone, parse_identity_number
from services.residents.models import Resident
from services.residents.service import ID_NUMBER_PURPOSE, PHONE_PURPOSE
from services.terminals.credentials import verify_password as verify_terminal_password
from services.terminals.errors import AlreadyProvisioned
from services.terminals.provisioning import provision_itself
from services.terminals.registry_models import ProvisionRequest
from services.visits.states import VISIT
from services.vitals.kinds import Quality
from services.vitals.plausibility import quality_of

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
VAULT = Vault(key_id="k1", keys={"k1": bytes(32)}, lookup_key=bytes(32))
SEED = Seed(DEFAULT_SEED)


def invent(scale: int = 1, seed: Seed = SEED, now: datetime = NOW) -> People:
    return people(seed, towns(seed), scale, VAULT, now)


def plain(resident: Resident) -> dict[str, Any]:
    """What does not change from one load to the next: sealing uses a new nonce each time."""
    return resident.model_dump(exclude={"phone_encrypted", "id_number_encrypted", "created_at"})


def test_the_same_seed_gives_the_same_people_on_another_day() -> None:
    first, second = invent(), invent(now=NOW + timedelta(days=30))
    assert [plain(r) for r in first.residents] == [plain(r) for r in second.residents]
    assert [c.id for c in first.contacts] == [c.id for c in second.contacts]
    assert plain(invent(seed=Seed(1)).residents[0]) != plain(first.residents[0])


def test_a_larger_scale_adds_people_and_changes_nobody() -> None:
    small, large = invent(1), invent(3)
    assert len(small.residents) == 360
    assert len(large.residents) == 1080
    assert [plain(r) for r in large.residents[:360]] == [plain(r) for r in small.residents]


def test_residents_are_old_complete_and_recognisably_fictional() -> None:
    made = invent(2)
    given = {name for names in data("names.json")["residents"].values() for name in names}
    for resident in made.residents:
        assert 60 <= age_on(resident.birth_date, NOW.date()) <= 98
        assert resident.name[1:] in given
        assert "示范" in resident.address
        number = parse_identity_number(
            VAULT.decrypt(str(resident.id_number_encrypted), ID_NUMBER_PURPOSE), NOW.date()
        )
        assert number is not None
        assert number.number[:6] == "430121"
        assert number.number[14] == "9"
        assert (number.birth_date, number.gender) == (resident.birth_date, resident.gender)
        if resident.phone_encrypted is not None:
            phone = VAULT.decrypt(resident.phone_encrypted, PHONE_PURPOSE)
            assert phone.startswith("199000")
            assert normalise_phone(phone) == phone
    assert len({r.id_number_lookup for r in made.residents}) == len(made.residents)
    assert any(r.phone_encrypted is None for r in made.residents)
    assert any(r.conditions for r in made.residents)
    assert any(r.allergies for r in made.residents)
    assert {c.resident_id for c in made.contacts} == {r.id for r in made.residents}


def test_the_county_has_its_13_towns_and_5_streets() -> None:
    codes = {area["code"]: area["name_zh"] for area in national_areas()}
    assert codes["43"] == "湖南省"
    assert codes["4301"] == "长沙市"
    assert codes["430121004"] == "\u3bbe梨街道"
    below = [code for code in codes if len(code) == 9]
    assert len(below) == 18
    assert sum(code[6] == "0" for code in below) == 5
    assert {town.code for town in towns(SEED)} == set(below)
    assert all(village["code"][9] == "9" for village in data("villages.json")["villages"])


def test_every_day_has_care_workers_from_six_to_ten_and_every_item_somebody() -> None:
    """Two care workers at least in each of the two day shifts, in every town."""
    by_town: dict[str, list[Any]] = {}
    for member in members(SEED, towns(SEED), 1):
        by_town.setdefault(member.town.code, []).append(member)
    for team in by_town.values():
        for offset in range(14):
            day = date(2026, 11, 22) + timedelta(days=offset)
            for start in (6, 14):
                working = [m for m in team if (h := hours_of(m, day)) and h[0].hour == start]
                professions = Counter(m.post.profession for m in working)
                assert professions["care_worker"] >= 2
    for item in seed_items():
        able = [
            m
            for m in by_town[SHOWCASE_TOWN]
            if item.required_skill in m.post.skills and set(item.required_licences) <= set(m.post.licences)
        ]
        assert len(able) >= item.caregivers_required, item.code


def test_skills_and_licences_are_called_by_one_name() -> None:
    named = json.loads((files("services.caregivers") / "data" / "skills.json").read_text("utf-8"))
    professions = data("teams.json")["professions"]
    assert {item.required_skill for item in seed_items()} <= named["skills"].keys()
    assert {kind for item in seed_items() for kind in item.required_licences} <= named["licences"].keys()
    for name, post in professions.items():
        assert post.get("profession", name) in named["professions"]
        assert set(post["skills"]) <= named["skills"].keys()
        assert set(post["licences"]) <= named["licences"].keys()


def test_terminal_passwords_come_again_from_the_file(tmp_path: Path) -> None:
    first = demo_secrets.load_or_make(tmp_path)
    again = demo_secrets.load_or_make(tmp_path)
    terminal_id = uuid4()
    assert first == again == demo_secrets.load(tmp_path)
    assert first.terminal_password(terminal_id) == again.terminal_password(terminal_id)
    assert first.terminal_password(terminal_id) != first.terminal_password(uuid4())
    assert set(first.passwords) == STAFF_ROLES
    assert len(set(first.passwords.values())) == len(STAFF_ROLES)
    file = tmp_path / demo_secrets.FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("{ damaged")
    assert demo_secrets.load(tmp_path) is None
    assert demo_secrets.load_or_make(tmp_path) != first


async def test_production_refuses_the_demo(tmp_path: Path) -> None:
    key = "A" * 43 + "="
    settings = Settings(
        _env_file=None,
        mode="production",
        token_secret="x" * 32,
        field_key=key,
        lookup_key=key,
        database_url="postgresql://nowhere.invalid/x",
        data_dir=tmp_path,
    )
    with pytest.raises(DemoRefused, match="production"):
        await load(settings)
    assert demo_secrets.load(tmp_path) is None


@pytest.fixture(scope="module")
def empty(stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a migrated database of its own on the tests' stack, and of a data directory of its own."""
    name = f"demo_{uuid4().hex[:8]}"
    asyncio.run(_run(stack.postgres.url, f"CREATE DATABASE {name}"))
    url = stack.postgres.url_of(name)
    migrate(url)
    yield stack.settings.model_copy(update={"database_url": url, "data_dir": tmp_path_factory.mktemp("demo")})
    asyncio.run(_run(stack.postgres.url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def county(empty: Settings) -> Settings:
    """The same, with the demo county loaded (after a load that was killed half-way)."""
    before = asyncio.run(_digest(empty))  # what every installation has: profiles and the like
    asyncio.run(_die_while_loading(empty))
    assert asyncio.run(_digest(empty)) == before
    report = asyncio.run(load(empty))
    assert report.loaded["residents"] == 360
    return empty


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _die_while_loading(settings: Settings) -> None:
    """A load whose connection ends in the middle."""

    class Killed(Exception):
        pass

    def die(step: str) -> None:
        if step == "storing accounts":
            raise Killed

    with pytest.raises(Killed):
        await load(settings, say=die)


async def _digest(settings: Settings) -> dict[str, str]:
    """A checksum of every table that has rows."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        tables = [
            row["tablename"]
            for row in await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
        ]
        digests = {
            table: await connection.fetchval(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"  # noqa: S608  names from the catalogue
            )
            for table in tables
        }
        return {table: digest for table, digest in digests.items() if digest is not None}
    finally:
        await connection.close()


async def test_a_second_load_changes_nothing(county: Settings) -> None:
    before = await _digest(county)
    report = await load(county)
    assert not report.changed
    assert await _digest(county) == before
    assert summary(report, DEFAULT_SEED)[-1] == "未作任何更改。 Nothing was changed."
    other = await load(county, seed=7, scale=2)
    assert not other.changed
    assert not other.same_seed


async def test_two_loads_at_once_have_one_effect(stack: EmbeddedStack, county: Settings) -> None:
    before = await _digest(county)
    await asyncio.gather(load(county), load(county))
    assert await _digest(county) == before


async def test_a_later_load_prolongs_the_roster(county: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class NextWeek(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(days=7)

    monkeypatch.setattr(ops.demo.load, "Database", lambda url, pool_size: Database(url, pool_size, NextWeek()))
    report = await load(county)
    assert report.prolonged_shifts > 252 * 7 * 0.5
    assert (await load(county)).prolonged_shifts == 0


async def test_every_role_has_accounts_and_every_centre_its_desk(county: Settings) -> None:
    connection = await asyncpg.connect(county.database_url)
    try:
        rows = await connection.fetch("SELECT role, area_code, centre_id, password_hash FROM account")
        bound, residents = await connection.fetchrow(
            "SELECT count(DISTINCT resident_id), (SELECT count(*) FROM resident) FROM terminal"
        )
        kinds = await connection.fetchval("SELECT count(DISTINCT kind) FROM terminal WHERE status = 'bound'")
        expired = await connection.fetchval("SELECT count(*) FROM credential WHERE valid_until < now()")
        plain_text = await connection.fetchval(
            "SELECT count(*) FROM resident WHERE phone_encrypted LIKE '%199000%'"
        )
    finally:
        await connection.close()
    by_role = Counter(row["role"] for row in rows)
    assert set(by_role) == set(Role) - {Role.TERMINAL, Role.SYSTEM}
    for role, showcase in ((Role.DISPATCHER, 2), (Role.CENTRE_MANAGER, 1)):
        desks = Counter(row["area_code"] for row in rows if row["role"] == role and row["centre_id"])
        assert desks.pop(SHOWCASE_TOWN) == showcase
        assert len(desks) == 17
        assert set(desks.values()) == {1}
    hashes = {row["password_hash"] for row in rows if row["role"] in STAFF_ROLES}
    assert len(hashes) == len(STAFF_ROLES)  # one slow hash a role
    assert kinds == 8
    assert 0.4 < bound / residents < 0.6
    assert expired == 1
    assert plain_text == 0


async def test_everybody_of_the_staff_has_an_invented_number_of_his_own(county: Settings) -> None:
    vault = vault_from(county)
    connection = await asyncpg.connect(county.database_url)
    try:
        rows = await connection.fetch(
            "SELECT a.role, s.phone_encrypted FROM account a LEFT JOIN staff_phone s ON s.account_id = a.id"
            " WHERE a.role <> ALL ($1)",
            [Role.RESIDENT, Role.FAMILY],
        )
        sealed = await connection.fetch("SELECT phone_encrypted FROM resident WHERE phone_encrypted IS NOT NULL")
    finally:
        await connection.close()
    numbers = [vault.decrypt(row["phone_encrypted"], STAFF_PURPOSE) for row in rows]
    assert all(number.startswith("199000") and normalise_phone(number) == number for number in numbers)
    homes = {vault.decrypt(row["phone_encrypted"], PHONE_PURPOSE) for row in sealed}
    assert len({*numbers, *homes}) == len(numbers) + len(homes)


async def test_two_dispatchers_share_day_and_night_and_change_over_every_week(county: Settings) -> None:
    connection = await asyncpg.connect(county.database_url)
    try:
        pattern = json.loads(await connection.fetchval("SELECT pattern FROM duty_rota WHERE role = 'dispatcher'"))
        rows = await connection.fetch("SELECT login, id FROM account WHERE login LIKE 'dispatcher-guoyuan%'")
    finally:
        await connection.close()
    ids = {row["login"]: [str(row["id"])] for row in rows}
    first, second = ids["dispatcher-guoyuan"], ids["dispatcher-guoyuan-2"]
    assert [shift["turns"] for shift in pattern["shifts"]] == [[first, second], [second, first]]


TABLES: dict[str, Transitions[Any]] = {
    "order": ORDER,
    "offer": OFFER,
    "visit": VISIT,
    "settlement": SETTLEMENT,
    "alert": ALERT,
}
ROWS = {"order": "service_order", "offer": "offer", "visit": "visit", "settlement": "settlement", "alert": "alert"}


async def test_the_past_follows_the_transition_tables(county: Settings) -> None:
    """Every history is a walk through its table, ends at the row's status and counts its versions."""
    connection = await asyncpg.connect(county.database_url)
    try:
        changes = await connection.fetch("SELECT * FROM status_change ORDER BY at, id")
        steps: dict[tuple[str, UUID], list[Any]] = {}
        for change in changes:
            steps.setdefault((change["entity"], change["entity_id"]), []).append(change)
        assert {entity for entity, _ in steps} == set(TABLES)
        for entity, table in ROWS.items():
            rows = await connection.fetch(f"SELECT id, status, version FROM {table}")  # noqa: S608
            assert len(rows) > 10
            for row in rows:
                walk = in_order(steps[entity, row["id"]])
                assert walk[0]["from_status"] is None
                for before, after in pairwise(walk):
                    assert before["to_status"] == after["from_status"]
                    assert before["at"] <= after["at"]
                    assert TABLES[entity].allows(after["from_status"], after["to_status"])
                assert (walk[-1]["to_status"], len(walk)) == (row["status"], row["version"])
    finally:
        await connection.close()


def in_order(changes: list[Any]) -> list[Any]:
    """Steps of one row, linked by their statuses (several may carry the same moment)."""
    walk = [next(change for change in changes if change["from_status"] is None)]
    rest = [change for change in changes if change["from_status"] is not None]
    while rest:
        following = next(c for c in rest if c["from_status"] == walk[-1]["to_status"])
        rest.remove(following)
        walk.append(following)
    return walk


PROBLEMS = {
    "bills that do not add up": """
        SELECT s.id FROM settlement s JOIN settlement_line l ON l.settlement_id = s.id
        GROUP BY s.id HAVING sum(l.amount_fen) <> s.total_fen OR bool_or(l.quantity * l.unit_fen <> l.amount_fen)
    """,
    "completed orders without a bill": """
        SELECT o.id FROM service_order o LEFT JOIN settlement s ON s.order_id = o.id
        WHERE (o.status = 'completed') <> (s.id IS NOT NULL)
    """,
    "bills that should be held": """
        SELECT s.id FROM settlement s JOIN visit v ON v.order_id = s.order_id
        WHERE (s.status = 'held') <> (v.status = 'flagged')
    """,
    "visits outside a shift": """
        SELECT v.id FROM visit v WHERE NOT EXISTS (SELECT FROM shift s WHERE s.caregiver_id = v.caregiver_id
            AND s.starts_at <= v.starts_at AND v.ends_at <= s.ends_at)
    """,
    "visits by people who may not": """
        SELECT v.id FROM visit v JOIN service_order o ON o.id = v.order_id
        JOIN caregiver c ON c.id = v.caregiver_id
        WHERE NOT o.skills <@ c.skills OR o.centre_id <> c.centre_id
           OR NOT o.licences <@ ARRAY(SELECT k.kind FROM credential k
              WHERE k.caregiver_id = c.id AND k.valid_until > v.ends_at)
           OR o.practice_years > 0 AND (c.practice_since IS NULL
              OR c.practice_since + make_interval(years => o.practice_years) > v.starts_at)
    """,
    "home nursing without consent or assessment": """
        SELECT o.id FROM service_order o WHERE 'nurse_licence' = ANY(o.licences) AND NOT (
            EXISTS (SELECT FROM consent c WHERE c.resident_id = o.resident_id AND c.purpose = 'home_nursing'
                AND c.scope = '' AND c.given_at < o.placed_at)
            AND EXISTS (SELECT FROM first_assessment f WHERE f.resident_id = o.resident_id AND f.is_suitable
                AND 'nursing' = ANY(f.covers) AND f.assessed_on < o.placed_at AND f.valid_until > o.window_end))
    """,
    "disabled residents without a level": """
        SELECT r.id FROM resident r WHERE '失能' = ANY(r.categories) AND NOT EXISTS (
            SELECT FROM ability_assessment a WHERE a.resident_id = r.id AND a.level >= 2 AND a.valid_until > now())
    """,
    "visits outside the window": """
        SELECT v.id FROM visit v JOIN service_order o ON o.id = v.order_id
        WHERE v.starts_at < o.window_start OR v.ends_at > o.window_end
    """,
    "things that have not happened yet": """
        SELECT id FROM visit WHERE greatest(en_route_at, check_in_at, check_out_at) > now()
        UNION ALL SELECT id FROM rating WHERE rated_at > now()
        UNION ALL SELECT id FROM status_change WHERE at > now()
        UNION ALL SELECT terminal_id FROM reading WHERE measured_at > now()
    """,
    "open orders in the past": """
        SELECT id FROM service_order WHERE status IN ('placed', 'offered', 'assigned') AND window_start < now()
    """,
    "orders by strangers": """
        SELECT o.id FROM service_order o JOIN account a ON a.id = o.placed_by
        WHERE NOT starts_with(o.area_code, a.area_code) OR a.role IN ('resident', 'family') AND NOT EXISTS (
            SELECT FROM care_relationship c WHERE c.account_id = a.id AND c.resident_id = o.resident_id)
    """,
    "readings in no month": "SELECT terminal_id FROM reading_other",
    "events about the past": "SELECT event_id FROM outbox",
}


@pytest.mark.parametrize("problem", PROBLEMS)
async def test_the_past_agrees_with_itself(county: Settings, problem: str) -> None:
    connection = await asyncpg.connect(county.database_url)
    try:
        assert await connection.fetch(PROBLEMS[problem]) == []
    finally:
        await connection.close()


async def test_every_centre_has_open_work(county: Settings) -> None:
    connection = await asyncpg.connect(county.database_url)
    try:
        found = await connection.fetch(
            "SELECT centre_id, count(*) FROM service_order WHERE status = 'placed' GROUP BY 1"
        )
        familiar = await connection.fetchval(
            "SELECT max(n) FROM (SELECT count(*) n FROM visit GROUP BY caregiver_id, resident_id) v"
        )
        seen = await connection.fetchval("SELECT count(DISTINCT resident_id) FROM reading")
    finally:
        await connection.close()
    assert len(found) == 18
    assert all(row["count"] >= 2 for row in found)
    assert familiar >= 2
    assert seen == 18


async def test_credentials_are_what_a_script_needs(county: Settings) -> None:
    document = json.loads(json.dumps(await describe(county)))
    assert set(document) == {"api", "mqtt", "users", "terminals", "provisioning"}
    assert set(document["mqtt"]) == {"host", "port"}
    users = document["users"]
    assert {user["role"] for user in users} == set(Role) - {Role.TERMINAL, Role.SYSTEM}
    database = Database(str(county.database_url), 1)
    try:
        for user in users:
            proof = "code" if user["role"] in ("resident", "family") else "password"
            keys = {"role", "login", proof, "access_token", "area_code", "centre_id", "person_id"}
            assert set(user) == keys
            actor = await authenticate(database, county, user["access_token"], SystemClock())
            assert (actor.role, actor.area_code) == (user["role"], user["area_code"])
    finally:
        await database.close()
    first = {user["role"]: user for user in reversed(users)}
    assert {u["area_code"] for u in users if u["role"] == "dispatcher"} == {SHOWCASE_TOWN, "430121110"}
    assert first["dispatcher"]["centre_id"] == first["caregiver"]["centre_id"]
    home = [t for t in document["terminals"] if t["resident_id"] == first["resident"]["person_id"]]
    assert len({terminal["kind"] for terminal in home}) == 3
    assert all(t["centre_id"] == first["dispatcher"]["centre_id"] for t in home)
    assert len({terminal["kind"] for terminal in document["terminals"]}) >= 3


async def test_credentials_list_what_there_is(county: Settings) -> None:
    """The showcase pendant has gone back into stock, somebody's login has changed: the rest is shown as before."""
    before = await describe(county)
    connection = await asyncpg.connect(county.database_url)
    pendant = before["terminals"][0]["id"]
    try:
        await connection.execute(
            "UPDATE terminal SET resident_id = NULL, status = 'stock' WHERE id = $1", UUID(pendant)
        )
        after = await describe(county)
        assert [user["login"] for user in after["users"]] == [user["login"] for user in before["users"]]
        assert after["terminals"][0]["resident_id"] == before["terminals"][0]["resident_id"]
        assert len(after["terminals"]) == len(before["terminals"])
        assert pendant not in {terminal["id"] for terminal in after["terminals"]}
        await connection.execute("UPDATE account SET login = 'renamed' WHERE login = 'manager-guoyuan'")
        assert "centre_manager" not in {user["role"] for user in (await describe(county))["users"]}
    finally:
        await connection.execute("UPDATE account SET login = 'manager-guoyuan' WHERE login = 'renamed'")
        await connection.execute(
            "UPDATE terminal SET resident_id = $2, status = 'bound' WHERE id = $1",
            UUID(pendant),
            UUID(before["terminals"][0]["resident_id"]),
        )
        await connection.close()


async def test_demo_logins_and_codes_work(county: Settings) -> None:
    document = await describe(county)
    connection = await asyncpg.connect(county.database_url)
    try:
        for user in document["users"]:
            if "password" in user:
                stored = await connection.fetchval(
                    "SELECT password_hash FROM account WHERE login = $1", user["login"]
                )
                assert await verify_password(stored, user["password"])
    finally:
        await connection.close()
    resident = document["users"][0]
    database = Database(str(county.database_url), 1)
    redis = Redis.from_url(str(county.redis_url), decode_responses=True)
    desk = _Desk(county, database, redis)
    try:
        signed_in = await sign_in_with_code(desk, resident["login"], resident["code"])
        assert signed_in.role is Role.RESIDENT
    finally:
        await redis.aclose()
        await database.close()


class _Desk:
    """What signing in asks for."""

    def __init__(self, settings: Settings, database: Database, redis: Redis) -> None:
        self.settings, self.database, self.redis = settings, database, redis
        self.vault, self.clock = vault_from(settings), SystemClock()


async def test_terminals_can_log_in_and_their_samples_are_good_messages(county: Settings) -> None:
    document = await describe(county)
    connection = await asyncpg.connect(county.database_url)
    now = datetime.now(UTC)
    try:
        for terminal in document["terminals"]:
            stored = await connection.fetchval(
                "SELECT password_hash FROM terminal WHERE id = $1", UUID(terminal["id"])
            )
            assert verify_terminal_password(terminal["password"], stored)
            assert set(terminal["topics"]) == {"alarm", "vitals", "status", "receipt", "command"}
            alarm = decode_alarm(json.dumps(terminal["samples"]["alarm"]).encode(), now)
            assert alarm.kind is not AlarmKind.UNKNOWN
            assert (alarm.time_source, alarm.marks) == ("terminal", ())
            vitals = decode_vitals(json.dumps(terminal["samples"]["vitals"]).encode())
            assert vitals.readings
            assert all(quality_of(r.kind, r.value) is Quality.GOOD for r in vitals.readings)
    finally:
        await connection.close()


def test_the_simulator_gets_as_many_terminals_as_it_asks_for(county: Settings) -> None:
    assert len(terminal_credentials(county, 5)) == 5
    everyone = terminal_credentials(county, 10_000)
    assert len({terminal["id"] for terminal in everyone}) == len(everyone) > 200


async def test_lost_logins_are_made_again(county: Settings) -> None:
    (county.data_dir / demo_secrets.FILE_NAME).unlink()
    with pytest.raises(DemoRefused, match="demo load"):
        await describe(county)
    report = await load(county)
    assert report.renewed_passwords
    await test_demo_logins_and_codes_work(county)
    await test_terminals_can_log_in_and_their_samples_are_good_messages(county)


async def test_what_is_in_stock_can_fetch_its_credential_once(county: Settings) -> None:
    new = (await describe(county))["provisioning"]
    assert new["serials"]
    database = Database(str(county.database_url), 2)
    redis = Redis.from_url(str(county.redis_url), decode_responses=True)
    request = ProvisionRequest(
        profile_key=new["profile_key"], profile_secret=new["profile_secret"], serial=new["serials"][0]
    )
    try:
        desk = _Desk(county, database, redis)
        given = await provision_itself(desk, request, None)
        with pytest.raises(AlreadyProvisioned):
            await provision_itself(desk, request, None)
    finally:
        await redis.aclose()
        await database.close()
    assert given.password
    assert new["serials"][0] not in (await describe(county))["provisioning"]["serials"]
