"""From a stored notification to a message with its text and number, opened at the moment of sending only."""

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag

from services.core.crypto import Vault
from services.core.database import Work
from services.identity.accounts import PHONE_PURPOSE as ACCOUNT_PURPOSE
from services.notifications import repository
from services.notifications.models import Notification, NotificationAttempt
from services.notifications.repository import Person
from services.notifications.senders.contract import Message, Phone, SendFailed
from services.notifications.texts import Facts, fields_of, render
from services.residents.service import CONTACT_PHONE_PURPOSE as CONTACT_PURPOSE

STAFF_PURPOSE = "staff.phone"
"""What the vault binds a member of staff's number to."""


async def facts_of(work: Work, rows: Sequence[Notification], console_url: str, relation: str = "") -> list[Facts]:
    """What the texts of some notifications may show, in their order."""
    towns, centres, by_town = await repository.places_of(work, rows)
    facts = []
    for row in rows:
        town = towns.get(row.area_code[:9])
        centre = centres.get(row.centre_id) if row.centre_id else by_town.get(row.area_code[:9])
        facts.append(
            Facts(
                template=row.template,
                parameters=row.parameters,
                alert_id=row.alert_id,
                town={"zh": town.name_zh, "en": town.name_en} if town else {"zh": "辖区内", "en": "your area"},
                centre={"zh": centre.name_zh, "en": centre.name_en}
                if centre
                else {"zh": "服务中心", "en": "The centre"},
                centre_phone=centre.phone if centre else "",
                relation=relation,
                console_url=console_url,
            )
        )
    return facts


async def message_for(
    work: Work, vault: Vault | None, console_url: str, attempt: NotificationAttempt, phone: Phone
) -> Message:
    """The message of an attempt. ``SendFailed``, for good, when there is nobody or no number to send it to."""
    row = await repository.notification_by_id(work, attempt.notification_id)
    person = await repository.person_of(work, row)
    if person.is_gone:
        raise SendFailed("recipient_gone", is_transient=False)
    is_family = row.contact_id is not None
    facts = (await facts_of(work, [row], "" if is_family else console_url, person.relation))[0]
    return Message(
        key=attempt.id,
        channel=attempt.channel,
        template=row.template,
        text=render(facts, "zh"),
        fields=fields_of(facts, "zh"),
        account_id=row.account_id,
        contact_id=row.contact_id,
        is_life_safety=row.is_life_safety,
        at=work.now,
        phone=_number(vault, person, phone),
    )


def _number(vault: Vault | None, person: Person, phone: Phone) -> str | None:
    if phone is Phone.UNUSED:
        return None
    sealed, purpose = next(
        (
            (value, purpose)
            for value, purpose in (
                (person.staff_phone, STAFF_PURPOSE),
                (person.account_phone, ACCOUNT_PURPOSE),
                (person.contact_phone, CONTACT_PURPOSE),
            )
            if value is not None
        ),
        (None, ""),
    )
    if sealed is not None and vault is not None:
        try:
            return vault.decrypt(sealed, purpose)
        except (InvalidTag, KeyError, ValueError) as error:
            if phone is Phone.NEEDED:
                raise SendFailed("number_unreadable", is_transient=False) from error
            return None
    if phone is Phone.NEEDED:
        raise SendFailed("no_number" if vault is not None else "no_key", is_transient=False)
    return None
