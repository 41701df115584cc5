"""Making accounts. Callers: the command line, the demo county, and later the console."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.core.actor import STAFF_ROLES, Role
from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import InvalidInput
from services.identity.errors import LoginTaken
from services.identity.models import Account
from services.identity.passwords import check_strength, hash_password
from services.identity.scope import HOUSEHOLD_ROLES
from services.residents.identity_numbers import normalise_phone

PHONE_PURPOSE = "account.phone"
"""What the vault binds an account's number to, sealed and looked up."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What every account has. ``person_id`` is the resident or caregiver behind it, if there is one."""

    role: Role
    display_name: str
    area_code: str
    person_id: UUID | None = None
    centre_id: UUID | None = None
    is_demo: bool = False


async def create_staff_account(work: Work, new: NewAccount, login: str, password: str) -> Account:
    """An account that signs in with a password; ``LoginTaken`` or ``InvalidInput``."""
    if new.role not in STAFF_ROLES:
        raise InvalidInput(f"the role {new.role} does not sign in with a password", field="role")
    name = login.strip().casefold()
    if not name or len(name) > 64:
        raise InvalidInput("a login has 1 to 64 characters", field="login")
    check_strength(password)
    account = _account(work, new)
    account.login, account.password_hash = name, await hash_password(password)
    return await _store(work, account)


async def create_phone_account(work: Work, vault: Vault, new: NewAccount, phone: str) -> Account:
    """An account that signs in with one-time codes; ``LoginTaken`` or ``InvalidInput``."""
    if new.role not in HOUSEHOLD_ROLES:
        raise InvalidInput(f"the role {new.role} does not sign in with a code", field="role")
    number = normalise_phone(phone)
    if number is None:
        raise InvalidInput("not a mobile number", field="phone")
    account = _account(work, new)
    account.phone_lookup = vault.lookup(number, PHONE_PURPOSE)
    account.phone_encrypted = vault.encrypt(number, PHONE_PURPOSE)
    return await _store(work, account)


def _account(work: Work, new: NewAccount) -> Account:
    return Account(
        role=new.role,
        display_name=new.display_name,
        area_code=new.area_code,
        person_id=new.person_id,
        centre_id=new.centre_id,
        is_demo=new.is_demo,
        created_at=work.now,
    )


async def _store(work: Work, account: Account) -> Account:
    try:
        async with work.session.begin_nested():
            work.session.add(account)
    except IntegrityError as error:
        if "account_login_key" in str(error.orig) or "account_phone_lookup_key" in str(error.orig):
            raise LoginTaken from error
        raise
    return account
