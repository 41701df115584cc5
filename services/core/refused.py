"""Refusals of fields that do not fit together, in one form for every model.

A model's validator raises ``refused(code, *fields)``; the API answers one error for each of the fields, with the
code and its words in the reader's language. The input itself is never repeated.
"""

from typing import Final

from pydantic_core import PydanticCustomError

WORDS: Final = {
    "ends_before_start": ("结束必须晚于开始", "the end must lie after the start"),
    "last_day_before_first": ("最后一天不能早于第一天", "the last day must not lie before the first"),
    "start_and_end_together": ("开始和结束要么都填，要么都不填", "give both the start and the end, or neither"),
    "nobody_named": ("请写明谁缺勤、谁来顶班，至少一项", "name who is absent, who comes, or both"),
    "same_person": ("不能由本人顶替本人", "nobody stands in for himself"),
    "exactly_one": ("必须且只能填其中一项", "give exactly one of these"),
    "caregiver_missing": ("请至少指定一名服务人员", "name at least one caregiver"),
    "not_a_monday": ("周次请填星期一的日期", "a week is named by its Monday"),
    "silence_within_heartbeat": (
        "静默时限必须长于心跳间隔",
        "the allowed silence must be longer than the time between heartbeats",
    ),
    "band_upside_down": ("区间的上限必须大于下限", "the end of a band must lie above its beginning"),
    "public_medical_parts": (
        "公立机构的价格必须包含医药服务价格和上门服务费",
        "a public price has the medical service price and the home-visit fee",
    ),
    "codes_repeated": ("代码不能重复", "the codes must differ"),
    "windows_overlap": ("预约时间段不能重叠", "the windows must not overlap"),
    "same_item_twice": ("同一项目请写成一行并填数量", "name an item once, with its quantity"),
    "what_is_missing": ("请写明要预订的项目，或引用报价", "name the items, or a quote that holds them"),
    "when_is_missing": ("请写明时间段，或引用报价", "give the windows, or a quote that holds them"),
    "nothing_changed": ("请至少填写一项更改", "change at least one thing"),
    "programme_code": ("该代码不能使用", "this code cannot be used"),
    "skipped_without_reason": ("未做的任务请写明原因", "say why the task was skipped"),
    "pressure_needs_both": ("血压请同时填写高压和低压", "a blood pressure has a systolic and a diastolic value"),
    "reading_needs_value": ("请填写测量值", "give the value that was measured"),
    "nothing_to_correct": ("请至少更正一项", "correct at least one thing"),
    "reading_without_time": ("请填写测量时间", "say when the reading was taken"),
    "beyond_reason": ("金额超出合理范围", "the amount is beyond reason"),
    "percentages_not_last": (
        "百分比项必须排在其所占的费用项之后",
        "percentages stand after the components they are a share of",
    ),
}
"""Code → (zh, en)."""


def refused(code: str, *fields: str) -> PydanticCustomError:
    """What a model's validator raises: a code of ``WORDS``, and the fields that do not fit together."""
    return PydanticCustomError(code, WORDS[code][1], {"fields": fields})
