"""What the catalogue's editors send and get."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from services.catalogue.models import ItemContent, ItemFacts
from services.core.calendar import Day

_EXAMPLE: dict[str, Any] = {
    "code": "foot_care",
    "category": "nursing",
    "name_zh": "足部护理",
    "name_en": "Foot care",
    "unit": "visit",
    "duration_minutes": 40,
    "caregivers_required": 1,
    "required_skill": "nursing",
    "required_licences": ["nurse_licence", "nurse_title"],
    "practice_years": 5,
    "checklist": [{"code": "identity", "zh": "核对姓名与服务项目", "en": "Confirm the name and the service"}],
    "preconditions": ["institution_assessment", "informed_consent"],
    "nursing_list": "positive",
    "list_source": "省级目录（示例）",
    "price_rule": {
        "components": [
            {"code": "service", "name_zh": "服务费", "name_en": "Service fee", "kind": "flat", "unit_fen": 5000}
        ],
        "source": "示例",
        "version": "2026-11",
        "effective_date": "2026-11-22",
        "verified": False,
    },
}


class ItemDraft(ItemContent):
    """An item as it shall be: the whole of it. ``is_active`` false takes it off the menu once published."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    is_active: bool = True


class Publish(BaseModel):
    """From which day a draft counts, and why it was made."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"effective_from": "2027-01-01", "reason": "年度调整"}]}
    )

    effective_from: Day | None = Described(None, description="Today, unless it is given.")
    reason: str = Described(min_length=1, max_length=200)


class ItemVersionPublic(BaseModel):
    """One version: draft, published (from a day on) or discarded, and whose work it is."""

    id: UUID
    number: int
    state: str = Described(description="draft, published, discarded, recalled (before it took effect).")
    is_active: bool
    facts: ItemFacts
    saved_by: UUID | None = Described(description="None: the project's own default menu.")
    saved_at: datetime
    published_by: UUID | None
    published_at: datetime | None
    effective_from: date | None
    reason: str
    discarded_at: datetime | None


class ItemDetail(BaseModel):
    """An item: what counts today, what will, the draft. ``version`` is for ``If-Match``."""

    id: UUID
    code: str
    version: int
    in_force: ItemVersionPublic | None
    upcoming: list[ItemVersionPublic] = Described(description="Published, in force from a later day on.")
    draft: ItemVersionPublic | None


class CentreItemPublic(BaseModel):
    """Whether a centre offers an item."""

    code: str
    name_zh: str
    name_en: str
    is_listed: bool = Described(description="The county lists the item for this centre's area.")
    is_offered: bool = Described(description="Listed, and not switched off by the centre.")
    reason: str
    changed_at: datetime | None
    version: int = Described(description="0: the centre has not said anything.")


class CentreItemSwitch(BaseModel):
    """A centre's word on an item."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"is_offered": False, "reason": "护士暂缺"}]}
    )

    is_offered: bool
    reason: str = Described("", max_length=200)


class RowError(BaseModel):
    """What is wrong in one cell of an imported sheet; ``row`` as the spreadsheet program numbers it."""

    row: int
    column: str = Described(description="The heading of the column.")
    field: str
    code: str
    zh: str
    en: str


class ImportReport(BaseModel):
    """What an import did, or in a preview would do: drafts only, nothing is published."""

    preview: bool
    written: bool = Described(description="False in a preview, and when errors kept everything back.")
    rows: int
    created: list[str] = Described(description="Codes of new items.")
    changed: list[str] = Described(description="Codes of items that get a new draft.")
    unchanged: int
    errors: list[RowError]
