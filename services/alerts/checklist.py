"""The fixed checklist with which an alert is closed. Pure."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from services.alerts.errors import ChecklistIncomplete
from services.alerts.models import AlertKind

UNKNOWN: Final = "unknown"


class Item(msgspec.Struct, frozen=True):
    """One question. ``kinds`` null: for every kind of alert but those it is not for."""

    code: str
    zh: str
    en: str
    answers: tuple[str, ...]
    kinds: frozenset[AlertKind] | None
    not_kinds: frozenset[AlertKind] = frozenset()


class _File(msgspec.Struct, frozen=True):
    version: str
    effective_date: str
    source: str
    verified: bool
    items: tuple[Item, ...]


@cache
def _read() -> _File:
    raw = (files("services.alerts") / "data" / "resolution_checklist.json").read_bytes()
    return msgspec.json.decode(raw, type=_File)


def items_for(kind: AlertKind) -> list[Item]:
    """The questions for a kind of alert, in their order."""
    items = _read().items
    return [one for one in items if (one.kinds is None or kind in one.kinds) and kind not in one.not_kinds]


def check(kind: AlertKind, answers: Mapping[str, str], note: str) -> dict[str, str]:
    """The answers in the order of the list. ``ChecklistIncomplete`` names what is missing, not known to the list,
    or answered with a word that the item does not have; an ``unknown`` needs a note that says why."""
    items = {item.code: item for item in items_for(kind)}
    missing = [code for code in items if code not in answers]
    strange = sorted(code for code in answers if code not in items)
    bad = [code for code, item in items.items() if code in answers and answers[code] not in item.answers]
    note_needed = UNKNOWN in answers.values() and not note.strip()
    if missing or strange or bad or note_needed:
        raise ChecklistIncomplete(missing=missing, unknown_items=strange, bad_answers=bad, note_needed=note_needed)
    return {code: answers[code] for code in items}
