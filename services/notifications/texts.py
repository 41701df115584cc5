"""What a message says. Templates are data; a text shows what its template names and nothing else. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal
from uuid import UUID

import msgspec
import structlog

log = structlog.get_logger("notifications")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")

Language = Literal["zh", "en"]
Words = dict[Language, str]


class Texts(msgspec.Struct, frozen=True):
    """The file's content. An entry with an empty name stands for whatever is not listed."""

    version: str
    labels: dict[str, dict[str, Words]]
    templates: dict[str, Words]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was looked up for one message, at the moment of sending."""

    template: str
    parameters: Mapping[str, str]
    alert_id: UUID | None
    town: Mapping[Language, str]
    centre: Mapping[Language, str]
    centre_phone: str
    relation: str
    console_url: str


@lru_cache(maxsize=1)
def load_texts() -> Texts:
    """The templates."""
    return msgspec.json.decode(
        (files("services.notifications") / "data" / "templates.json").read_bytes(), type=Texts
    )


def alert_code(alert_id: UUID) -> str:
    """The short code by which people speak of an alert: the last six digits of its key."""
    return alert_id.hex[-6:].upper()


def fields_of(facts: Facts, language: Language) -> dict[str, str]:
    """Every field that a template may name, in one language. Kinds are shown by their labels only."""
    labels = load_texts().labels
    shown = {
        name: known.get(facts.parameters.get(name, ""), known[""])[language] for name, known in labels.items()
    }
    relation = f"（{facts.relation}）" if language == "zh" else f"({facts.relation})"
    count = facts.parameters.get("count", "")
    return shown | {
        "count": count if count.isdecimal() else "1",
        "day": _shaped(facts, "day", _DAY),
        "time": _shaped(facts, "time", _TIME),
        "town": facts.town[language],
        "centre": facts.centre[language],
        "centre_phone": facts.centre_phone,
        "code": "" if facts.alert_id is None else alert_code(facts.alert_id),
        "relation": relation if facts.relation else "",
        "console": facts.console_url,
    }


def _shaped(facts: Facts, name: str, shape: re.Pattern[str]) -> str:
    """A parameter that looks as it should; a dash for one that does not."""
    value = facts.parameters.get(name, "")
    return value if shape.fullmatch(value) else "–"


def render(facts: Facts, language: Language) -> str:
    """The text. A template that is unknown or broken gives the general one: to say little beats saying nothing."""
    templates = load_texts().templates
    fields = fields_of(facts, language)
    try:
        return templates[facts.template][language].format_map(fields).strip()
    except (KeyError, ValueError, IndexError) as error:
        log.error("template_unusable", template=facts.template, error=type(error).__name__)
        return templates[""][language].format_map(fields).strip()
