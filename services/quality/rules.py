"""Faces, ready words, and who is called back: pure, over the data of ``data/callbacks.json``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from uuid import UUID

from services.quality.models import CallbackReason, Face, RatingWord

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class QualityRules:
    """Project defaults; ``version`` goes into the draw, so that new rules draw anew."""

    version: str
    sample_basis_points: int
    due_within: Mapping[CallbackReason, timedelta]
    attempts: int
    scores: Mapping[Face, int]
    poor_up_to: int
    words: Mapping[str, RatingWord]


@lru_cache(maxsize=1)
def quality_rules() -> QualityRules:
    """The rules in force."""
    raw = json.loads(files("services.quality").joinpath("data/callbacks.json").read_text("utf-8"))
    return QualityRules(
        version=raw["version"],
        sample_basis_points=raw["sample_basis_points"],
        due_within={CallbackReason(key): timedelta(hours=hours) for key, hours in raw["due_within_hours"].items()},
        attempts=raw["attempts"],
        scores={Face(face): score for face, score in raw["faces"].items()},
        poor_up_to=raw["poor_up_to"],
        words={code: RatingWord(code=code, **word) for code, word in raw["tags"].items()},
    )


def face_of(score: int, rules: QualityRules) -> Face:
    """The face nearest to a number; the kinder one of two."""
    return min(Face, key=lambda face: (abs(rules.scores[face] - score), -rules.scores[face]))


def is_poor(score: int, rules: QualityRules) -> bool:
    """Whether somebody should ask what went wrong."""
    return score <= rules.poor_up_to


def is_drawn(order_id: UUID, rules: QualityRules) -> bool:
    """The lot: told by the order's key, the same for whoever draws it again."""
    digest = sha256(f"{rules.version}:{order_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % BASIS_POINTS < rules.sample_basis_points


def reason_to_call(order_id: UUID, *, flagged: bool, is_first: bool, rules: QualityRules) -> CallbackReason | None:
    """Why a completed order is asked about, the gravest reason first; ``None`` for most."""
    if flagged:
        return CallbackReason.FLAGGED_VISIT
    if is_first:
        return CallbackReason.FIRST_SERVICE
    return CallbackReason.SAMPLE if is_drawn(order_id, rules) else None
