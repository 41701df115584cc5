"""Which numbers of a visit's acts have not come in yet. Pure."""

from collections.abc import Mapping

OPENERS = frozenset({"set_out", "check_in"})
"""What a visit begins with."""


def missing_before(seq: int, known: Mapping[int, str]) -> list[int]:
    """The numbers between a visit's first act and ``seq`` that nobody has seen.

    ``known`` are kind by number, of one visit on one phone. The count begins at 1; a phone that goes on counting
    from visit to visit is understood by its check-in, or set-out, which is where the visit's own numbers begin.
    """
    begun = [number for number, kind in known.items() if kind in OPENERS and number < seq]
    first = min(begun, default=1)
    return [number for number in range(first, seq) if number not in known]
