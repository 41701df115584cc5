"""The card at the door: printed for the household, shown to the caregiver's phone, replaced when it is lost."""

import io
from uuid import UUID

import segno

from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import NotFound
from services.core.ids import new_id
from services.core.versions import expect_version
from services.residents.models import Resident
from services.residents.service import resident_in_reach
from services.visits.cards import repository
from services.visits.cards.models import DoorCard, DoorCardPublic
from services.visits.cards.tokens import read_token, token_of
from services.visits.verification import CardCheck


async def check_card(work: Work, vault: Vault | None, resident_id: UUID, token: str) -> CardCheck:
    """What a card proves at this resident's door. Without our keys nothing is ours."""
    told = None if vault is None else read_token(vault, token)
    card = await repository.card_of(work, resident_id)
    if told is None or card is None or told.card_id != card.id or told.edition > card.edition:
        return CardCheck.WRONG
    return CardCheck.GOOD if told.edition == card.edition else CardCheck.REPLACED


async def print_card(work: Work, vault: Vault, resident_id: UUID) -> bytes:
    """The card in force as an SVG to print; the first print issues it. Raises ``NotFound``."""
    card = await _card(work, await resident_in_reach(work, resident_id))
    code = segno.make(token_of(vault, card.id, card.edition), error="q", micro=False)
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", scale=8, border=4, xmldecl=False, title="果园 上门签到码")
    return drawn.getvalue()


async def replace_card(work: Work, resident_id: UUID, reason: str, if_match: int | None) -> DoorCardPublic:
    """Void the card in force; what is printed from now on is the next edition. Raises ``NotFound``."""
    resident = await resident_in_reach(work, resident_id)
    await _card(work, resident)
    card = await repository.card_of(work, resident_id, lock=True)
    if card is None:
        raise NotFound
    expect_version(card, if_match)
    card.edition, card.reason = card.edition + 1, reason
    card.issued_at, card.issued_by = work.now, work.actor.account_id
    card.version += 1
    await work.session.flush()
    return DoorCardPublic.model_validate(card)


async def _card(work: Work, resident: Resident) -> DoorCard:
    found = await repository.card_of(work, resident.id)
    if found is not None:
        return found
    fresh = DoorCard(
        id=new_id(),
        resident_id=resident.id,
        area_code=resident.area_code,
        issued_at=work.now,
        issued_by=work.actor.account_id,
    )
    await repository.add_card(work, fresh)
    stored = await repository.card_of(work, resident.id)
    if stored is None:
        raise NotFound
    return stored
