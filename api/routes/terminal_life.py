"""What staff do with one terminal: provision, bind, suspend, retire, and its credential."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import HouseDep, IfMatch, WorkDep
from services.terminals import lifecycle
from services.terminals.provisioning import credential
from services.terminals.registry_models import BindRequest, CredentialPublic, Reason, TerminalPublic, shown

router = APIRouter(prefix="/terminals/{terminal_id}", tags=["terminals"])


@router.post(
    "/provision",
    operation_id="provision_terminal",
    summary="Give a terminal of the stock its credential by hand",
)
async def provision_terminal(
    terminal_id: UUID, work: WorkDep, house: HouseDep, if_match: IfMatch
) -> CredentialPublic:
    """The password is shown this once."""
    return credential(house.settings, *await lifecycle.provision(work, terminal_id, if_match))


@router.post("/bind", operation_id="bind_terminal", summary="Give a terminal to a resident")
async def bind_terminal(terminal_id: UUID, body: BindRequest, work: WorkDep, if_match: IfMatch) -> TerminalPublic:
    """It goes to the resident's centre; from now on what it sends is this resident's."""
    return shown(await lifecycle.bind(work, terminal_id, body, if_match))


@router.post("/unbind", operation_id="unbind_terminal", summary="Take a terminal back from its resident")
async def unbind_terminal(terminal_id: UUID, body: Reason, work: WorkDep, if_match: IfMatch) -> TerminalPublic:
    """It keeps its credential and may be given to somebody else."""
    return shown(await lifecycle.unbind(work, terminal_id, body.reason, if_match))


@router.post("/suspend", operation_id="suspend_terminal", summary="Lock a terminal out for a time")
async def suspend_terminal(terminal_id: UUID, body: Reason, work: WorkDep, if_match: IfMatch) -> TerminalPublic:
    """Its connection ends, and **nothing that it sends is heard, an SOS neither**."""
    return shown(await lifecycle.suspend(work, terminal_id, body.reason, if_match))


@router.post("/resume", operation_id="resume_terminal", summary="Put a suspended terminal back in service")
async def resume_terminal(terminal_id: UUID, work: WorkDep, if_match: IfMatch) -> TerminalPublic:
    """With the credential and the resident that it had."""
    return shown(await lifecycle.resume(work, terminal_id, if_match))


@router.post("/restock", operation_id="restock_terminal", summary="Return a terminal to stock")
async def restock_terminal(terminal_id: UUID, body: Reason, work: WorkDep, if_match: IfMatch) -> TerminalPublic:
    """Its credential ends; it may provision itself once more."""
    return shown(await lifecycle.restock(work, terminal_id, body.reason, if_match))


@router.post("/retire", operation_id="retire_terminal", summary="Take a terminal out of service for good")
async def retire_terminal(terminal_id: UUID, body: Reason, work: WorkDep, if_match: IfMatch) -> TerminalPublic:
    """Its binding and its credential end."""
    return shown(await lifecycle.retire(work, terminal_id, body.reason, if_match))


@router.post("/credential", operation_id="rotate_credential", summary="Give a terminal a new password")
async def rotate_credential(
    terminal_id: UUID, work: WorkDep, house: HouseDep, if_match: IfMatch
) -> CredentialPublic:
    """Shown this once. The old one, and the connection that uses it, end within seconds."""
    return credential(house.settings, *await lifecycle.rotate(work, terminal_id, if_match))


@router.post("/credential/revoke", operation_id="revoke_credential", summary="Withdraw a terminal's password")
async def revoke_credential(terminal_id: UUID, body: Reason, work: WorkDep, if_match: IfMatch) -> TerminalPublic:
    """Its connection ends within seconds, and it stays out until it is given a new password."""
    return shown(await lifecycle.revoke(work, terminal_id, body.reason, if_match))
