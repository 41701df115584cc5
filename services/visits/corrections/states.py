"""A correction is asked for by one person and decided by another."""

from enum import StrEnum

from services.core.transitions import Transitions


class CorrectionStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"


CORRECTION = Transitions[CorrectionStatus](
    "visit_correction",
    {CorrectionStatus.REQUESTED: frozenset({CorrectionStatus.APPROVED, CorrectionStatus.REJECTED})},
)
