"""What a centre offers: the county's list for its area, less what the centre has switched off."""

from uuid import UUID

from services.catalogue import repository
from services.catalogue.errors import NoSuchItem
from services.catalogue.models import CentreItem, ServiceItem, ServiceItemVersion
from services.catalogue.orderability import lists_area
from services.catalogue.service import facts_of, today
from services.catalogue.views import CentreItemPublic, CentreItemSwitch
from services.centres.models import Centre
from services.centres.service import centre_in_reach
from services.core.database import Work
from services.core.versions import expect_version


async def centre_offer(work: Work, centre_id: UUID) -> list[CentreItemPublic]:
    """Every active item and whether the centre offers it, by code. ``NotFound`` for a centre out of reach."""
    centre = await centre_in_reach(work, centre_id)
    words = await repository.words_of_centre(work, centre_id)
    stored = await repository.items_in_force(work, today(work))
    return [_shown(centre, item, version, words.get(item.id)) for item, version in stored if version.is_active]


async def switch_item(
    work: Work, centre_id: UUID, code: str, request: CentreItemSwitch, if_match: int | None
) -> CentreItemPublic:
    """Switch an item on or off for a centre; orders already placed stay. ``NotFound``, ``NoSuchItem``."""
    centre = await centre_in_reach(work, centre_id)
    stored = await repository.items_in_force(work, today(work), [code])
    if not stored:
        raise NoSuchItem
    item, version = stored[0]
    word = await repository.lock_or_begin_word(work, centre, item)
    expect_version(word, if_match)
    word.is_offered, word.reason = request.is_offered, request.reason
    word.changed_by, word.changed_at = work.actor.account_id, work.now
    word.version += 1
    await work.session.flush()
    return _shown(centre, item, version, word)


def _shown(
    centre: Centre, item: ServiceItem, version: ServiceItemVersion, word: CentreItem | None
) -> CentreItemPublic:
    facts = facts_of(version)
    is_listed = lists_area(facts, centre.area_code)
    return CentreItemPublic(
        code=item.code,
        name_zh=facts.name_zh,
        name_en=facts.name_en,
        is_listed=is_listed,
        is_offered=is_listed and (word is None or word.is_offered),
        reason="" if word is None else word.reason,
        changed_at=None if word is None else word.changed_at,
        version=0 if word is None else word.version,
    )
