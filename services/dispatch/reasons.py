"""Why a caregiver fits or does not: a stable code and a sentence in both languages."""

from enum import StrEnum

from pydantic import BaseModel


class Level(StrEnum):
    BLOCKING = "blocking"  # rules the caregiver out; an override may pass some of these
    WARNING = "warning"  # fits, but somebody should know
    PLUS = "plus"  # speaks for the caregiver


class Reason(BaseModel):
    """One reason. ``points`` is what it adds to the score, out of 100 for all reasons together."""

    code: str
    level: Level
    zh: str
    en: str
    points: float | None = None


BLOCKING_TEXTS = {
    "left": ("已离职", "No longer works here"),
    "missing_skill": ("不具备该项服务技能", "Does not have the skill"),
    "licence_missing": ("没有所需证照", "Does not have the licence"),
    "licence_expired": ("所需证照当日无效或已过期", "The licence is not valid on that day"),
    "practice_too_short": ("从业年限不足", "Not enough years in the profession"),
    "not_on_shift": ("该时间段没有排班", "Not on shift then"),
    "busy": ("该时间段已有其他服务", "Has another visit then"),
    "travel_too_long": ("来不及赶到，或赶不上下一家", "Cannot get there, or to the next visit, in time"),
    "outside_window": ("不在长者预约的时间段内", "Outside the window that the resident asked for"),
    "in_the_past": ("开始时间已过", "The start has passed"),
}
"""Every code that rules a caregiver out."""

NEVER_OVERRIDDEN = frozenset({"left", "licence_missing", "licence_expired", "practice_too_short", "in_the_past"})
"""No reason lets an unlicensed person in (护士条例 arts 8, 10), nor a nurse with too few years
(互联网+护理服务 pilot plan, 2019), nor one who has left.
"""


def blocking(code: str) -> Reason:
    """The reason that rules out."""
    zh, en = BLOCKING_TEXTS[code]
    return Reason(code=code, level=Level.BLOCKING, zh=zh, en=en)
