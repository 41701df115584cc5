"""Medians, percentiles and how they are written."""

import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def spread(values: Sequence[float]) -> str:
    """The lowest and the highest of the runs."""
    return f"{thousands(min(values))}–{thousands(max(values))}"


def thousands(value: float) -> str:
    """``12 345``."""
    return f"{value:,.0f}".replace(",", " ")


def milliseconds(seconds: float) -> str:
    """``1.2 ms``."""
    return f"{seconds * 1000:.1f} ms"


def ratio(value: float, base: float) -> str:
    """``0.62``, or ``4.1``."""
    return f"{value / base:.2f}"
