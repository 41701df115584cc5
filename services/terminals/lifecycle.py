"""A terminal's life: into stock, provisioned, bound, unbound, suspended, resumed, back to stock, retired.

Every verb locks the row first, moves it along its table with a line of history, and tells the centre's screens.
Where a credential ends, ``credential_ended_at`` and a notification of the database end the live connection.
"""

from datetime import datetime
from uuid import UUID

from services.centres.service import centre_in_charge, centre_in_reach, get_centre
from services.core.database import Work
from services.core.errors import IllegalTransition, InvalidInput, NotFound, VersionMismatch
from services.events import TerminalMoved
from services.residents.service import resident_in_reach
from services.terminals import queries, repository
from services.terminals.credentials import hash_password, make_password
from services.terminals.errors import NotInService, ProfileInactive, SerialTaken
from services.terminals.models import Terminal, TerminalBinding
from services.terminals.registry_models import BindRequest, TerminalCreate
from services.terminals.states import ACTIVE, TERMINAL, TerminalStatus


async def register(work: Work, new: TerminalCreate) -> Terminal:
    """Take a terminal into a centre's stock. ``SerialTaken``, ``ProfileInactive``, ``NotFound``."""
    centre = await centre_in_reach(work, new.centre_id)
    profile = await repository.find_profile(work, new.profile_id)
    if profile is None:
        raise InvalidInput("there is no such profile", field="profile_id")
    if not profile.is_active:
        raise ProfileInactive
    terminal = await repository.add_to_stock(work, new.serial, profile, centre)
    if terminal is None:
        raise SerialTaken(serial=new.serial)
    TERMINAL.begin(work, terminal)
    return terminal


async def provision(work: Work, terminal_id: UUID, if_match: int | None = None) -> tuple[Terminal, str]:
    """Give a terminal of the stock its credential by hand; the password is in the answer and nowhere else."""
    terminal = await _locked(work, terminal_id, if_match)
    return terminal, hand_out(work, terminal, "by staff")


def hand_out(work: Work, terminal: Terminal, reason: str) -> str:
    """From the stock to provisioned, with a new password. The caller holds the row's lock."""
    _only_from(terminal, TerminalStatus.PROVISIONED, TerminalStatus.STOCK)
    password = _new_password(terminal)
    _moved(work, terminal, TerminalStatus.PROVISIONED, reason)
    return password


async def bind(work: Work, terminal_id: UUID, to: BindRequest, if_match: int | None = None) -> Terminal:
    """Give a provisioned terminal to a resident: it, and its alarms, go to that resident's centre.

    ``NotFound`` for a resident, or a terminal, out of the actor's reach.
    """
    terminal = await _locked(work, terminal_id, if_match)
    resident = await resident_in_reach(work, to.resident_id)
    centre = await centre_in_charge(work, resident.area_code)
    _only_from(terminal, TerminalStatus.BOUND, TerminalStatus.PROVISIONED)
    terminal.resident_id, terminal.room = resident.id, to.room
    terminal.area_code, terminal.centre_id = resident.area_code, centre.id
    work.session.add(
        TerminalBinding(
            terminal_id=terminal.id,
            resident_id=resident.id,
            area_code=resident.area_code,
            centre_id=centre.id,
            room=to.room,
            bound_at=await _after_the_last(work, terminal.id),
            bound_by=work.actor.account_id,
        )
    )
    _moved(work, terminal, TerminalStatus.BOUND, None)
    return terminal


async def unbind(work: Work, terminal_id: UUID, reason: str, if_match: int | None = None) -> Terminal:
    """Take a terminal back; it keeps its credential and is nobody's."""
    terminal = await _locked(work, terminal_id, if_match)
    _only_from(terminal, TerminalStatus.PROVISIONED, TerminalStatus.BOUND)
    resident_id = await _end_binding(work, terminal)
    _moved(work, terminal, TerminalStatus.PROVISIONED, reason, resident_id)
    return terminal


async def suspend(work: Work, terminal_id: UUID, reason: str, if_match: int | None = None) -> Terminal:
    """Lock a terminal out for a time; it stays with its resident, and **nothing it sends is heard**."""
    terminal = await _locked(work, terminal_id, if_match)
    terminal.credential_ended_at = work.now
    _moved(work, terminal, TerminalStatus.SUSPENDED, reason)
    return terminal


async def resume(work: Work, terminal_id: UUID, if_match: int | None = None) -> Terminal:
    """Back in service with the credential it had: bound when it is somebody's, provisioned otherwise."""
    terminal = await _locked(work, terminal_id, if_match)
    target = TerminalStatus.PROVISIONED if terminal.resident_id is None else TerminalStatus.BOUND
    _only_from(terminal, target, TerminalStatus.SUSPENDED)
    _moved(work, terminal, target, "resumed")
    return terminal


async def restock(work: Work, terminal_id: UUID, reason: str, if_match: int | None = None) -> Terminal:
    """Back on the shelf without a credential: it may provision itself once more."""
    terminal = await _locked(work, terminal_id, if_match)
    _only_from(terminal, TerminalStatus.STOCK, TerminalStatus.PROVISIONED)
    _withdraw(work, terminal)
    _moved(work, terminal, TerminalStatus.STOCK, reason)
    return terminal


async def retire(work: Work, terminal_id: UUID, reason: str, if_match: int | None = None) -> Terminal:
    """Out of service for good: its binding ends, its credential is gone."""
    terminal = await _locked(work, terminal_id, if_match)
    resident_id = await _end_binding(work, terminal)
    _withdraw(work, terminal)
    _moved(work, terminal, TerminalStatus.RETIRED, reason, resident_id)
    return terminal


async def rotate(work: Work, terminal_id: UUID, if_match: int | None = None) -> tuple[Terminal, str]:
    """A new password; the old one, and the connection that uses it, end. ``NotInService``."""
    terminal = await _locked(work, terminal_id, if_match)
    if terminal.status not in ACTIVE:
        raise NotInService(current=str(terminal.status))
    _withdraw(work, terminal)
    password = _new_password(terminal)
    terminal.version += 1
    TERMINAL.note(work, terminal, terminal.status, terminal.status, "credential rotated")
    return terminal, password


async def revoke(work: Work, terminal_id: UUID, reason: str, if_match: int | None = None) -> Terminal:
    """Withdraw the credential at once; the terminal stays whose it is until ``rotate`` gives it a new one."""
    terminal = await _locked(work, terminal_id, if_match)
    if terminal.status not in ACTIVE:
        raise NotInService(current=str(terminal.status))
    _withdraw(work, terminal)
    terminal.version += 1
    TERMINAL.note(work, terminal, terminal.status, terminal.status, f"credential revoked: {reason}")
    return terminal


async def _locked(work: Work, terminal_id: UUID, if_match: int | None) -> Terminal:
    terminal = await repository.lock_terminal(work, terminal_id)
    if terminal is None:
        raise NotFound
    if if_match is not None and if_match != terminal.version:
        raise VersionMismatch(current=terminal.version)
    return terminal


def _only_from(terminal: Terminal, target: TerminalStatus, wanted: TerminalStatus) -> None:
    """A verb may be narrower than the table: a suspended terminal is resumed, not bound."""
    if terminal.status is not wanted:
        raise IllegalTransition(
            f"terminal: {terminal.status} → {target}", current=str(terminal.status), target=str(target)
        )


def _new_password(terminal: Terminal) -> str:
    password = make_password()
    terminal.password_hash = hash_password(password)
    return password


def _withdraw(work: Work, terminal: Terminal) -> None:
    terminal.password_hash = None
    terminal.credential_ended_at = work.now


async def _end_binding(work: Work, terminal: Terminal) -> UUID | None:
    """Close the live binding and bring the terminal home to its centre; gives the resident it was with."""
    binding = await queries.live_binding(work, terminal.id)
    if binding is not None:
        binding.unbound_at = max(work.now, binding.bound_at)
        binding.unbound_by = work.actor.account_id
    resident_id, terminal.resident_id, terminal.room = terminal.resident_id, None, ""
    terminal.area_code = (await get_centre(work, terminal.centre_id)).area_code
    return resident_id


async def _after_the_last(work: Work, terminal_id: UUID) -> datetime:
    """Now, or when the last binding ended: another machine's clock may be ahead of ours."""
    ended = await queries.last_unbound_at(work, terminal_id)
    return work.now if ended is None else max(work.now, ended)


def _moved(
    work: Work, terminal: Terminal, target: TerminalStatus, reason: str | None, left: UUID | None = None
) -> None:
    TERMINAL.move(work, terminal, target, reason)
    work.record(
        TerminalMoved(
            area_code=terminal.area_code,
            centre_id=terminal.centre_id,
            terminal_id=terminal.id,
            resident_id=terminal.resident_id or left,
            status=target.value,
        )
    )
