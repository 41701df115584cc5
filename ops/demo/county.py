"""The whole demo county as rows, ready to be stored; what is random about it comes from the seed."""

from dataclasses import dataclass
from datetime import datetime

from ops.demo.areas import Town, towns
from ops.demo.devices import Devices, devices
from ops.demo.ids import Seed
from ops.demo.institutions import institution_of
from ops.demo.people import People, people
from ops.demo.secrets import DemoSecrets
from ops.demo.staff import Staff, staff, village_doctors
from services.core.crypto import Vault
from services.identity.passwords import hash_now
from services.terminals.credentials import hash_password
from services.terminals.states import TerminalStatus


@dataclass(frozen=True, slots=True)
class County:
    """Everything that does not depend on what the database holds."""

    seed: Seed
    scale: int
    towns: list[Town]
    people: People
    staff: Staff
    devices: Devices


def build(seed: Seed, scale: int, vault: Vault, secrets: DemoSecrets, now: datetime) -> County:
    """Invent the county. Takes about 2 s of one core for each 1 000 residents."""
    county = towns(seed)
    residents = people(seed, county, scale, vault, now)
    workers = staff(seed, county, scale, vault, now)
    for caregiver in workers.caregivers:
        caregiver.institution_id = institution_of(seed, caregiver.profession)
    residents.relationships.extend(village_doctors(seed, residents.residents, workers.accounts, now))
    terminals = devices(seed, county, residents.residents, now)
    hashes = role_hashes(secrets)
    for account in workers.accounts:
        account.password_hash = hashes[account.role]
    for terminal in terminals.terminals:
        if terminal.status is TerminalStatus.STOCK:
            continue
        terminal.password_hash = hash_password(secrets.terminal_password(terminal.id))
    return County(seed, scale, county, residents, workers, terminals)


def role_hashes(secrets: DemoSecrets) -> dict[str, str]:
    """One slow hash a role: accounts of the same role share password and hash."""
    return {role: hash_now(password) for role, password in secrets.passwords.items()}
