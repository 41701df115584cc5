"""Conflicts of offline work, as the dispatcher sees and settles them."""

from collections.abc import Sequence
from uuid import UUID

from services.audit.service import record_read
from services.core.actor import SUPERVISING_ROLES
from services.core.database import Work
from services.core.versions import expect_version
from services.events import VisitConflictMoved
from services.visits.acts import repository
from services.visits.acts.models import ConflictPublic, SettleConflict, VisitAct
from services.visits.acts.states import ACT, ActStatus
from services.visits.acts.sync import words_of

_SECRET = frozenset({"start_code", "card"})
"""What opens a check-in is for nobody to read."""


async def list_conflicts(
    work: Work, limit: int, cursor: UUID | None, statuses: Sequence[ActStatus], visit_id: UUID | None = None
) -> list[ConflictPublic]:
    """A page of the conflicts in reach, newest first; leaves rows in the access log."""
    wanted = [one for one in statuses if one in (ActStatus.CONFLICT, ActStatus.SETTLED)] or [ActStatus.CONFLICT]
    rows = await repository.conflicts_page(work, limit, cursor, wanted, visit_id)
    await record_read(work, {row.resident_id for row in rows if row.resident_id}, "visit_conflicts", ["said"])
    return [_public(work, row) for row in rows]


async def settle_conflict(work: Work, act_id: UUID, said: SettleConflict, if_match: int | None) -> ConflictPublic:
    """Somebody has dealt with it, and says how; a repeat changes nothing. Raises ``NotFound``."""
    row = await repository.lock_conflict(work, act_id)
    if row.status is ActStatus.CONFLICT:
        expect_version(row, if_match)
        row.settled_by, row.settled_at, row.settled_note = work.actor.account_id, work.now, said.note
        ACT.move(work, row, ActStatus.SETTLED, said.note)
        work.record(
            VisitConflictMoved(
                area_code=row.area_code,
                centre_id=row.centre_id,
                visit_id=row.visit_id,
                act_id=row.id,
                code=row.code or "",
                status=str(row.status),
            )
        )
    return _public(work, row)


def _public(work: Work, row: VisitAct) -> ConflictPublic:
    words_zh, words_en = words_of(row.code)
    hidden = work.actor.role in SUPERVISING_ROLES
    said = {} if hidden else {name: value for name, value in row.said.items() if name not in _SECRET}
    shown = row.model_dump(include=set(ConflictPublic.model_fields) - {"said", "code"})
    return ConflictPublic(
        **shown, said=said, code=row.code or "", words_zh=words_zh or "", words_en=words_en or ""
    )
