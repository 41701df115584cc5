"""What is printed on a door card: which card, which edition, and our signature. Pure."""

import hmac
import re
from typing import Final, NamedTuple
from uuid import UUID

from services.core.crypto import Vault

PURPOSE: Final = "resident.door_card"
"""What the signature is bound to: it opens a check-in and nothing else."""
_SIGNED = 32
_FORM = re.compile(r"GY1\.([0-9a-f]{32})\.([0-9]{1,6})\.([0-9a-f]{32})")


class Told(NamedTuple):
    """What a card says that carries our signature."""

    card_id: UUID
    edition: int


def token_of(vault: Vault, card_id: UUID, edition: int) -> str:
    """``GY1.<card>.<edition>.<signature>``: neither a name, an address nor the resident's key."""
    return f"GY1.{card_id.hex}.{edition}.{_sign(vault, card_id.hex, edition)}"


def read_token(vault: Vault, token: str) -> Told | None:
    """What the card says, or ``None`` for what is not ours."""
    found = _FORM.fullmatch(token.strip())
    if found is None:
        return None
    card, edition, signature = found[1], int(found[2]), found[3]
    if not hmac.compare_digest(signature, _sign(vault, card, edition)):
        return None
    return Told(UUID(hex=card), edition)


def _sign(vault: Vault, card: str, edition: int) -> str:
    """128 bits of the keyed hash."""
    return vault.lookup(f"{card}.{edition}", PURPOSE)[:_SIGNED]
