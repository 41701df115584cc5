"""The texts that are shown before a consent, by purpose and version (``data/texts.json``)."""

import json
from datetime import date
from functools import lru_cache
from importlib.resources import files

from services.consents.models import ConsentPurpose, ConsentText


@lru_cache(maxsize=1)
def all_texts() -> tuple[ConsentText, ...]:
    """Every version of every text: an old consent must be readable with what was shown then."""
    raw = json.loads(files("services.consents").joinpath("data/texts.json").read_text("utf-8"))
    origin = {"source": raw["source"], "verified": raw["verified"]}
    return tuple(ConsentText.model_validate(origin | text) for text in raw["texts"])


def text_in_force(purpose: ConsentPurpose, day: date) -> ConsentText:
    """The newest text of a purpose on a day; the oldest one before any is in force."""
    texts = sorted((t for t in all_texts() if t.purpose is purpose), key=lambda t: t.effective_date)
    return next((t for t in reversed(texts) if t.effective_date <= day), texts[0])
