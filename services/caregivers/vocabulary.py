"""The names of skills, licences and professions, from ``data/skills.json``."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

import msgspec

from services.core.errors import InvalidInput

Words = Mapping[str, str]


class Vocabulary(msgspec.Struct, frozen=True):
    """The file's content: code → words in ``zh`` and ``en``. ``graded`` are licences with a level of skill."""

    version: str
    source: str
    skills: Mapping[str, Words]
    licences: Mapping[str, Words]
    professions: Mapping[str, Words]
    graded: frozenset[str] = frozenset()


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """The names in force."""
    raw = (files("services.caregivers") / "data" / "skills.json").read_bytes()
    return msgspec.json.decode(raw, type=Vocabulary)


def require_known(known: Mapping[str, Words], given: Iterable[str], field: str) -> None:
    """Raises ``InvalidInput`` with the ``field`` and the ``unknown`` codes."""
    unknown = sorted(set(given) - known.keys())
    if unknown:
        raise InvalidInput("not a known code", field=field, unknown=unknown)
