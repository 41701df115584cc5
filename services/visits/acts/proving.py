"""A picture comes in: with consent, told by its content, without its metadata, sealed."""

import hashlib
from uuid import UUID

from services.core.crypto import Vault
from services.core.database import Work
from services.core.errors import DomainError
from services.visits.acts.applying import announce_proof
from services.visits.acts.scene import open_scene
from services.visits.proofs.images import clean
from services.visits.proofs.models import ProofNotice, ProofPublic
from services.visits.proofs.service import PURPOSE, proof_public


class ProofDiffers(DomainError):
    status = 409
    code = "proof_differs"
    title_zh = "同一编号已保存了另一张图片"
    title_en = "Another picture stands under this id already"


async def keep_proof(work: Work, vault: Vault, visit_id: UUID, notice: ProofNotice, content: bytes) -> ProofPublic:
    """Take a picture in. The same again is the same; raises ``ProofDiffers`` for another one under its id.

    Raises ``NotFound``, ``NoPhotoConsent``, ``NotAPicture``, ``PictureTooLarge``. Work done without network may
    be proved later, whatever has become of the visit.
    """
    scene = await open_scene(work, visit_id, vault)
    media_type, picture = clean(content)
    proof = await announce_proof(scene, notice)
    await work.session.flush()
    if proof.visit_id != visit_id or proof.kind is not notice.kind:
        raise ProofDiffers
    digest = hashlib.sha256(picture).hexdigest()
    if proof.sha256 is not None:
        if proof.sha256 != digest:
            raise ProofDiffers
        return proof_public(proof)
    proof.media_type, proof.size, proof.sha256 = media_type, len(picture), digest
    proof.sealed = vault.seal(picture, f"{PURPOSE}:{proof.id}")
    proof.received_at = work.now
    proof.version += 1
    await work.session.flush()
    return proof_public(proof)
