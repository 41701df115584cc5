"""Terminals of every kind, bound to about half of the residents."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from ops.demo.areas import COUNTY, SHOWCASE_TOWN, Town
from ops.demo.ids import Seed
from services.residents.models import Resident
from services.terminals.models import Terminal, TerminalBinding, TerminalKind, default_profile_id
from services.terminals.states import TerminalStatus

FIRST_RESIDENT = (TerminalKind.PENDANT, TerminalKind.WRISTBAND, TerminalKind.BEDSIDE_MONITOR)
"""What the first resident of each town has, so that one home shows an alarm and vital signs together."""
SERIAL_PREFIX = f"DEMO-{COUNTY}-"
PROVISION_KEY = "demo-pendant"
"""Of the pendants' profile: the demo's terminals in stock can fetch their credential with it."""
_IN_STOCK = 4
_WORN_FOR = timedelta(days=90)
"""Since when the demo's terminals are with their residents: long before the readings it loads."""
_ROOMS = {
    TerminalKind.BEDSIDE_MONITOR: "卧室",
    TerminalKind.SMOKE_DETECTOR: "堂屋",
    TerminalKind.GAS_DETECTOR: "厨房",
    TerminalKind.HELP_CORD: "卫生间",
}
_LETTERS = {
    TerminalKind.PENDANT: "PD",
    TerminalKind.WRISTBAND: "WB",
    TerminalKind.BEDSIDE_MONITOR: "BM",
    TerminalKind.SMOKE_DETECTOR: "SM",
    TerminalKind.GAS_DETECTOR: "GS",
    TerminalKind.HELP_CORD: "HC",
    TerminalKind.BLOOD_PRESSURE_METER: "BP",
    TerminalKind.GLUCOMETER: "GL",
}


@dataclass(slots=True)
class Devices:
    """The rows about terminals. Passwords are put in later."""

    terminals: list[Terminal] = field(default_factory=list)
    bindings: list[TerminalBinding] = field(default_factory=list)


def devices(seed: Seed, county: list[Town], residents: list[Resident], now: datetime) -> Devices:
    """Three terminals for the first resident of a town, one for every other resident, and a few in stock.

    ``residents`` come in the order of ``ops.demo.people``: one of each town in turn.
    """
    made = Devices()
    for number, resident in enumerate(residents):
        town, place = county[number % len(county)], number // len(county)
        for kind in _kinds(town, place):
            terminal = _terminal(seed, kind, f"{town.code[6:]}-{place:04d}", resident.area_code, town.centre_id)
            terminal.resident_id = resident.id
            terminal.status = TerminalStatus.BOUND
            made.terminals.append(terminal)
            made.bindings.append(
                TerminalBinding(
                    id=seed.key("binding", terminal.serial),
                    terminal_id=terminal.id,
                    resident_id=resident.id,
                    area_code=resident.area_code,
                    centre_id=town.centre_id,
                    room=terminal.room,
                    bound_at=now - _WORN_FOR,
                )
            )
    showcase = next(town for town in county if town.code == SHOWCASE_TOWN)
    for number in range(_IN_STOCK):
        serial = f"STOCK-{number:04d}"
        on_the_shelf = _terminal(seed, TerminalKind.PENDANT, serial, SHOWCASE_TOWN, showcase.centre_id)
        on_the_shelf.status = TerminalStatus.STOCK
        made.terminals.append(on_the_shelf)
    return made


def _kinds(town: Town, place: int) -> tuple[TerminalKind, ...]:
    if place == 0:
        return FIRST_RESIDENT
    if place % 2 == 0:
        return ()
    every = list(TerminalKind)
    return (every[(place // 2 + town.index) % len(every)],)


def _terminal(seed: Seed, kind: TerminalKind, place: str, area_code: str, centre_id: UUID) -> Terminal:
    serial = f"{SERIAL_PREFIX}{_LETTERS[kind]}-{place}"
    return Terminal(
        id=seed.key("terminal", serial),
        serial=serial,
        kind=kind,
        profile_id=default_profile_id(kind),
        status=TerminalStatus.PROVISIONED,
        area_code=area_code,
        centre_id=centre_id,
        room=_ROOMS.get(kind, ""),
    )
