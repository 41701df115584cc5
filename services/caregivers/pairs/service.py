"""Keeping a resident and a caregiver apart, and letting them meet again.

The caregiver is never told: neither her file nor its log says a word of it.
"""

from uuid import UUID

from services.audit.service import record_read
from services.caregivers import repository as caregivers
from services.caregivers.errors import PairOnFile
from services.caregivers.limits import local_day
from services.caregivers.models import BlockedPair
from services.caregivers.pairs import repository
from services.caregivers.pairs.models import LiftPair, NewPair, PairPublic, PairSaved
from services.caregivers.rota.models import BookedVisit
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.residents.service import resident_in_reach


async def block(work: Work, new: NewPair) -> PairSaved:
    """Keep two apart from this minute; visits between them that are booked already are told, to be moved.

    ``PairOnFile`` when they are kept apart already; one whose last day has passed makes way for the new.
    """
    resident = await resident_in_reach(work, new.resident_id)
    caregiver = await caregivers.locked_caregiver(work, new.caregiver_id)
    today = local_day(work.now)
    if new.until is not None and new.until < today:
        raise InvalidInput("the last day has passed", field="until")
    standing = await repository.open_pair(work, resident.id, caregiver.id)
    if standing is not None:
        if standing.until is None or standing.until >= today:
            raise PairOnFile
        standing.lifted_at, standing.lift_reason = work.now, "last_day_passed"
        standing.version += 1
        await work.session.flush()
    row = BlockedPair(
        area_code=resident.area_code,
        created_by=work.actor.account_id,
        created_at=work.now,
        **new.model_dump(),
    )
    work.session.add(row)
    await record_read(work, [resident.id], "blocked_pair", ["caregiver", "reason"], "keep_apart")
    return await _saved(work, row)


async def lift(work: Work, pair_id: UUID, wish: LiftPair, if_match: int | None) -> PairSaved:
    """Let them meet again. A repeat changes nothing."""
    row = await repository.find_pair(work, pair_id, lock=True)
    if row is None:
        raise NotFound
    if row.lifted_at is None:
        expect_version(row, if_match)
        row.lifted_at, row.lifted_by, row.lift_reason = work.now, work.actor.account_id, wish.reason
        row.version += 1
    return await _saved(work, row)


async def list_pairs(
    work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None, caregiver_id: UUID | None
) -> list[PairPublic]:
    """Pairs in reach, newest first; leaves a row in the residents' access logs."""
    rows = await repository.page_of_pairs(work, limit, cursor, resident_id, caregiver_id)
    fields = ["caregiver", "reason"] if _sees_reason(work) else ["caregiver"]
    await record_read(work, [row.resident_id for row in rows], "blocked_pair", fields)
    return [_shown(work, row) for row in rows]


def _sees_reason(work: Work) -> bool:
    return work.actor.role is Role.CENTRE_MANAGER


def _shown(work: Work, row: BlockedPair) -> PairPublic:
    facts = row.model_dump(include=set(PairPublic.model_fields))
    if not _sees_reason(work):
        facts |= {"reason": None, "lift_reason": None}
    return PairPublic(**facts)


async def _saved(work: Work, row: BlockedPair) -> PairSaved:
    await work.session.flush()
    booked = []
    if row.lifted_at is None:
        booked = [
            one
            for one in await caregivers.booked_after(work, row.caregiver_id, work.now)
            if one.resident_id == row.resident_id and (row.until is None or local_day(one.starts_at) <= row.until)
        ]
    return PairSaved(**_shown(work, row).model_dump(), to_move=[BookedVisit.model_validate(one) for one in booked])
