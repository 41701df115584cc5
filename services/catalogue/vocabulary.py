"""The words for skills and licences, which items ask for and caregivers hold."""

import json
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple


class Vocabulary(NamedTuple):
    """Every skill and licence by its code."""

    skills: frozenset[str]
    licences: frozenset[str]


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The words of the caregivers' room: an item that asks for another one would find nobody, ever."""
    raw = json.loads(files("services.caregivers").joinpath("data/skills.json").read_text("utf-8"))
    return Vocabulary(frozenset(raw["skills"]), frozenset(raw["licences"]))
