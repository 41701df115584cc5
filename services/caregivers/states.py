"""The lives of a credential, a shift, an absence and a swap."""

from enum import StrEnum

from services.core.transitions import Transitions


class CredentialStatus(StrEnum):
    RECORDED = "recorded"  # written down; does not count yet
    VERIFIED = "verified"  # somebody has looked at the original or the register
    REJECTED = "rejected"
    REVOKED = "revoked"  # counted once; from that minute no more


class ShiftStatus(StrEnum):
    DRAFT = "draft"  # seen by those who plan only; nobody is booked on it
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class AbsenceStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ShiftSwapStatus(StrEnum):
    REQUESTED = "requested"
    AGREED = "agreed"  # the colleague has said yes; the manager decides
    APPROVED = "approved"  # both shifts have changed hands
    DECLINED = "declined"  # by the colleague
    REFUSED = "refused"  # by the manager
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"  # one of the shifts has begun meanwhile


_C, _S, _A, _W = CredentialStatus, ShiftStatus, AbsenceStatus, ShiftSwapStatus

CREDENTIAL = Transitions[CredentialStatus](
    "credential",
    {
        _C.RECORDED: frozenset({_C.VERIFIED, _C.REJECTED, _C.REVOKED}),
        _C.VERIFIED: frozenset({_C.RECORDED, _C.REVOKED}),
        _C.REJECTED: frozenset({_C.RECORDED}),
    },
)

SHIFT = Transitions[ShiftStatus](
    "shift",
    {
        _S.DRAFT: frozenset({_S.PUBLISHED, _S.CANCELLED}),
        _S.PUBLISHED: frozenset({_S.CANCELLED}),
    },
)

ABSENCE = Transitions[AbsenceStatus](
    "absence",
    {
        _A.REQUESTED: frozenset({_A.APPROVED, _A.DECLINED, _A.WITHDRAWN}),
        _A.APPROVED: frozenset({_A.WITHDRAWN}),
    },
)

SHIFT_SWAP = Transitions[ShiftSwapStatus](
    "shift_swap",
    {
        _W.REQUESTED: frozenset({_W.AGREED, _W.DECLINED, _W.WITHDRAWN, _W.LAPSED}),
        _W.AGREED: frozenset({_W.APPROVED, _W.REFUSED, _W.WITHDRAWN, _W.LAPSED}),
    },
)
