"""The catalogue as rows of a spreadsheet, and back without loss. Pure.

One row an item. A cell that holds several things has one on each line; parts of a line stand between ``|``. Money
is in yuan. What a cell has no word for (a field that a price rule gains one day) follows as ``name=JSON``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from services.catalogue.checks import problems_of
from services.catalogue.models import (
    Category,
    Contraindication,
    Effect,
    Income,
    ItemContent,
    NursingList,
    OrderedBy,
    Precondition,
    Task,
)
from services.catalogue.pricing import Component, ComponentKind, PriceRule
from services.catalogue.views import ItemDraft
from services.catalogue.vocabulary import Vocabulary
from services.core.money import yuan

Word = TypeVar("Word", bound=StrEnum)

LABELS: dict[type[StrEnum], dict[Any, str]] = {
    Category: {
        Category.MEAL: "助餐",
        Category.CLEANING: "助洁",
        Category.BATHING: "助浴",
        Category.WALKING: "助行",
        Category.ESCORT: "助医",
        Category.EMERGENCY: "助急",
        Category.ROUND_VISIT: "巡诊",
        Category.NURSING: "护理",
        Category.REHABILITATION: "康复",
        Category.CHINESE_MEDICINE: "中医",
        Category.CHECK_UP: "体检",
        Category.COMPANIONSHIP: "心理关爱与探访",
    },
    Precondition: {
        Precondition.INSTITUTION_ASSESSMENT: "机构首次评估",
        Precondition.INFORMED_CONSENT: "知情同意",
        Precondition.VITAL_CHECK: "服务前测体征",
    },
    OrderedBy: {
        OrderedBy.APP: "本人",
        OrderedBy.FAMILY: "家属",
        OrderedBy.VILLAGE_DOCTOR: "医生",
        OrderedBy.PHONE: "电话",
        OrderedBy.CARE_PLAN: "照护计划",
    },
    Income: {Income.MEDICAL: "医疗", Income.ELDERCARE: "养老"},
    NursingList: {NursingList.POSITIVE: "正面清单", NursingList.NEGATIVE: "负面清单", NursingList.NONE: "无"},
    Effect: {Effect.BLOCK: "禁止", Effect.WARN: "提醒"},
    ComponentKind: {
        ComponentKind.FLAT: "按次",
        ComponentKind.TIMED: "按时",
        ComponentKind.TRAVEL: "按里程",
        ComponentKind.PERCENT: "按比例",
    },
}
"""What people read; the code is understood as well, and stands where there is no label."""

HEADINGS: dict[str, str] = {
    "code": "编码",
    "is_active": "在售",
    "category": "类别",
    "name_zh": "名称",
    "name_en": "英文名称",
    "description_zh": "说明",
    "description_en": "英文说明",
    "unit": "单位",
    "duration_minutes": "时长（分钟）",
    "caregivers_required": "人数",
    "required_skill": "技能",
    "required_licences": "资质",
    "practice_years": "从业年限",
    "checklist": "服务清单",
    "preconditions": "前置条件",
    "contraindications": "禁忌",
    "may_order": "下单途径",
    "offered_areas": "开放地区",
    "income": "收入类别",
    "nursing_list": "清单",
    "list_source": "清单依据",
    "list_verified": "清单已核实",
    "price_components": "价格组成",
    "price_source": "价格依据",
    "price_version": "价格版本",
    "price_effective_date": "价格生效日",
    "price_verified": "价格已核实",
    "price_note_zh": "价格说明",
    "price_note_en": "价格英文说明",
    "price_more": "价格其他",
}
"""Field → heading, in the order of the columns."""

_YES, _NO = "是", "否"
_PRICE = ("source", "version", "effective_date", "verified", "note_zh", "note_en")
_PART = ("code", "name_zh", "name_en", "kind", "unit_fen", "basis_points")
_WORDS = {
    "missing": ("必填", "is required"),
    "not_a_number": ("不是数字", "is not a number"),
    "not_allowed": ("不在可选范围内", "is not one of the allowed values"),
    "not_yes_or_no": ("请填“是”或“否”", "say 是 or 否"),
    "bad_line": ("格式不对，请参照导出的表格", "has another form than in an exported sheet"),
    "not_valid": ("格式不对", "is not valid"),
}


class CellProblem(NamedTuple):
    """What is wrong in the cell of a field."""

    field: str
    code: str
    zh: str
    en: str


class _Bad(Exception):
    """A cell that says nothing we understand; ``code`` of ``_WORDS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def to_cells(item: ItemContent, is_active: bool) -> list[str | int]:
    """A row, in the order of ``HEADINGS``."""
    price = item.price_rule
    known = {*_PRICE, "components"}
    more = price.model_dump(mode="json", exclude=known, exclude_defaults=True)
    cells: dict[str, str | int] = {
        **{name: getattr(item, name) for name in HEADINGS if isinstance(getattr(item, name, None), str | int)},
        "is_active": _yes(is_active),
        "category": _label(item.category),
        "required_licences": "\n".join(item.required_licences),
        "checklist": "\n".join(_line(task.code, task.zh, task.en) for task in item.checklist),
        "preconditions": "\n".join(_label(one) for one in item.preconditions),
        "contraindications": "\n".join(
            _line(one.condition, _label(one.effect), one.zh, one.en, one.source, _yes(one.verified))
            for one in item.contraindications
        ),
        "may_order": "\n".join(_label(one) for one in item.may_order),
        "offered_areas": "\n".join(item.offered_areas),
        "income": _label(item.income),
        "nursing_list": _label(item.nursing_list),
        "list_verified": _yes(item.list_verified),
        "price_components": "\n".join(_component(part) for part in price.components),
        **{f"price_{name}": str(getattr(price, name)) for name in _PRICE},
        "price_verified": _yes(price.verified),
        "price_more": json.dumps(more, ensure_ascii=False, sort_keys=True) if more else "",
    }
    return [cells[name] for name in HEADINGS]


def from_cells(cells: Mapping[str, str], words: Vocabulary) -> tuple[ItemDraft | None, list[CellProblem]]:
    """The item of a row (cells by heading), or everything that is wrong with it."""
    values: dict[str, Any] = {}
    problems: list[CellProblem] = []
    for name, heading in HEADINGS.items():
        try:
            values[name] = _READERS.get(name, str)(cells.get(heading, ""))
        except _Bad as bad:
            problems.append(CellProblem(name, bad.code, *_WORDS[bad.code]))
    if problems:
        return None, problems
    price = {name: values.pop(f"price_{name}") for name in _PRICE}
    price |= {"components": values.pop("price_components"), **values.pop("price_more")}
    try:
        draft = ItemDraft.model_validate({**values, "price_rule": price})
    except ValidationError as error:
        return None, [_of_model(one["loc"]) for one in error.errors()]
    return draft, [CellProblem(_column(one.field), one.code, one.zh, one.en) for one in problems_of(draft, words)]


def _of_model(place: Sequence[int | str]) -> CellProblem:
    parts = [str(part) for part in place]
    field = parts[0] if parts else "code"
    if field == "price_rule":
        field = f"price_{parts[1]}" if len(parts) > 1 else "price_components"
    return CellProblem(_column(field), "not_valid", *_WORDS["not_valid"])


def _column(field: str) -> str:
    return field if field in HEADINGS else "price_components"


def _label(word: StrEnum) -> str:
    return LABELS[type(word)].get(word, word.value)


def _yes(holds: bool) -> str:
    return _YES if holds else _NO


def _line(*parts: str) -> str:
    """Parts of a line; a part's own bar, backslash or line break is written with a backslash."""
    escaped = [part.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "\\n") for part in parts]
    return "|".join(escaped)


def _parts(line: str) -> list[str]:
    """A line's parts, as ``_line`` wrote them."""
    found, part, escaped = [], "", False
    for sign in line:
        if escaped:
            part += "\n" if sign == "n" else sign
            escaped = False
        elif sign == "\\":
            escaped = True
        elif sign == "|":
            found.append(part)
            part = ""
        else:
            part += sign
    return [*found, part]


def _lines(cell: str) -> list[str]:
    return [line.strip() for line in cell.splitlines() if line.strip()]


def _component(part: Component) -> str:
    """``code|name|English|kind|amount`` and what else is not as usual."""
    is_share = part.kind is ComponentKind.PERCENT
    amount = f"{Decimal(part.basis_points) / 100}%" if is_share else yuan(part.unit_fen)
    other = part.model_dump(mode="json", exclude=set(_PART), exclude_defaults=True)
    odd = {"unit_fen": part.unit_fen} if is_share and part.unit_fen else {}
    odd |= {"basis_points": part.basis_points} if not is_share and part.basis_points else {}
    more = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in {**other, **odd}.items()]
    return _line(part.code, part.name_zh, part.name_en, _label(part.kind), amount, *more)


def _read_component(line: str) -> dict[str, Any]:
    parts = [part.strip() for part in _parts(line)]
    if len(parts) < 5:
        raise _Bad("bad_line")
    kind = _word(ComponentKind, parts[3])
    amount = parts[4]
    found: dict[str, Any] = {"code": parts[0], "name_zh": parts[1], "name_en": parts[2], "kind": kind}
    if kind is ComponentKind.PERCENT:
        found["basis_points"] = _hundredths(amount.removesuffix("%"))
    else:
        found["unit_fen"] = _hundredths(amount)
    for extra in parts[5:]:
        name, _, value = extra.partition("=")
        if name in found or name not in Component.model_fields:
            raise _Bad("bad_line")
        found[name] = _json(value)
    return found


def _hundredths(text: str) -> int:
    """``13.00`` → 1300, exactly."""
    try:
        amount = Decimal(text) * 100
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise _Bad("not_a_number") from error
    if amount != whole:
        raise _Bad("not_a_number")
    return whole


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _Bad("bad_line") from error


def _word(kind: type[Word], text: str) -> Word:
    """A label or the code itself."""
    for word in kind:
        if text in (word.value, LABELS[kind].get(word)):
            return word
    raise _Bad("not_allowed" if text else "missing")


def _words(kind: type[Word]) -> Callable[[str], list[Word]]:
    return lambda cell: [_word(kind, line) for line in _lines(cell)]


def _truth(cell: str) -> bool:
    if cell not in (_YES, _NO):
        raise _Bad("not_yes_or_no" if cell else "missing")
    return cell == _YES


def _number(cell: str) -> int:
    if not cell:
        raise _Bad("missing")
    if not cell.isascii() or not cell.isdigit() or len(cell) > 9:
        raise _Bad("not_a_number")
    return int(cell)


def _needed(cell: str) -> str:
    if not cell:
        raise _Bad("missing")
    return cell


def _task(line: str) -> Task:
    parts = [part.strip() for part in _parts(line)]
    if len(parts) != 3:
        raise _Bad("bad_line")
    return Task(code=parts[0], zh=parts[1], en=parts[2])


def _contraindication(line: str) -> Contraindication:
    parts = [part.strip() for part in _parts(line)]
    if len(parts) != 6:
        raise _Bad("bad_line")
    condition, effect, zh, en, source, verified = parts
    return Contraindication(
        condition=condition, effect=_word(Effect, effect), zh=zh, en=en, source=source, verified=_truth(verified)
    )


def _more(cell: str) -> dict[str, Any]:
    """Fields of the price rule that have no column; nothing that has one."""
    if not cell:
        return {}
    found = _json(cell)
    if (
        not isinstance(found, dict)
        or set(found) & {*_PRICE, "components"}
        or set(found) - set(PriceRule.model_fields)
    ):
        raise _Bad("bad_line")
    return found


_READERS: dict[str, Callable[[str], Any]] = {
    "code": _needed,
    "is_active": _truth,
    "category": lambda cell: _word(Category, cell),
    "name_zh": _needed,
    "name_en": _needed,
    "unit": _needed,
    "required_skill": _needed,
    "duration_minutes": _number,
    "caregivers_required": _number,
    "practice_years": _number,
    "required_licences": _lines,
    "checklist": lambda cell: [_task(line) for line in _lines(cell)],
    "preconditions": _words(Precondition),
    "contraindications": lambda cell: [_contraindication(line) for line in _lines(cell)],
    "may_order": _words(OrderedBy),
    "offered_areas": _lines,
    "income": lambda cell: _word(Income, cell),
    "nursing_list": lambda cell: _word(NursingList, cell),
    "list_verified": _truth,
    "price_components": lambda cell: [_read_component(line) for line in _lines(cell)],
    "price_source": _needed,
    "price_version": _needed,
    "price_effective_date": _needed,
    "price_verified": _truth,
    "price_more": _more,
}
"""How a cell is read; the others are words as they stand."""
