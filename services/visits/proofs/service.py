"""Proofs: kept sealed, shown to those who may, forgotten by policy. How they come in: ``acts.proving``."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final
from uuid import UUID

import msgspec

from services.audit.service import record_read
from services.core.actor import Role
from services.core.clearing import Cleared
from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import NotFound
from services.residents.service import may_read_health
from services.visits.proofs import repository
from services.visits.proofs.models import ProofPublic, VisitProof
from services.visits.repository import visit_row

PURPOSE: Final = "visit.proof"
_BATCH: Final = 100


class Keeping(msgspec.Struct, frozen=True):
    """For how many days the content of a picture is kept."""

    version: str
    source: str
    content_days: int


@lru_cache(maxsize=1)
def load_keeping() -> Keeping:
    """The file's content."""
    raw = (files("services.visits") / "data" / "retention.json").read_bytes()
    return msgspec.json.decode(raw, type=Keeping)


async def list_proofs(work: Work, visit_id: UUID) -> list[ProofPublic]:
    """What there is of a visit in reach, without the pictures; leaves a row in the access log."""
    proofs = await _readable(work, visit_id)
    await record_read(work, {proof.resident_id for proof in proofs}, "visit_proofs", ["kind", "taken_at"])
    return [proof_public(proof) for proof in proofs]


async def read_proof(work: Work, vault: Vault, visit_id: UUID, proof_id: UUID) -> tuple[str, bytes]:
    """Media type and picture; leaves a row in the access log. ``NotFound`` once its content is forgotten."""
    found = [proof for proof in await _readable(work, visit_id) if proof.client_id == proof_id]
    if not found or found[0].sealed is None or found[0].media_type is None:
        raise NotFound
    proof = found[0]
    await record_read(work, [proof.resident_id], "visit_proof", [str(proof.kind)])
    return str(proof.media_type), vault.unseal(found[0].sealed, f"{PURPOSE}:{proof.id}")


async def clear_proofs(work: Work, batch: int = _BATCH) -> list[Cleared]:
    """Forget the content of the oldest pictures whose time is over; their hash stays, against a second use."""
    keeping = load_keeping()
    old = await repository.forget(work, work.now - timedelta(days=keeping.content_days), batch)
    return [Cleared("visit_proof", len(old), old[0], old[-1], keeping.version)] if old else []


async def _readable(work: Work, visit_id: UUID) -> Sequence[VisitProof]:
    """The desk, the resident, and family who may see health: a photo shows her home, often her body."""
    row = await visit_row(work, visit_id)
    if work.actor.role is Role.FAMILY and not await may_read_health(work, row.visit.resident_id):
        raise NotFound
    return await repository.proofs_of(work, visit_id)


def proof_public(proof: VisitProof) -> ProofPublic:
    """What is told of a picture."""
    values = proof.model_dump(include=set(ProofPublic.model_fields) - {"proof_id"})
    return ProofPublic(proof_id=proof.client_id, **values)
