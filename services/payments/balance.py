"""What is still owed of a bill, by book: pure."""

from collections.abc import Iterable, Mapping, Sequence


def outstanding(
    owed: Mapping[str, int], paid: Iterable[Mapping[str, int]], refunded: Iterable[Mapping[str, int]]
) -> dict[str, int]:
    """What a household owes by book, less what it paid, plus what it got back. Below zero: it gets something."""
    rest = dict(owed)
    for split in paid:
        for book, amount in split.items():
            rest[book] = rest.get(book, 0) - amount
    for split in refunded:
        for book, amount in split.items():
            rest[book] = rest.get(book, 0) + amount
    return rest


def to_pay(rest: Mapping[str, int]) -> dict[str, int]:
    """What one payment settles: everything that is owed, set off against what is to come back in another book."""
    whole = sum(rest.values())
    return {book: amount for book, amount in sorted(rest.items()) if amount} if whole > 0 else {}


def to_refund(rest: Mapping[str, int]) -> dict[str, int]:
    """What goes back: the other way round."""
    whole = sum(rest.values())
    return {book: -amount for book, amount in sorted(rest.items()) if amount} if whole < 0 else {}


def portions(split: Mapping[str, int], free: Sequence[int]) -> list[dict[str, int]]:
    """A refund dealt out to the payments it goes back on, of each at most what is free of it.

    The parts add up to the split in every book. ``ValueError`` when the payments are not enough.
    """
    parts: list[dict[str, int]] = []
    rest = dict(split)
    for room in free:
        if sum(rest.values()) <= room:
            return [*parts, {book: amount for book, amount in rest.items() if amount}]
        part: dict[str, int] = {}
        for book, amount in rest.items():
            taken = min(max(amount, 0), room - sum(part.values()))
            if taken:
                part[book] = taken
        rest = {book: amount - part.get(book, 0) for book, amount in rest.items()}
        parts.append(part)
    raise ValueError("more is to go back than was ever paid")
