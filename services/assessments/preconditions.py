"""Which preconditions of an item do not hold. Pure: the item, its assessments, the consents in force."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Protocol

from services.assessments.models import Unmet
from services.catalogue.models import ItemContent, Precondition


class Assessed(Protocol):
    """An institution's assessment, as far as it counts here."""

    @property
    def assessed_on(self) -> date: ...

    @property
    def covers(self) -> list[str]: ...

    @property
    def is_suitable(self) -> bool: ...

    @property
    def valid_until(self) -> date: ...


def unmet_of(
    item: ItemContent, assessments: Sequence[Assessed], consented: Collection[str], day: date
) -> list[Unmet]:
    """What is missing for an item on a day. ``assessments`` newest first; ``consented`` are scopes.

    A vital check is made at the visit and is never unmet beforehand.
    """
    missing: list[Unmet] = []
    if Precondition.INSTITUTION_ASSESSMENT in item.preconditions:
        newest = next((one for one in assessments if {item.code, str(item.category)} & set(one.covers)), None)
        words = _assessment_problem(item, newest, day)
        if words is not None:
            missing.append(Unmet(item.code, Precondition.INSTITUTION_ASSESSMENT, *words))
    if Precondition.INFORMED_CONSENT in item.preconditions and not {"", item.code, str(item.category)} & set(
        consented
    ):
        zh = f"“{item.name_zh}”需要长者或监护人的知情同意"
        en = f"{item.name_en} needs the informed consent of the resident or her guardian"
        missing.append(Unmet(item.code, Precondition.INFORMED_CONSENT, zh, en))
    return missing


def _assessment_problem(item: ItemContent, newest: Assessed | None, day: date) -> tuple[str, str] | None:
    if newest is None or newest.assessed_on > day:
        return (
            f"“{item.name_zh}”须先由服务机构完成首次评估",
            f"{item.name_en}: the institution has to assess her first",
        )
    if not newest.is_suitable:
        return (
            f"机构评估结论：不适合上门“{item.name_zh}”",
            f"{item.name_en}: the institution found her not suitable for it at home",
        )
    if newest.valid_until < day:
        return (
            f"“{item.name_zh}”的机构评估已于 {newest.valid_until} 到期，须重新评估",
            f"{item.name_en}: the institution's assessment ended on {newest.valid_until} and is to be made anew",
        )
    return None
