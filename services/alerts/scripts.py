"""The words for the call: to the resident, and to 120. Pure; the texts are data."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from services.alerts.models import AlertKind
from services.alerts.severity import VITAL_KINDS

_LIKE = {AlertKind.HELP_CORD: "sos", AlertKind.UNREADABLE_ALARM: "sos"}


@cache
def _read() -> dict[str, Any]:
    raw = (files("services.alerts") / "data" / "spoken_scripts.json").read_bytes()
    decoded: dict[str, Any] = msgspec.json.decode(raw)
    return decoded


def statement() -> dict[str, str]:
    """That the platform never replaces 120, in both languages."""
    words: dict[str, str] = _read()["statement"]
    return words


def source() -> str:
    """Where the texts come from."""
    return str(_read()["source"])


def to_resident(kind: AlertKind, facts: Mapping[str, str]) -> dict[str, list[str]]:
    """What to say to the resident, by language."""
    texts = _read()["to_resident"]
    name = _LIKE.get(kind, "vital" if kind in VITAL_KINDS else str(kind))
    return _filled(texts.get(name, texts["other"]), facts)


def to_120(facts: Mapping[str, str]) -> dict[str, list[str]]:
    """What to say to 120, by language."""
    return _filled(_read()["call_120"], facts)


class _Blank(dict[str, str]):
    """What is not on record is left blank to be asked for, never a reason to have no script."""

    def __missing__(self, key: str) -> str:
        return "……"


def _filled(texts: Mapping[str, list[str]], facts: Mapping[str, str]) -> dict[str, list[str]]:
    known = _Blank({name: words for name, words in facts.items() if words})
    return {language: [line.format_map(known) for line in lines] for language, lines in texts.items()}
