"""What proves a visit, and what was used at it: supplies, pictures, the card at the door, the whole record."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.deps import HouseDep, IfMatch, OnceDep, WorkDep
from services.core.calendar import Moment
from services.visits import record, service
from services.visits.acts.models import ActKind
from services.visits.acts.proving import keep_proof as take_proof
from services.visits.cards import service as cards
from services.visits.cards.models import DoorCardPublic, ReplaceCard
from services.visits.models import VisitPublic
from services.visits.proofs import service as proofs
from services.visits.proofs.models import ProofKind, ProofNotice, ProofPublic
from services.visits.record import VisitRecord
from services.visits.supplies.models import SupplyUse

router = APIRouter(tags=["visits"])

_PICTURES = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    }
}
_SVG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/svg+xml": {}}, "description": "To print."}}
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/*": {}}, "description": "The picture."}}


@router.post("/visits/{visit_id}/supplies", operation_id="add_visit_supply", summary="Record what was used")
async def add_supply(
    work: WorkDep, once: OnceDep, if_match: IfMatch, visit_id: UUID, said: SupplyUse
) -> VisitPublic:
    """Drugs and consumables; they stand on the bill at cost."""
    kept = await once(work, lambda: service.act(work, visit_id, ActKind.SUPPLY, said, if_match))
    return VisitPublic.model_validate(kept)


@router.get("/visits/{visit_id}/record", operation_id="get_visit_record", summary="All that hangs on a visit")
async def get_record(work: WorkDep, visit_id: UUID) -> VisitRecord:
    """Evidence, readings with their source, supplies, pictures, incidents, corrections, conflicts. Audited."""
    return await record.read_record(work, visit_id)


@router.put(
    "/visits/{visit_id}/proofs/{proof_id}",
    operation_id="keep_proof",
    summary="Send a picture",
    openapi_extra=_PICTURES,
)
async def keep_proof(
    request: Request,
    work: WorkDep,
    house: HouseDep,
    visit_id: UUID,
    proof_id: UUID,
    kind: Annotated[ProofKind, Query()] = ProofKind.PHOTO,
    taken_at: Annotated[Moment | None, Query(description="By the phone; now, when left out.")] = None,
) -> ProofPublic:
    """The body is the picture: JPEG, PNG or WebP by its content, 2 MB at most; its metadata are taken out.

    A photo takes the resident's consent; her signature confirms the service. The same again changes nothing.
    """
    told: datetime = taken_at or work.now
    notice = ProofNotice(proof_id=proof_id, kind=kind, device_at=told)
    return await take_proof(work, house.vault, visit_id, notice, await request.body())


@router.get("/visits/{visit_id}/proofs", operation_id="list_proofs", summary="List the pictures of a visit")
async def list_proofs(work: WorkDep, visit_id: UUID) -> list[ProofPublic]:
    """Without the pictures themselves. Leaves a row in the access log."""
    return await proofs.list_proofs(work, visit_id)


@router.get(
    "/visits/{visit_id}/proofs/{proof_id}",
    operation_id="read_proof",
    summary="See a picture",
    response_class=Response,
    responses=_PICTURE,
)
async def read_proof(work: WorkDep, house: HouseDep, visit_id: UUID, proof_id: UUID) -> Response:
    """Leaves a row in the access log. Not found once its time of keeping is over."""
    media_type, picture = await proofs.read_proof(work, house.vault, visit_id, proof_id)
    return Response(picture, media_type=media_type)


@router.get(
    "/residents/{resident_id}/door-card.svg",
    operation_id="print_door_card",
    summary="Print the card for the door",
    response_class=Response,
    responses=_SVG,
)
async def print_card(work: WorkDep, house: HouseDep, resident_id: UUID) -> Response:
    """A QR code that starts a visit and nothing else; nothing of the resident is in it."""
    return Response(await cards.print_card(work, house.vault, resident_id), media_type="image/svg+xml")


@router.post(
    "/residents/{resident_id}/door-card/replace",
    operation_id="replace_door_card",
    summary="Void a lost card",
)
async def replace_card(
    work: WorkDep, once: OnceDep, if_match: IfMatch, resident_id: UUID, said: ReplaceCard
) -> DoorCardPublic:
    """What is printed from now on is another edition; the old card flags a visit."""
    kept = await once(work, lambda: cards.replace_card(work, resident_id, said.reason, if_match))
    return DoorCardPublic.model_validate(kept)
