"""Whose a terminal was at a moment: what is old belongs to who wore it then.

Nearly everything is newer than its terminal's present binding, and costs one comparison. The rest is looked up in
the binding history, once for all of a batch.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.core.database import Work
from services.terminals.queries import Worn, histories
from services.terminals.repository import Bound

CLOCK_GRACE = timedelta(minutes=5)
"""A terminal's clock may be so far behind ours: what it sent just before it was anybody's is the wearer's."""


def is_older(bound: Bound, at: datetime) -> bool:
    """Whether a moment lies before the present binding, so that the history must say whose it was."""
    return bound.bound_since is not None and at < bound.bound_since


def wearer(bound: Bound, history: Sequence[Worn], at: datetime) -> Bound:
    """The terminal as it was at a moment: with the resident, centre and area of that time, or nobody's."""
    if bound.bound_since is None or at >= bound.bound_since:
        return bound
    for stretch in history:
        if stretch.bound_at <= at and (stretch.unbound_at is None or at < stretch.unbound_at):
            return bound._replace(
                resident_id=stretch.resident_id, centre_id=stretch.centre_id, area_code=stretch.area_code
            )
    if bound.bound_since - at <= CLOCK_GRACE:
        return bound
    return bound._replace(resident_id=None)


async def wearers(work: Work, asked: Iterable[tuple[Bound, datetime]]) -> list[Bound]:
    """``wearer`` of each, with one query for all of them."""
    pairs = list(asked)
    found: Mapping[UUID, Sequence[Worn]] = await histories(work, {bound.terminal_id for bound, _ in pairs})
    return [wearer(bound, found.get(bound.terminal_id, ()), at) for bound, at in pairs]


async def possible_wearers(work: Work, bound: Bound, pressed_at: datetime) -> list[Bound]:
    """To whom somebody must go because of an alarm; the first is the one whose alarm it is.

    An alarm from before the present binding is that of who wore the terminal then, at that home's centre. It may
    as well be a press of this moment on a terminal with a wrong clock: the present wearer is looked after, too.
    One call too many is the price. An alarm that nobody's time covers is the present wearer's.
    """
    if not is_older(bound, pressed_at):
        return [bound]
    [then] = await wearers(work, [(bound, pressed_at)])
    if then.resident_id is None or then.resident_id == bound.resident_id:
        return [bound]
    return [then] if bound.resident_id is None else [then, bound]
