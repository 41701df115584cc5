"""Writing the catalogue: drafts, publishing, the history. A published version never changes."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.catalogue import repository
from services.catalogue.checks import Problem, problems_of
from services.catalogue.errors import (
    EffectiveTooEarly,
    ItemExists,
    ItemInvalid,
    NoDraft,
    NoSuchItem,
    NothingUpcoming,
)
from services.catalogue.models import ServiceItem, ServiceItemVersion
from services.catalogue.service import facts_of, today
from services.catalogue.views import ItemDetail, ItemDraft, ItemVersionPublic, Publish
from services.catalogue.vocabulary import vocabulary
from services.core.database import Work
from services.core.versions import expect_version


async def create_item(work: Work, draft: ItemDraft) -> ItemDetail:
    """A new item with its first draft; nobody can order it yet. ``ItemInvalid``, ``ItemExists``."""
    check(draft)
    if await repository.item_by_code(work, draft.code) is not None:
        raise ItemExists(field="code")
    item = await repository.begin_item(work, draft.code)
    if item is None:
        raise ItemExists(field="code")
    await keep_draft(work, item, draft)
    return await _detail(work, item)


async def save_draft(work: Work, code: str, draft: ItemDraft, if_match: int | None) -> ItemDetail:
    """Begin the item's draft, or write it anew. ``ItemInvalid``, ``NoSuchItem``, ``VersionMismatch``."""
    item = await _locked(work, code, if_match)
    check(draft, code)
    await keep_draft(work, item, draft)
    return await _detail(work, item)


async def publish(work: Work, code: str, request: Publish, if_match: int | None) -> ItemDetail:
    """Let the draft count from a day on. Who, when and why stand on the version for good.

    ``NoDraft``, ``EffectiveTooEarly``, ``NoSuchItem``, ``VersionMismatch``.
    """
    item = await _locked(work, code, if_match)
    versions = await repository.versions_of(work, item.id)
    draft = _draft_of(versions)
    if draft is None:
        raise NoDraft
    # What was checked when it was saved may have lost a word of the vocabulary since.
    check(ItemDraft(**draft.facts, is_active=draft.is_active))
    earliest = max([today(work), *(day for _, day in _published(versions))])
    effective = request.effective_from or earliest
    if effective < earliest:
        raise EffectiveTooEarly(field="effective_from", earliest=earliest.isoformat())
    draft.published_by, draft.published_at = work.actor.account_id, work.now
    draft.effective_from, draft.reason = effective, request.reason
    item.version += 1
    await work.session.flush()
    return await _detail(work, item)


async def discard_draft(work: Work, code: str, if_match: int | None) -> ItemDetail:
    """Put the draft away; it stays in the history. ``NoDraft``, ``NoSuchItem``, ``VersionMismatch``."""
    item = await _locked(work, code, if_match)
    draft = _draft_of(await repository.versions_of(work, item.id))
    if draft is None:
        raise NoDraft
    draft.discarded_by, draft.discarded_at = work.actor.account_id, work.now
    item.version += 1
    await work.session.flush()
    return await _detail(work, item)


async def recall(work: Work, code: str, if_match: int | None) -> ItemDetail:
    """Take back the version that was published last and is not in force yet; orders never saw it.

    ``NothingUpcoming``, ``NoSuchItem``, ``VersionMismatch``.
    """
    item = await _locked(work, code, if_match)
    upcoming = [pair for pair in _published(await repository.versions_of(work, item.id)) if pair[1] > today(work)]
    if not upcoming:
        raise NothingUpcoming
    last = upcoming[-1][0]
    last.discarded_by, last.discarded_at = work.actor.account_id, work.now
    item.version += 1
    await work.session.flush()
    return await _detail(work, item)


async def read_item(work: Work, code: str) -> ItemDetail:
    """An item with its draft. ``NoSuchItem``."""
    return await _detail(work, await _found(work, code))


async def list_items(work: Work, limit: int, cursor: UUID | None) -> list[ItemDetail]:
    """Every item, newest entry first, on the menu or not."""
    pairs = await repository.working_versions(work, limit, cursor)
    return [_shown(item, versions, today(work)) for item, versions in pairs]


async def item_history(work: Work, code: str, limit: int, cursor: UUID | None) -> list[ItemVersionPublic]:
    """Every version of an item, newest first. ``NoSuchItem``."""
    item = await _found(work, code)
    return [version_public(one) for one in await repository.versions_of(work, item.id, limit, cursor)]


async def keep_draft(work: Work, item: ServiceItem, draft: ItemDraft) -> None:
    """Write a checked draft of a locked item."""
    row = _draft_of(await repository.versions_of(work, item.id))
    if row is None:
        row = ServiceItemVersion(
            item_id=item.id, number=await repository.last_number(work, item.id) + 1, facts={}, saved_at=work.now
        )
        work.session.add(row)
    row.facts = draft.model_dump(mode="json", exclude={"is_active"})
    row.is_active = draft.is_active
    row.saved_by, row.saved_at = work.actor.account_id, work.now
    item.version += 1
    await work.session.flush()


def check(draft: ItemDraft, code: str | None = None) -> None:
    """Raise ``ItemInvalid`` with all that is wrong; ``code`` is the one that it should have."""
    problems = problems_of(draft, vocabulary())
    if code is not None and draft.code != code:
        problems.insert(0, Problem("code", "code_differs"))
    if problems:
        raise ItemInvalid(problems=[problem.shown() for problem in problems])


def version_public(row: ServiceItemVersion) -> ItemVersionPublic:
    """A version as editors see it."""
    began, ended = ("draft", "discarded") if row.published_at is None else ("published", "recalled")
    state = began if row.discarded_at is None else ended
    return ItemVersionPublic(
        **row.model_dump(exclude={"item_id", "facts", "discarded_by"}), state=state, facts=facts_of(row)
    )


async def _locked(work: Work, code: str, if_match: int | None) -> ServiceItem:
    item = await repository.lock_item(work, code)
    if item is None:
        raise NoSuchItem
    expect_version(item, if_match)
    return item


async def _found(work: Work, code: str) -> ServiceItem:
    item = await repository.item_by_code(work, code)
    if item is None:
        raise NoSuchItem
    return item


async def _detail(work: Work, item: ServiceItem) -> ItemDetail:
    return _shown(item, await repository.versions_of(work, item.id), today(work))


def _draft_of(versions: Sequence[ServiceItemVersion]) -> ServiceItemVersion | None:
    return next((one for one in versions if one.published_at is None and one.discarded_at is None), None)


def _published(versions: Sequence[ServiceItemVersion]) -> list[tuple[ServiceItemVersion, date]]:
    """What was published and not recalled, with its first day, in the order in which it counts."""
    found = [
        (one, one.effective_from)
        for one in versions
        if one.effective_from is not None and one.discarded_at is None
    ]
    return sorted(found, key=lambda pair: (pair[1], pair[0].number))


def _shown(item: ServiceItem, versions: Sequence[ServiceItemVersion], day: date) -> ItemDetail:
    published = _published(versions)
    counting = [one for one, since in published if since <= day]
    upcoming = [one for one, since in published if since > day]
    draft = _draft_of(versions)
    return ItemDetail(
        id=item.id,
        code=item.code,
        version=item.version,
        in_force=version_public(counting[-1]) if counting else None,
        upcoming=[version_public(one) for one in upcoming],
        draft=None if draft is None else version_public(draft),
    )
