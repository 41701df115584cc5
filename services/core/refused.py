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
    "silence_within_heartbeat": (
        "静默时限必须长于心跳间隔",
        "the allowed silence must be longer than the time between heartbeats",
    ),
    "percentages_not_last": (
        "百分比项必须排在其所占的费用项之后",
        "percentages stand after the components they are a share of",
    ),
}
"""Code → (zh, en)."""


def refused(code: str, *fields: str) -> PydanticCustomError:
    """What a model's validator raises: a code of ``WORDS``, and the fields that do not fit together."""
    return PydanticCustomError(code, WORDS[code][1], {"fields": fields})
