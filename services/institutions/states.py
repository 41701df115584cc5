"""An institution's life: active → suspended → active again, or exited, which is final."""

from enum import StrEnum

from services.core.transitions import Transitions


class InstitutionStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"  # its people take no new work; what they have is to be moved
    EXITED = "exited"


_S = InstitutionStatus

INSTITUTION = Transitions[InstitutionStatus](
    "institution",
    {
        _S.ACTIVE: frozenset({_S.SUSPENDED, _S.EXITED}),
        _S.SUSPENDED: frozenset({_S.ACTIVE, _S.EXITED}),
    },
)
