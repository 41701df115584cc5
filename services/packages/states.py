"""A resident's package: active → expired after its last day, or revoked by whoever granted it."""

from enum import StrEnum

from services.core.transitions import Transitions


class PackageStatus(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"  # its last day is over; what orders have reserved may still be used
    REVOKED = "revoked"  # taken back with a reason; nothing more is reserved


PACKAGE = Transitions[PackageStatus](
    "package",
    {PackageStatus.ACTIVE: frozenset({PackageStatus.EXPIRED, PackageStatus.REVOKED})},
)


class DrawStatus(StrEnum):
    """What became of a part of an entitlement that an order has taken."""

    RESERVED = "reserved"
    USED = "used"
    RELEASED = "released"


DRAW = Transitions[DrawStatus](
    "entitlement_draw", {DrawStatus.RESERVED: frozenset({DrawStatus.USED, DrawStatus.RELEASED})}
)
