"""What must hold of an item before it is kept, beyond the form of its fields. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.catalogue.models import Category, Income, ItemContent, NursingList, Precondition
from services.catalogue.vocabulary import Vocabulary
from services.core.areas import AreaLevel, level_of

_CODE = re.compile(r"[a-z][a-z0-9_]{1,59}")
_LONGEST = {
    "name_zh": 60,
    "name_en": 100,
    "unit": 30,
    "description_zh": 500,
    "description_en": 500,
    "list_source": 300,
}
_LONGEST_TEXT = 500
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MOST = {"checklist": 40, "contraindications": 40, "required_licences": 10, "offered_areas": 100}

WORDS = {
    "bad_code": (
        "编码须以小写字母开头，只含小写字母、数字、下划线",
        "is no code: a-z, 0-9, _, a letter first",
    ),
    "missing": ("必填", "is required"),
    "too_long": ("太长", "is too long"),
    "too_many": ("项目太多", "has too many entries"),
    "unprintable": ("含有不可显示的字符", "holds characters that cannot be shown"),
    "repeated": ("有重复项", "has an entry twice"),
    "unknown_skill": ("没有这项技能，无人可派", "no such skill: nobody could be sent"),
    "unknown_licence": ("没有这种资质，无人可派", "no such licence: nobody could be sent"),
    "unknown_area": ("区划代码有误，最细到乡镇街道", "is no area code of a town or wider"),
    "nobody_may_order": ("至少要有一种下单途径", "somebody must be able to order it"),
    "nursing_needs_assessment": (
        "互联网+护理项目须先作机构评估并取得知情同意",
        "home nursing needs the institution's assessment and informed consent first",
    ),
    "bath_needs_vital_check": ("助浴前须测生命体征", "a bath needs a vital check first"),
    "medical_needs_licence": ("医疗收入的项目须由持证人员提供", "a medical item needs somebody with a licence"),
    "list_needs_source": ("须写明正面或负面清单的依据", "say which list it stands on"),
    "code_differs": ("编码与路径不一致", "is another code than the path's"),
}
"""Code → (zh, en)."""


class Problem(NamedTuple):
    """What is wrong, and in which field."""

    field: str
    code: str

    @property
    def zh(self) -> str:
        return WORDS[self.code][0]

    @property
    def en(self) -> str:
        return WORDS[self.code][1]

    def shown(self) -> dict[str, str]:
        """For a problem document."""
        return {"field": self.field, "code": self.code, "zh": self.zh, "en": self.en}


def problems_of(item: ItemContent, words: Vocabulary) -> list[Problem]:
    """Everything that is wrong with an item; empty when it may be kept."""
    return [*_form(item), *_keys(item), *_who(item, words), *_rules(item)]


def _form(item: ItemContent) -> Iterator[Problem]:
    if not _CODE.fullmatch(item.code):
        yield Problem("code", "bad_code")
    for field in ("name_zh", "name_en", "unit", "required_skill"):
        if not getattr(item, field).strip():
            yield Problem(field, "missing")
    for field, most in _LONGEST.items():
        if len(getattr(item, field)) > most:
            yield Problem(field, "too_long")
    for field, most in _MOST.items():
        if len(getattr(item, field)) > most:
            yield Problem(field, "too_many")
    for field, value in item.model_dump(mode="json").items():
        texts = list(_texts(value))
        if any(_UNPRINTABLE.search(text) for text in texts):
            yield Problem(field, "unprintable")
        if field not in _LONGEST and any(len(text) > _LONGEST_TEXT for text in texts):
            yield Problem(field, "too_long")


def _keys(item: ItemContent) -> Iterator[Problem]:
    """What names entries of a list is there, and once."""
    keys: dict[str, Sequence[str]] = {
        "checklist": [task.code for task in item.checklist],
        "preconditions": item.preconditions,
        "contraindications": [one.condition for one in item.contraindications],
        "may_order": item.may_order,
        "offered_areas": item.offered_areas,
        "required_licences": item.required_licences,
        "price_rule": [part.code for part in item.price_rule.components],
    }
    for field, values in keys.items():
        if any(not value.strip() for value in values):
            yield Problem(field, "missing")
        if any(times > 1 for times in Counter(values).values()):
            yield Problem(field, "repeated")


def _texts(value: object) -> Iterator[str]:
    """Every text inside, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))


def _who(item: ItemContent, words: Vocabulary) -> Iterator[Problem]:
    if item.required_skill.strip() and item.required_skill not in words.skills:
        yield Problem("required_skill", "unknown_skill")
    if set(item.required_licences) - words.licences:
        yield Problem("required_licences", "unknown_licence")
    if not item.may_order:
        yield Problem("may_order", "nobody_may_order")
    if not all(_is_area(code) for code in item.offered_areas):
        yield Problem("offered_areas", "unknown_area")


def _rules(item: ItemContent) -> Iterator[Problem]:
    """Domain facts §3 (assessment and consent before home nursing) and §9 (vital check before a bath)."""
    before = {Precondition.INSTITUTION_ASSESSMENT, Precondition.INFORMED_CONSENT}
    if item.nursing_list is NursingList.POSITIVE and not before <= set(item.preconditions):
        yield Problem("preconditions", "nursing_needs_assessment")
    if item.category is Category.BATHING and Precondition.VITAL_CHECK not in item.preconditions:
        yield Problem("preconditions", "bath_needs_vital_check")
    if item.income is Income.MEDICAL and not item.required_licences:
        yield Problem("required_licences", "medical_needs_licence")
    if item.nursing_list is not NursingList.NONE and not item.list_source.strip():
        yield Problem("list_source", "list_needs_source")


def _is_area(code: str) -> bool:
    """A centre's town at the narrowest: nothing is offered to half a town."""
    try:
        return level_of(code) is not AreaLevel.VILLAGE
    except ValueError:
        return False
