"""Who may send callbacks, and which have been answered."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from services.core.areas import level_of
from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.vendors import repository
from services.vendors.errors import CallbackExpired, CallbackRefused
from services.vendors.models import SECRET_PURPOSE, VendorCallback, VendorKey
from services.vendors.signature import TOLERANCE, is_signed, is_timely, make_secret

log = structlog.get_logger("vendors")

KEEP_ANSWERS = timedelta(days=1)
"""Far beyond the window in which a callback can be sent again."""
_NO_SECRET = make_secret()
"""Compared with where there is no key, so that the time does not tell which keys exist."""


@dataclass(frozen=True, slots=True)
class SignedCallback:
    """What a vendor's cloud sent, before anything is believed of it."""

    key_id: UUID
    message_id: str
    timestamp: str
    signature: str
    body: bytes

    @property
    def body_sha256(self) -> str:
        """By which the body is recognised."""
        return hashlib.sha256(self.body).hexdigest()


async def admit(work: Work, vault: Vault, callback: SignedCallback) -> VendorKey:
    """The key that a callback is signed with.

    Raises ``CallbackRefused`` or ``CallbackExpired``; nothing has been changed then, and the log has a line.
    """
    key = await repository.find_key(work, callback.key_id)
    secrets = [_NO_SECRET]
    if key is not None and key.is_enabled:
        secrets = [vault.decrypt(key.secret, SECRET_PURPOSE)]
        if key.old_secret is not None and key.old_until is not None and work.now < key.old_until:
            secrets.append(vault.decrypt(key.old_secret, SECRET_PURPOSE))
    good = is_signed(secrets, callback.message_id, callback.timestamp, callback.signature, callback.body)
    if key is None or not key.is_enabled or not good:
        log.warning("callback_refused", vendor_key=str(callback.key_id), bytes=len(callback.body))
        raise CallbackRefused
    if not is_timely(callback.timestamp, work.now):
        log.warning("callback_expired", vendor_key=str(key.id), vendor=key.vendor)
        raise CallbackExpired(window_seconds=int(TOLERANCE.total_seconds()))
    return key


async def answer_before(work: Work, callback: SignedCallback) -> list[dict[str, Any]] | None:
    """The answer that the same callback has had."""
    return await repository.answered(work, callback.key_id, callback.message_id, callback.body_sha256)


async def keep_answer(work: Work, key: VendorKey, callback: SignedCallback, answer: list[dict[str, Any]]) -> None:
    """Remember an answer for as long as the callback could be repeated, and forget those of before."""
    row = VendorCallback(
        vendor_key_id=key.id,
        message_id=callback.message_id,
        body_sha256=callback.body_sha256,
        area_code=key.area_code,
        received_at=work.now,
        answer=answer,
    )
    await repository.keep_answer(work, row)
    await repository.forget_callbacks(work, work.now - KEEP_ANSWERS)


async def add_key(work: Work, vault: Vault, vendor: str, area_code: str, codec: str) -> tuple[VendorKey, str]:
    """A key and its secret, which is shown this once."""
    try:
        level_of(area_code)
    except ValueError as error:
        raise InvalidInput(str(error), field="area_code") from None
    secret = make_secret()
    key = VendorKey(
        vendor=vendor,
        area_code=area_code,
        codec=codec,
        secret=vault.encrypt(secret, SECRET_PURPOSE),
        created_at=work.now,
    )
    work.session.add(key)
    return key, secret


async def rotate_key(work: Work, vault: Vault, key_id: UUID, overlap: timedelta) -> tuple[VendorKey, str]:
    """A new secret; the old one is good for ``overlap`` more. ``NotFound`` for no such key."""
    key = await _key(work, key_id)
    secret = make_secret()
    key.old_secret, key.old_until = key.secret, work.now + overlap
    key.secret, key.rotated_at = vault.encrypt(secret, SECRET_PURPOSE), work.now
    return key, secret


async def enable_key(work: Work, key_id: UUID, is_enabled: bool) -> VendorKey:
    """Let a key in, or keep it out at once. ``NotFound`` for no such key."""
    key = await _key(work, key_id)
    key.is_enabled = is_enabled
    return key


async def _key(work: Work, key_id: UUID) -> VendorKey:
    key = await repository.find_key(work, key_id)
    if key is None:
        raise NotFound
    return key
