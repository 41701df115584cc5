"""News of credentials, leave, swaps, rotas and institutions, to those whom it concerns; handlers of events.

Nothing here is for life safety. A key names the news, so that a handler that runs again tells nobody twice.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from services.core.database import Work
from services.core.outbox import Event
from services.events import (
    AbsenceMoved,
    CredentialExpiring,
    InstitutionDue,
    InstitutionSuspended,
    RotaPublished,
    ShiftSwapMoved,
)
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify
from services.notifications.staffing import repository

_CHANNELS: Final = [Channel.APP]


async def warn_of_credential(work: Work, event: CredentialExpiring) -> None:
    """Caregiver and manager hear that a credential ends soon."""
    people = [
        *await repository.accounts_of_caregiver(work, event.caregiver_id),
        *await _managers(work, event.centre_id),
    ]
    words = {"credential": event.kind, "count": str(event.days)}
    await _tell(
        work, event, f"credential:{event.credential_id}:{event.days}", "credential_expiring", words, people
    )


async def tell_of_absence(work: Work, event: AbsenceMoved) -> None:
    """The manager hears what was asked for or reported, the caregiver what was decided."""
    is_decided = event.status in ("approved", "declined") and event.kind != "sick"
    people = (
        await repository.accounts_of_caregiver(work, event.caregiver_id)
        if is_decided
        else await _managers(work, event.centre_id)
    )
    key = f"absence:{event.absence_id}:{event.status}:{event.ends_at.timestamp():.0f}"
    await _tell(work, event, key, "absence", {"absence": event.kind, "answer": event.status}, people)


async def tell_of_shift_swap(work: Work, event: ShiftSwapMoved) -> None:
    """Whose turn it is hears of it: the colleague, then the manager, then both."""
    giver, taker = event.from_caregiver_id, event.to_caregiver_id
    people: list[UUID] = []
    if event.status == "agreed":
        people += await _managers(work, event.centre_id)
    if event.status not in ("requested", "withdrawn"):
        people += await repository.accounts_of_caregiver(work, giver)
    if event.status not in ("declined", "agreed"):
        people += await repository.accounts_of_caregiver(work, taker)
    key = f"shift_swap:{event.swap_id}:{event.status}"
    await _tell(work, event, key, "shift_swap", {"answer": event.status}, people)


async def tell_of_rota(work: Work, event: RotaPublished) -> None:
    """A caregiver hears that her shifts are others than before; a stretch is told once a day."""
    people = await repository.accounts_of_caregiver(work, event.caregiver_id)
    span = f"{event.starts_at.timestamp():.0f}-{event.ends_at.timestamp():.0f}"
    key = f"rota:{event.caregiver_id}:{span}:{work.now:%Y%m%d}"
    await _tell(work, event, key, "rota_changed", {}, people)


async def warn_of_institution(work: Work, event: InstitutionDue) -> None:
    """The county hears that a licence, an agreement or a review comes to its day."""
    people = await repository.officers_of(work, event.area_code)
    key = f"institution:{event.institution_id}:{event.what}:{event.due_on}:{event.days}"
    await _tell(work, event, key, "institution_due", {"due": event.what, "count": str(event.days)}, people)


async def tell_of_closed_institution(work: Work, event: InstitutionSuspended) -> None:
    """The county, and the managers of the centres that its people work at, hear that work must be moved."""
    centres = await repository.centres_served_by(work, event.institution_id)
    people = [
        *await repository.officers_of(work, event.area_code),
        *await repository.managers_of_centres(work, centres),
    ]
    key = f"institution:{event.institution_id}:{event.why}:{work.now:%Y%m%d}"
    await _tell(work, event, key, "institution_closed", {}, people)


async def _managers(work: Work, centre_id: UUID | None) -> Iterable[UUID]:
    return () if centre_id is None else await repository.managers_of_centres(work, [centre_id])


async def _tell(
    work: Work, event: Event, key: str, template: str, words: dict[str, str], people: Iterable[UUID]
) -> None:
    notice = Notice(
        key=key,
        template=template,
        area_code=event.area_code,
        centre_id=event.centre_id,
        parameters=words,
        is_life_safety=False,
    )
    await notify(work, notice, [Recipient(account_id=one) for one in people], _CHANNELS)
