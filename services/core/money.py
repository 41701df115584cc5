"""Money is an integer number of fen (1/100 yuan); these are the only places where it is rounded."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal


def round_half_up(amount: Decimal) -> int:
    """Fen from an exact amount in fen, halves away from zero (四舍五入)."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def split_by_weight(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Share a total among weights so that the parts add up exactly (largest remainder first)."""
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("weights must add up to more than 0")
    parts = [total_fen * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total_fen * weights[i] % whole), i))
    for i in by_remainder[: total_fen - sum(parts)]:
        parts[i] += 1
    return parts


def yuan(fen: int) -> str:
    """For people: ``12345`` → ``123.45``."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
