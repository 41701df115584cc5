"""The words for the call: to the resident, and to 120. Pure; the texts are data."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from services.alerts.models import AlertKind
from services.alerts.severity import VITAL_KINDS

Facts = Mapping[str, str | Sequence[str] | Mapping[str, str]]
"""By the names that the texts use: a text, a code that the data has a word for (``kind``, ``gender``,
``terminal``), a list (an empty one is said to be not recorded), or words by language."""

_MAY_BE_EMPTY = frozenset({"access"})
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


def to_resident(kind: AlertKind, facts: Facts) -> dict[str, list[str]]:
    """What to say to the resident, by language."""
    texts = _read()["to_resident"]
    name = _LIKE.get(kind, "vital" if kind in VITAL_KINDS else str(kind))
    return _filled(texts.get(name, texts["other"]), facts)


def to_120(facts: Facts, *, has_resident: bool, is_caregiver: bool = False) -> dict[str, list[str]]:
    """What to say to 120, by language. Without a resident the terminal and the centre stand for the address."""
    if is_caregiver:
        return _filled(_read()["call_120_caregiver"], facts)
    return _filled(_read()["call_120" if has_resident else "call_120_no_resident"], facts)


class _Blank(dict[str, str]):
    """What is not on record is left blank to be asked for, never a reason to have no script."""

    def __missing__(self, key: str) -> str:
        return "……"


def _filled(texts: Mapping[str, list[str]], facts: Facts) -> dict[str, list[str]]:
    return {
        language: [line.format_map(_spoken(facts, language)).rstrip() for line in lines]
        for language, lines in texts.items()
    }


def _spoken(facts: Facts, language: str) -> _Blank:
    """The facts as they are said: codes by their word, lists joined, an empty list as not recorded."""
    words = _read()["words"]
    said = _Blank(name=words["nobody"][language])
    for name, fact in facts.items():
        if isinstance(fact, Mapping):
            said[name] = fact[language]
        elif not isinstance(fact, str):
            said[name] = words["between"][language].join(fact) or words["nothing"][language]
        elif name in words:
            said[name] = words[name].get(fact, {}).get(language) or words["nothing"][language]
        elif fact or name in _MAY_BE_EMPTY:
            said[name] = fact
    return said
