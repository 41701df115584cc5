"""The packages' verbs: granting and revoking, and what orders do with them (reserve, use, release).

``reserve`` comes in the transaction that places an order, ``release`` in the one that cancels it, ``use`` in the
handler of its completion. Each may be called again: a draw is moved once, under its own lock.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from importlib.resources import files
from uuid import UUID

from services.audit.service import record_read
from services.catalogue.repository import items_in_force
from services.catalogue.service import today
from services.core.database import Work
from services.core.errors import Forbidden
from services.core.versions import expect_version
from services.packages import repository
from services.packages.errors import (
    EntitlementExhausted,
    NotGrantable,
    PackageEnded,
    TemplateExists,
    UnknownItems,
)
from services.packages.models import (
    DrawPublic,
    Entitlement,
    EntitlementDraw,
    EntitlementPublic,
    PackageDetail,
    PackageGrant,
    PackagePublic,
    PackageTemplate,
    ResidentPackage,
    TemplateContent,
    TemplateCreate,
    TemplatePublic,
)
from services.packages.states import DRAW, PACKAGE, DrawStatus, PackageStatus

DRAWS_SHOWN = 200


async def grant(work: Work, wish: PackageGrant) -> PackagePublic:
    """Give a resident a package with its entitlements, as the template is now.

    Raises ``NotFound``, ``NotGrantable`` for a template that is no longer active.
    """
    account_id = work.actor.account_id
    if account_id is None:
        raise Forbidden
    resident = await repository.resident_in_reach(work, wish.resident_id)
    template = await repository.template(work, wish.template_id)
    if not template.is_active:
        raise NotGrantable
    package = ResidentPackage(
        resident_id=resident.id,
        area_code=resident.area_code,
        template_id=template.id,
        template_version=template.version,
        name_zh=template.name_zh,
        name_en=template.name_en,
        price_fen=template.price_fen,
        price_verified=template.verified,
        contract_reference=wish.contract_reference,
        valid_from=wish.valid_from,
        valid_until=wish.valid_from + timedelta(days=template.validity_days - 1),
        status=PackageStatus.ACTIVE,
        granted_by=account_id,
        granted_at=work.now,
    )
    work.session.add(package)
    PACKAGE.begin(work, package)
    await work.session.flush()
    work.session.add_all(
        Entitlement(
            package_id=package.id,
            resident_id=resident.id,
            area_code=resident.area_code,
            item_code=item["item_code"],
            granted=item["quantity"],
        )
        for item in template.items
    )
    await work.session.flush()
    (shown,) = await _shown(work, [package])
    return shown


async def revoke(work: Work, package_id: UUID, reason: str, if_match: int | None) -> PackagePublic:
    """Take a package back: nothing more is reserved, what is reserved stays. A repeat changes nothing.

    Raises ``NotFound``, ``PackageEnded`` for one that has expired.
    """
    package = await repository.package_in_reach(work, package_id, lock=True)
    if package.status is not PackageStatus.REVOKED:
        expect_version(package, if_match)
        if not PACKAGE.allows(package.status, PackageStatus.REVOKED):
            raise PackageEnded(current=str(package.status))
        package.end_reason = reason
        PACKAGE.move(work, package, PackageStatus.REVOKED, reason)
        await work.session.flush()
    (shown,) = await _shown(work, [package])
    return shown


async def expire_packages(work: Work, limit: int = 200) -> int:
    """Close packages whose last day has passed. For the worker."""
    due = await repository.over(work, today(work), limit)
    for package in due:
        PACKAGE.move(work, package, PackageStatus.EXPIRED, "last_day_passed")
    return len(due)


async def list_packages(
    work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None, statuses: Collection[PackageStatus]
) -> list[PackagePublic]:
    """A page of the packages in reach, newest first; leaves rows in the access log."""
    rows = await repository.packages_page(work, limit, cursor, resident_id, statuses)
    await record_read(work, [row.resident_id for row in rows], "packages", ["entitlements"])
    return await _shown(work, rows)


async def read_package(work: Work, package_id: UUID) -> PackageDetail:
    """A package with its latest draws; leaves a row in the access log. Raises ``NotFound``."""
    package = await repository.package_in_reach(work, package_id)
    await record_read(work, [package.resident_id], "package", ["entitlements", "draws"])
    (shown,) = await _shown(work, [package])
    draws = await repository.draws_of(work, package.id, DRAWS_SHOWN)
    return PackageDetail(**dict(shown), draws=[DrawPublic.model_validate(draw) for draw in draws])


async def coverage(
    work: Work, resident_id: UUID, wanted: Mapping[str, int], first: date, last: date
) -> dict[str, UUID]:
    """Which entitlement would pay for each item at present, whole quantities only. Promises nothing."""
    found: dict[str, UUID] = {}
    for room in await repository.room(work, resident_id, wanted, first, last):
        if room.item_code not in found and room.left >= wanted[room.item_code]:
            found[room.item_code] = room.id
    return found


async def reserve(
    work: Work, resident_id: UUID, wanted: Mapping[str, int], first: date, last: date, required: Collection[str]
) -> dict[str, UUID]:
    """Take units for an order: the item's entitlement that ends first and has enough, for each item that has one.

    Items come in one order everywhere, so that two orders never wait on each other in a circle. Raises
    ``EntitlementExhausted`` for a ``required`` item that is not covered; then nothing is taken.
    """
    taken: dict[str, UUID] = {}
    for room in await repository.room(work, resident_id, wanted, first, last):
        quantity = wanted[room.item_code]
        if room.item_code in taken or room.left < quantity:
            continue
        if await repository.reserve(work, room.id, quantity):
            taken[room.item_code] = room.id
    require_covered(required, taken)
    return taken


def require_covered(required: Collection[str], covered: Collection[str]) -> None:
    """Raises ``EntitlementExhausted`` with the items that are not."""
    if missing := sorted(set(required) - set(covered)):
        raise EntitlementExhausted(items=missing)


def draw(
    work: Work, order_id: UUID, resident: tuple[UUID, str], line_no: int, entitlement_id: UUID, quantity: int
) -> None:
    """Write down what an order line has taken, once by a unique key; ``resident`` is her id and area."""
    taken = EntitlementDraw(
        entitlement_id=entitlement_id,
        order_id=order_id,
        line_no=line_no,
        resident_id=resident[0],
        area_code=resident[1],
        quantity=quantity,
        status=DrawStatus.RESERVED,
        reserved_at=work.now,
    )
    work.session.add(taken)
    DRAW.begin(work, taken)


async def use(work: Work, order_id: UUID) -> int:
    """The order is done: what it holds is used. Gives the number of draws moved; 0 for a repeat."""
    held = await repository.lock_reserved(work, order_id)
    for one in held:
        _close(work, one, DrawStatus.USED)
        await repository.use(work, one.entitlement_id, one.quantity)
    return len(held)


async def release(work: Work, order_id: UUID) -> int:
    """The order is cancelled: what it holds is free again. Gives the number of draws moved; 0 for a repeat."""
    held = await repository.lock_reserved(work, order_id)
    for one in held:
        _close(work, one, DrawStatus.RELEASED)
        await repository.release(work, one.entitlement_id, one.quantity)
    return len(held)


async def list_templates(
    work: Work, limit: int, cursor: UUID | None, *, include_inactive: bool = False
) -> list[TemplatePublic]:
    """What can be granted, and what once could, newest first."""
    rows = await repository.templates_page(work, limit, cursor, only_active=not include_inactive)
    return [TemplatePublic.model_validate(row) for row in rows]


async def read_template(work: Work, template_id: UUID) -> TemplatePublic:
    """One of them. Raises ``NotFound``."""
    return TemplatePublic.model_validate(await repository.template(work, template_id))


async def add_template(work: Work, wish: TemplateCreate) -> TemplatePublic:
    """Enter a package. Raises ``TemplateExists``, ``UnknownItems``."""
    await _require_items(work, wish)
    row = PackageTemplate(**wish.model_dump(mode="json"))
    if not await repository.insert_template(work, row):
        raise TemplateExists
    return TemplatePublic.model_validate(row)


async def change_template(
    work: Work, template_id: UUID, content: TemplateContent, if_match: int | None
) -> TemplatePublic:
    """The next version; packages that were granted stay as they were. Raises ``NotFound``, ``UnknownItems``."""
    row = await repository.template(work, template_id, lock=True)
    expect_version(row, if_match)
    await _require_items(work, content)
    row.sqlmodel_update(content.model_dump(mode="json"))
    row.version += 1
    await work.session.flush()
    return TemplatePublic.model_validate(row)


async def load_templates(work: Work) -> int:
    """Insert the placeholders of ``data/templates.json`` that are missing; gives their number."""
    raw = json.loads(files("services.packages").joinpath("data/templates.json").read_text("utf-8"))
    made = 0
    for one in raw["templates"]:
        content = TemplateCreate.model_validate({"source": raw["source"], "verified": raw["verified"], **one})
        made += await repository.insert_template(work, PackageTemplate(**content.model_dump(mode="json")))
    return made


def _close(work: Work, held: EntitlementDraw, status: DrawStatus) -> None:
    DRAW.move(work, held, status)
    held.closed_at = work.now


async def _require_items(work: Work, content: TemplateContent) -> None:
    codes = [item.item_code for item in content.items]
    known = {item.code for item, _ in await items_in_force(work, today(work), codes)}
    if unknown := sorted(set(codes) - known):
        raise UnknownItems(field="items", item_codes=unknown)


async def _shown(work: Work, packages: Sequence[ResidentPackage]) -> list[PackagePublic]:
    held: dict[UUID, list[EntitlementPublic]] = {package.id: [] for package in packages}
    for one in await repository.entitlements_of(work, list(held)):
        left = one.granted - one.reserved - one.used
        held[one.package_id].append(EntitlementPublic(**one.model_dump(), left=left))
    return [PackagePublic(**package.model_dump(), entitlements=held[package.id]) for package in packages]
